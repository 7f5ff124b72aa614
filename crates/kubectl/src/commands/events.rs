//! `events`.

use std::cmp::Ordering;

use value::{Value, time, value};

use super::{Command, Help};
use crate::api::{JSON, Url};
use crate::failure::{Failure, Result, fail};
use crate::order;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::watch::{Next, Watch};
use crate::{age, tabs};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "events",
    help: || Help { usage: "[--for TYPE/NAME] [--watch] [--types=Normal,Warning]", about: "List events" },
    flags: &[print::FLAGS, "w/watch:b A/all-namespaces:b for:s types:c no-headers:b chunk-size:i"],
    run: events,
}];

/// When an event was last seen, in nanoseconds.
pub(crate) fn last_seen(event: &Value) -> u64 {
    let at = |path: &'static str| event.str_at(path).and_then(time::parse_nanos);
    at("series.lastObservedTime").or_else(|| at("lastTimestamp")).or_else(|| at("eventTime")).unwrap_or(0)
}

/// Of two events the one that was seen earlier comes first.
pub(crate) fn by_time(a: &Value, b: &Value) -> Ordering {
    last_seen(a).cmp(&last_seen(b))
}

/// `5s`, or `5s (x3 over 2m)`.
pub(crate) fn interval(event: &Value, now: i64) -> String {
    let first = match event.str_at("eventTime") {
        Some(at) => age::since(Some(at), now),
        None => age::since(event.str_at("firstTimestamp"), now),
    };
    let count = event.i64_at("count").unwrap_or(0);
    match event.get("series").filter(|it| !it.is_null()) {
        Some(series) => {
            let last = age::since(series.str_at("lastObservedTime"), now);
            format!("{last} (x{} over {first})", series.i64_at("count").unwrap_or(0))
        }
        None if count > 1 => format!("{} (x{count} over {first})", age::since(event.str_at("lastTimestamp"), now)),
        None => first,
    }
}

struct Table {
    with_namespace: bool,
    headers: bool,
    widths: Vec<usize>,
}

impl Table {
    fn print(&mut self, cx: &mut Cx<'_>, events: &[Value]) {
        let mut rows = String::new();
        let namespace = |text: &str| if self.with_namespace { format!("{text}\t") } else { String::new() };
        if self.headers {
            rows.push_str(&namespace("NAMESPACE"));
            rows.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
        }
        for event in events {
            let text = |path: &'static str| event.str_at(path).unwrap_or_default();
            rows.push_str(&namespace(text("metadata.namespace")));
            rows.push_str(&format!(
                "{}\t{}\t{}\t{}/{}\t{}\n",
                interval(event, cx.now()),
                text("type"),
                text("reason"),
                text("involvedObject.kind"),
                text("involvedObject.name"),
                text("message").trim()
            ));
        }
        self.headers = false;
        let text = tabs::align_remembering(&rows, &tabs::TABLE, &mut self.widths);
        cx.out(&text);
    }
}

fn wanted(cx: &Cx<'_>, event: &Value) -> bool {
    let types = cx.flags().list("types");
    let kind = event.str_at("type").unwrap_or_default();
    types.is_empty() || types.iter().any(|it| it.eq_ignore_ascii_case(kind))
}

fn url(cx: &mut Cx<'_>) -> Result<Url> {
    let namespace = if cx.is("all-namespaces") { String::new() } else { cx.namespace() };
    let events = match cx.mapper()?.of_kind("v1", "Event") {
        Some(it) => it,
        None => return fail("the server doesn't have a resource type \"events\""),
    };
    let mut url = Url::of(&events, &namespace, "", "");
    let target = cx.text("for");
    if !target.is_empty() {
        let Some((kind, name)) = target.split_once('/') else { return fail("--for must be in resource/name form") };
        if name.contains('/') {
            return fail("arguments in resource/name form may not have more than one slash");
        }
        let resource = cx.resource(kind).map_err(|it| Failure::Exact(it.message()))?;
        url = url.with(
            "fieldSelector",
            &format!(
                "involvedObject.kind={},involvedObject.apiVersion={},involvedObject.name={name}",
                resource.kind,
                resource.api_version()
            ),
        );
    }
    Ok(url)
}

fn events(cx: &mut Cx<'_>) -> Result<Flow> {
    for kind in cx.flags().list("types") {
        if !kind.eq_ignore_ascii_case("Normal") && !kind.eq_ignore_ascii_case("Warning") {
            return fail("valid --types are Normal or Warning");
        }
    }
    let url = url(cx)?;
    let with_namespace = cx.is("all-namespaces");
    let table = Table { with_namespace, headers: !cx.is("no-headers"), widths: Vec::new() };
    let mut output = match cx.flags().text("output") {
        "" => Output::Table(table),
        _ => Output::Other(Box::new(Printer::from_flags(cx)?)),
    };
    if cx.is("watch") {
        let watch = Watch::open(cx, &url, JSON, "")?;
        return Ok(Flow::Wait(Box::new(Watching { watch, output })));
    }
    let list = cx.list(&url, JSON)?;
    let mut items: Vec<Value> = list.list_at("items").iter().filter(|it| wanted(cx, it)).map(typed).collect();
    if items.is_empty() {
        match with_namespace {
            true => cx.note("No events found."),
            false => cx.note(&format!("No events found in {} namespace.", cx.namespace())),
        }
        return Ok(Flow::Done);
    }
    order::by(&mut items, &mut by_time);
    match &mut output {
        Output::Table(table) => table.print(cx, &items),
        // kubectl cannot name a list of events and keeps quiet about it.
        Output::Other(_) if cx.text("output") == "name" => {}
        Output::Other(printer) => {
            let list = value!({"apiVersion": "v1", "kind": "EventList", "items": items, "metadata": {}});
            printer.print(cx, &list, "events")?;
        }
    }
    Ok(Flow::Done)
}

fn typed(event: &Value) -> Value {
    event.with("apiVersion", "v1").with("kind", "Event")
}

enum Output {
    Table(Table),
    Other(Box<Printer>),
}

struct Watching {
    watch: Watch,
    output: Output,
}

impl Wait for Watching {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        loop {
            match self.watch.next(cx)? {
                Next::Event(event) => {
                    if matches!(&*event.kind, "ADDED" | "MODIFIED") && wanted(cx, &event.object) {
                        match &mut self.output {
                            Output::Table(table) => table.print(cx, &[event.object]),
                            Output::Other(printer) => printer.print(cx, &typed(&event.object), "events")?,
                        }
                    }
                }
                Next::Nothing => return Ok(Flow::Waiting),
                Next::End => return Ok(Flow::Done),
            }
        }
    }
}

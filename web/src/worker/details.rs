//! All of one object, for the drawer: as kubectl prints it, and why it is where it is.

use std::rc::Rc;
use std::sync::Arc;

use cluster::{ApiRequest, ApiServer, Body, RequestTarget};
use kubectl::Input;
use meta::{Key, KindId, Object, Revision};
use value::{Value, json, value};
use view::chain::{self, Chain, Sources, Writer};
use view::model::{EventRow, Ref};
use view::service::{Origin, Way};
use view::{Screen, rollout, runs, service};
use web::{DecisionRow, Details, Part, Score};

use crate::client::{self, Engine};
use crate::verdicts;

/// Verbs that change nothing.
const READS: [&str; 3] = ["get", "list", "watch"];
/// Last parts of paths that are not names.
const SUBRESOURCES: [&str; 4] = ["status", "scale", "binding", "eviction"];

/// A part of an object that is there, or was there lately.
pub fn of(engine: &mut Engine, target: &Ref, part: Part) -> Details {
    let mut res = Details { target: target.clone(), part, ..Details::default() };
    let Some((kind, object)) = find(engine, target) else { return res };
    res.is_there = object.is_some();
    engine.is_looking = true;
    match part {
        Part::Yaml => res.yaml = kubectl_says(engine, &["get"], target, &["-o", "yaml"]),
        Part::Describe => res.describe = kubectl_says(engine, &["describe"], target, &[]),
        Part::Events => res.events = events(engine, target),
        Part::Decision => (res.decision_text, res.decision) = decision(engine, target),
        Part::Causes => res.chain = chain(engine, kind, target),
        Part::Overview => overview(engine, object.as_deref(), &mut res),
    }
    engine.is_looking = false;
    res
}

/// The kind of an object and the object itself, if it is there.
fn find(engine: &Engine, target: &Ref) -> Option<(KindId, Option<Arc<Object>>)> {
    let api = engine.cluster.api();
    let kind = api.registry().all().find(|it| *it.kind == *target.kind)?.id;
    Some((kind, api.store().get(kind, &Key::new(&target.namespace, &target.name)).cloned()))
}

fn overview(engine: &Engine, object: Option<&Object>, res: &mut Details) {
    let Some(object) = object else { return };
    let (store, now) = (engine.cluster.api().store(), engine.cluster.now().secs());
    match res.target.kind.as_str() {
        "CronJob" => res.runs = Some(runs::of(store, object, now)),
        "Service" => res.service = Some(service::of(store, object)),
        kind if rollout::has(kind) => res.rollout = Some(rollout::of(store, object, now)),
        _ => (),
    }
}

/// Sends a request over the simulated network; it is an input, since the next one goes to another endpoint.
pub fn send(engine: &mut Engine, from: &Origin, url: &str) -> Way {
    let sender = match (from.is_pod, from.name.as_str()) {
        (_, "") => value!({}),
        (true, pod) => value!({ "namespace": from.namespace.as_str(), "pod": pod }),
        (false, node) => value!({ "node": node }),
    };
    let body = value!({
        "apiVersion": "sim.drydock.dev/v1alpha1", "kind": "NetworkRequest", "spec": { "from": sender, "url": url },
    });
    let request = web::Request {
        method: "POST".to_owned(),
        path: "/apis/sim.drydock.dev/v1alpha1/networkrequests".to_owned(),
        content_type: "application/json".to_owned(),
        body: json::to_string(&body),
        user_agent: "drydock".to_owned(),
    };
    let answer = client::request(&request).map(|it| engine.handle(it).into_body());
    let answer = match answer {
        Some(Body::Bytes(bytes)) => json::parse(&bytes).unwrap_or_default(),
        _ => Value::default(),
    };
    match answer.get("status").filter(|it| it.as_map().is_some()) {
        Some(status) => service::way(status),
        None => Way { text: answer.str_at("message").unwrap_or_default().to_owned(), ..Way::default() },
    }
}

fn chain(engine: &Engine, kind: KindId, target: &Ref) -> Chain {
    let api = engine.cluster.api();
    let requests: Vec<&ApiRequest> = api.requests().iter().collect();
    let writer = |object: &Object, revision: Revision| writer(api, &requests, object, revision);
    let sources = Sources { store: api.store(), registry: api.registry(), writer: &writer };
    chain::of(&sources, kind, &Key::new(&target.namespace, &target.name))
}

/// The request after which the store first had a revision, if it can have written it.
fn writer(api: &ApiServer, requests: &[&ApiRequest], object: &Object, revision: Revision) -> Option<Writer> {
    let idx = requests.partition_point(|it| it.revision < revision);
    let request = requests.get(idx)?;
    // Of the oldest that is remembered nobody knows where it began.
    let is_after_another = idx > 0 || request.number == 1;
    let sub = match &request.target {
        RequestTarget::Object { kind, sub, .. } if *kind == object.kind => (*sub).to_owned(),
        RequestTarget::Path(path) => {
            let last = path.split('?').next().and_then(|it| it.rsplit('/').next()).unwrap_or_default();
            if SUBRESOURCES.contains(&last) { last.to_owned() } else { String::new() }
        }
        RequestTarget::Object { .. } => return None,
    };
    (is_after_another && !READS.contains(&request.verb)).then(|| Writer {
        at: request.at.nanos(),
        component: request.component.to_string(),
        verb: request.verb.to_owned(),
        sub,
        path: api.request_path(request).to_string(),
        cause: request.cause.as_ref().map(|it| (it.kind, it.key.clone(), it.revision)),
    })
}

/// What kubectl prints of an object; nothing when it fails, which means that the object is gone.
fn kubectl_says(engine: &mut Engine, command: &[&str], target: &Ref, flags: &[&str]) -> String {
    let kind = resource(engine, target);
    let mut args = command.to_vec();
    args.extend([kind.as_str(), target.name.as_str()]);
    if !target.namespace.is_empty() {
        args.extend(["-n", target.namespace.as_str()]);
    }
    args.extend(flags);
    let output = kubectl::run(&args, Input::default(), engine, &mut |_| false);
    if output.code == 0 { output.stdout } else { String::new() }
}

/// `daemonsets.apps`
fn resource(engine: &Engine, target: &Ref) -> String {
    let kind = engine.cluster.api().registry().all().find(|it| *it.kind == *target.kind);
    kind.map_or_else(
        || target.kind.to_lowercase(),
        |it| if it.group.is_empty() { it.plural.to_string() } else { format!("{}.{}", it.plural, it.group) },
    )
}

fn events(engine: &Engine, target: &Ref) -> Vec<Rc<EventRow>> {
    Screen::events_about(engine.cluster.api().store(), target).into_iter().map(Rc::new).collect()
}

fn decision(engine: &mut Engine, target: &Ref) -> (String, Vec<DecisionRow>) {
    let (plural, row): (&str, fn(&Value, &Value) -> DecisionRow) = match target.kind.as_str() {
        "Pod" => ("schedulingdecisions", scheduled),
        "DaemonSet" => ("placementdecisions", placed),
        _ => return (String::new(), Vec::new()),
    };
    let Some(status) = verdicts::status(engine, plural, &target.namespace, &target.name) else {
        return (String::new(), Vec::new());
    };
    let mut rows: Vec<DecisionRow> = status.list_at("nodes").iter().map(|it| row(&status, it)).collect();
    let store = engine.cluster.api().store();
    if let Some(pod) = store.get(kinds::POD, &Key::new(&target.namespace, &target.name)) {
        for row in rows.iter_mut().filter(|it| it.text.starts_with("TaintToleration: ")) {
            let node = store.get(kinds::NODE, &Key::cluster(&row.node));
            if let Some(taint) = node.and_then(|it| view::why::untolerated(pod, it)) {
                row.text = taint;
            }
        }
    }
    let text = match target.kind.as_str() {
        "Pod" => {
            let message = status.str_at("message").unwrap_or_default();
            let n_others = store.list(kinds::NODE, None).count().saturating_sub(rows.len());
            match rows.as_slice() {
                // As of every pod of a DaemonSet.
                [only] if n_others > 0 => {
                    format!(
                        "{message}\nIts node affinity names {} alone, so that no other node was looked at.",
                        only.node
                    )
                }
                _ => message.to_owned(),
            }
        }
        _ => "The DaemonSet controller decides about every node:".to_owned(),
    };
    (text, rows)
}

fn text(of: &Value, path: &'static str) -> String {
    of.str_at(path).unwrap_or_default().to_owned()
}

/// A node as the scheduler saw it.
fn scheduled(status: &Value, node: &Value) -> DecisionRow {
    let refused: Vec<String> = node
        .list_at("filters")
        .iter()
        .filter(|it| it.bool_at("passed") == Some(false))
        .map(|it| format!("{}: {}", text(it, "plugin"), text(it, "reason")))
        .collect();
    let name = text(node, "name");
    let verdict = match status.str_at("chosen") {
        Some(chosen) if chosen == name => "chosen",
        _ if refused.is_empty() => "feasible",
        _ => "refused",
    };
    let number = |of: &Value, path: &'static str| of.i64_at(path).unwrap_or_default();
    let scores = node.list_at("scores").iter().map(|it| Score {
        plugin: text(it, "plugin"),
        score: number(it, "score"),
        weight: number(it, "weight"),
    });
    DecisionRow {
        verdict: verdict.to_owned(),
        text: refused.join("; "),
        scores: scores.collect(),
        total: number(node, "total"),
        node: name,
    }
}

/// A node as the DaemonSet controller saw it.
fn placed(_status: &Value, node: &Value) -> DecisionRow {
    let should_run = node.bool_at("shouldRun") == Some(true);
    let verdict = match (should_run, node.bool_at("hasPod") == Some(true)) {
        (true, true) => "runs",
        (true, false) => "should run",
        (false, true) => "may stay",
        (false, false) => "may not run",
    };
    DecisionRow {
        node: text(node, "name"),
        verdict: verdict.to_owned(),
        text: text(node, "message"),
        ..DecisionRow::default()
    }
}

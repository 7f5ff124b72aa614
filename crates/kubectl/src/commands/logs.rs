//! `logs`.

use std::cmp::Reverse;

use value::Value;

use super::{Command, Help, SELECTOR};
use crate::api::{JSON, Url};
use crate::build::{Rules, items};
use crate::describe;
use crate::failure::{Failure, Result, fail, usage};
use crate::manifest::{Info, strings};
use crate::order;
use crate::shell::{Cx, Flow, Wait};
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "logs",
    help: || Help {
        usage: "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
        about: "Print the logs for a container in a pod",
    },
    flags: &[
        SELECTOR,
        "f/follow:b p/previous:b c/container:s all-containers:b all-pods:b since:d since-time:s tail:i limit-bytes:i \
         timestamps:b prefix:b ignore-errors:b max-log-requests:i pod-running-timeout:d \
         insecure-skip-tls-verify-backend:b",
    ],
    run: logs,
}];

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";
/// How many lines of each pod are shown when a selector chooses them.
const SELECTOR_TAIL: &str = "10";
/// How many logs can be followed at once.
const FOLLOWED_MAX: i64 = 5;

/// One container's log.
struct Log {
    url: Url,
    /// Before each line.
    prefix: String,
    stream: Option<u64>,
    /// The beginning of a line whose end did not come yet.
    rest: Vec<u8>,
    done: bool,
}

fn logs(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    let by_selector = cx.flags().changed("selector");
    match args.len() {
        0 if !by_selector => return usage("logs", USAGE),
        1 if by_selector => return usage("logs", "only a selector (-l) or a POD name is allowed"),
        0..=2 => {}
        _ => return usage("logs", USAGE),
    }
    if cx.flags().changed("since-time") && cx.flags().changed("since") {
        return fail("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    let container = args.get(1).cloned().unwrap_or_else(|| cx.text("container"));
    if cx.is("all-containers") && !container.is_empty() {
        return fail(format!("--all-containers=true should not be specified with container name {container}"));
    }
    if cx.flags().changed("container") && args.len() == 2 {
        return fail("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if cx.flags().int("limit-bytes", 0) < 0 {
        return fail("--limit-bytes must be greater than 0");
    }
    if cx.flags().seconds("since", 0) < 0 {
        return fail("--since must be greater than 0");
    }
    if cx.flags().int("tail", -1) < -1 {
        return fail("--tail must be greater than or equal to -1");
    }
    let pods = pods(cx, args.first())?;
    let Some(pods) = pods else { return Ok(Flow::Done) };
    let mut logs = Vec::new();
    for pod in &pods {
        for name in containers(cx, pod, &container)? {
            logs.push(log(cx, pod, &name));
        }
    }
    let limit = cx.flags().int("max-log-requests", FOLLOWED_MAX);
    let n_logs = i64::try_from(logs.len()).unwrap_or(i64::MAX);
    if cx.is("follow") && n_logs > 1 && n_logs > limit {
        return fail(format!(
            "you are attempting to follow {n_logs} log streams, but maximum allowed concurrency is {limit}, use --max-log-requests to increase the limit"
        ));
    }
    for log in &mut logs {
        if let Err(failure) = log.open(cx) {
            if !cx.is("ignore-errors") {
                return Err(failure);
            }
            let text = failure.message();
            cx.line(&format!("error: {text}"));
            log.done = true;
        }
    }
    Ok(Flow::Wait(Box::new(Following { logs })))
}

/// The pods whose logs are shown; `None` where there is nothing to do.
fn pods(cx: &mut Cx<'_>, arg: Option<&String>) -> Result<Option<Vec<Info>>> {
    let pods = cx.resource("pods")?;
    let Some(arg) = arg else {
        let list = cx.list(&cx.target_url(&pods, &cx.namespace()), JSON)?;
        let found = items(&list, &pods);
        if found.is_empty() {
            let namespace = cx.namespace();
            cx.note(&format!("No resources found in {namespace} namespace."));
            return Ok(None);
        }
        return Ok(Some(found));
    };
    let words = if arg.contains('/') { vec![arg.clone()] } else { vec!["pods".to_owned(), arg.clone()] };
    let rules = Rules { args: Some(words), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (mut infos, mut failures) = cx.collect(targets, &rules);
    if let Some(failure) = failures.pop() {
        let namespace = quoted(&cx.namespace());
        return Err(match failure.is_not_found() {
            true => {
                Failure::Text(format!("error from server (NotFound): {} in namespace {namespace}", failure.message()))
            }
            false => failure,
        });
    }
    let Some(info) = infos.pop() else { return fail("expected a resource") };
    if info.resource.kind == "Pod" {
        return Ok(Some(vec![info]));
    }
    pods_of(cx, &info).map(Some)
}

/// The pod of a workload that is the most interesting, or all of them.
fn pods_of(cx: &mut Cx<'_>, info: &Info) -> Result<Vec<Info>> {
    let mut found = ranked_pods(cx, info)?;
    if cx.is("all-pods") {
        return Ok(found);
    }
    if found.len() > 1 {
        let text = format!("Found {} pods, using pod/{}", found.len(), found[0].name);
        cx.note(&text);
    }
    found.truncate(1);
    Ok(found)
}

/// The pods of a workload, the most interesting first; at least one.
pub(super) fn ranked_pods(cx: &mut Cx<'_>, info: &Info) -> Result<Vec<Info>> {
    let selector = match info.object.at("spec.selector") {
        Some(selector) => describe::selector_text(Some(selector)),
        None => {
            return fail(format!(
                "cannot get the logs from *{}: selector for {} not implemented",
                info.resource.kind, info.resource.kind
            ));
        }
    };
    let pods = cx.resource("pods")?;
    let list = cx.list(&Url::of(&pods, &info.namespace, "", "").with("labelSelector", &selector), JSON)?;
    let mut found = items(&list, &pods);
    if found.is_empty() {
        return fail("timed out waiting for the condition");
    }
    order::by(&mut found, &mut |a, b| interest(&a.object).cmp(&interest(&b.object)));
    Ok(found)
}

/// Lower for pods with more to tell: those with a node before others, running before waiting ones, ready before not,
/// long ready before lately ready, often restarted before others, old before young (`ByLogging`).
fn interest(pod: &Value) -> impl Ord + use<> {
    let text = |path: &'static str| pod.str_at(path).unwrap_or_default().to_owned();
    let phase = match pod.str_at("status.phase") {
        Some("Pending") => 2,
        Some("Unknown") => 1,
        _ => 0,
    };
    let is_ready = |it: &&Value| it.str_at("type") == Some("Ready") && it.str_at("status") == Some("True");
    let ready = pod.list_at("status.conditions").iter().find(is_ready);
    let since = ready.and_then(|it| it.str_at("lastTransitionTime")).unwrap_or_default().to_owned();
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let sidecars: Vec<&str> = sidecars.filter_map(|it| it.str_at("name")).collect();
    let most = |path: &'static str, counts: &dyn Fn(&Value) -> bool| {
        let statuses = pod.list_at(path).iter().filter(|it| counts(it));
        statuses.filter_map(|it| it.i64_at("restartCount")).max().unwrap_or(0)
    };
    let restarts = most("status.containerStatuses", &|_| true);
    let of_sidecars =
        most("status.initContainerStatuses", &|it| it.str_at("name").is_some_and(|it| sidecars.contains(&it)));
    let state = (text("spec.nodeName").is_empty(), phase, ready.is_none(), since);
    (state, Reverse(restarts), Reverse(of_sidecars), text("metadata.creationTimestamp"))
}

/// The containers of a pod whose logs are shown.
pub(super) fn containers(cx: &mut Cx<'_>, pod: &Info, wanted: &str) -> Result<Vec<String>> {
    let names = |path: &'static str| -> Vec<String> {
        pod.object.list_at(path).iter().filter_map(|it| it.str_at("name")).map(str::to_owned).collect()
    };
    let (main, init) = (names("spec.containers"), names("spec.initContainers"));
    let ephemeral = names("spec.ephemeralContainers");
    let all: Vec<String> = [&main, &init, &ephemeral].into_iter().flatten().cloned().collect();
    if cx.is("all-containers") {
        return Ok([init, main, ephemeral].concat());
    }
    let text = || {
        let mut parts = main.clone();
        parts.extend(init.iter().map(|it| format!("{it} (init)")));
        parts.extend(ephemeral.iter().map(|it| format!("{it} (ephem)")));
        parts.join(", ")
    };
    let default = strings(&pod.object, "annotations");
    let default = default.get("kubectl.kubernetes.io/default-container").and_then(Value::as_str).unwrap_or_default();
    let mut chosen = wanted.to_owned();
    if chosen.is_empty() && !default.is_empty() {
        match all.iter().any(|it| it == default) {
            true => chosen = default.to_owned(),
            false => cx.note(&format!("Default container name {} not found in pod {}", quoted(default), pod.name)),
        }
    }
    if chosen.is_empty() {
        chosen = main.first().cloned().unwrap_or_default();
        if all.len() > 1 && !cx.is("all-pods") {
            cx.note(&format!("Defaulted container {} out of: {}", quoted(&chosen), text()));
        }
    }
    if !all.contains(&chosen) {
        return fail(format!("container {chosen} is not valid for pod {} out of: {}", pod.name, text()));
    }
    Ok(vec![chosen])
}

fn log(cx: &Cx<'_>, pod: &Info, container: &str) -> Log {
    let flags = cx.flags();
    let truth = |flag: &str| if flags.is(flag) { "true" } else { "" };
    let since = flags.seconds("since", 0);
    let tail = match flags.changed("selector") && !flags.changed("tail") {
        true => SELECTOR_TAIL,
        false if flags.int("tail", -1) == -1 => "",
        false => flags.text("tail"),
    };
    let url = Url::of(&pod.resource, &pod.namespace, &pod.name, "log")
        .with("container", container)
        .with("follow", truth("follow"))
        .with("previous", truth("previous"))
        .with("timestamps", truth("timestamps"))
        .with("sinceSeconds", &if since > 0 { since.to_string() } else { String::new() })
        .with("sinceTime", flags.text("since-time"))
        .with("tailLines", tail)
        .with("limitBytes", flags.text("limit-bytes"));
    let with_prefix = flags.is("prefix") || flags.is("all-pods");
    let prefix = if with_prefix { format!("[pod/{}/{container}] ", pod.name) } else { String::new() };
    Log { url, prefix, stream: None, rest: Vec::new(), done: false }
}

impl Log {
    fn open(&mut self, cx: &mut Cx<'_>) -> Result<()> {
        match cx.open(&self.url, "application/json, */*")? {
            Ok(stream) => self.stream = Some(stream),
            Err(bytes) => {
                self.print(cx, &bytes);
                self.end(cx);
            }
        }
        Ok(())
    }

    fn print(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let n_whole = self.rest.iter().rposition(|&it| it == b'\n').map_or(0, |it| it + 1);
        let whole: Vec<u8> = self.rest.drain(..n_whole).collect();
        for line in String::from_utf8_lossy(&whole).split_inclusive('\n') {
            cx.out(&format!("{}{line}", self.prefix));
        }
    }

    fn end(&mut self, cx: &mut Cx<'_>) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            let text = format!("{}{}", self.prefix, String::from_utf8_lossy(&rest));
            cx.out(&text);
        }
        self.done = true;
    }
}

struct Following {
    logs: Vec<Log>,
}

impl Wait for Following {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        for log in &mut self.logs {
            while let (Some(stream), false) = (log.stream, log.done) {
                match cx.client.read(stream) {
                    Some(bytes) if bytes.is_empty() => break,
                    Some(bytes) => log.print(cx, &bytes),
                    None => log.end(cx),
                }
            }
        }
        Ok(if self.logs.iter().all(|it| it.done) { Flow::Done } else { Flow::Waiting })
    }
}

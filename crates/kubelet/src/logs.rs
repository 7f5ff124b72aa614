//! The log of a container: a function of the pod as it is stored and of the time, so that it outlives every restart.

use kinds::POD;
use meta::{Key, Object, Status};
use runtime::View;
use sim::{Duration, Instant};
use value::{Str, Value, time};

use crate::behavior;
use crate::client::{Client, Programs};
use crate::environment::{surroundings, with_files};
use crate::shell::{self, LogLine};

/// Which lines are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogOptions {
    /// Empty: the only container.
    pub container: Str,
    pub previous: bool,
    pub tail: Option<usize>,
    pub since: Option<Instant>,
}

/// When a container ran, and until when if it has ended.
#[derive(Clone, Copy)]
struct Span {
    since: Instant,
    until: Option<Instant>,
}

/// The lines that a container has printed until now, or why there are none in the API's words.
///
/// # Errors
/// 404 without such a pod, 400 for a container that is not there or has not started.
pub fn log(view: &View<'_>, key: &Key, options: &LogOptions, client: Client) -> Result<Vec<LogLine>, Status> {
    let pod = view.get(POD, key).ok_or_else(|| Status::not_found("", "pods", &key.name))?;
    let container = container(pod, &options.container)?;
    if pod.str_at("spec.nodeName").unwrap_or("").is_empty() {
        return Ok(Vec::new());
    }
    let Some(span) = span(pod, container, options.previous)? else { return Ok(Vec::new()) };
    let mut lines = printed(view, pod, container, span, client);
    if let Some(after) = options.since {
        lines.retain(|it| it.at >= after);
    }
    let skip = options.tail.map_or(0, |it| lines.len().saturating_sub(it));
    Ok(lines.split_off(skip))
}

/// Whether a container is running, so that its log may go on.
pub fn is_running(view: &View<'_>, key: &Key, name: &str) -> bool {
    running(view, key, name).is_some()
}

/// When a running container prints its next line or does something before that.
pub fn next_line(view: &View<'_>, key: &Key, name: &str, client: Client) -> Option<Instant> {
    let (pod, container, since) = running(view, key, name)?;
    let program = program(view, pod, container)?;
    let programs = Programs::of(view, pod, container, client);
    let run = |name: &str, arguments: &[&str]| programs.run(name, arguments);
    shell::run(&program, &with_files(view, pod, container), since, view.now, Some(&run)).next
}

pub(crate) fn running<'a>(view: &View<'a>, key: &Key, name: &str) -> Option<(&'a Object, &'a Value, Instant)> {
    let pod = view.get(POD, key)?;
    let container = container(pod, name).ok()?;
    let span = span(pod, container, false).ok()??;
    span.until.is_none().then_some((&**pod, container, span.since))
}

/// The container of this name, or the only one there is (`validateLogRequest` of the API server).
fn container<'a>(pod: &'a Object, name: &str) -> Result<&'a Value, Status> {
    let lists = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];
    let main = pod.list_at(lists[0]);
    if name.is_empty() {
        return match main {
            [only] => Ok(only),
            _ => Err(Status::bad_request(choose(pod, main))),
        };
    }
    let found = lists.iter().flat_map(|it| pod.list_at(it)).find(|it| it.str_at("name") == Some(name));
    found.ok_or_else(|| Status::bad_request(format!("container {name} is not valid for pod {}", pod.name())))
}

fn choose(pod: &Object, main: &[Value]) -> String {
    let names = |list: &[Value]| list.iter().filter_map(|it| it.str_at("name")).collect::<Vec<_>>().join(" ");
    let mut message =
        format!("a container name must be specified for pod {}, choose one of: [{}]", pod.name(), names(main));
    let init = pod.list_at("spec.initContainers");
    if !init.is_empty() {
        message.push_str(&format!(" or one of the init containers: [{}]", names(init)));
    }
    message
}

/// When the wanted run of a container was, as its status tells; `None` for a pod that no kubelet has reported on.
fn span(pod: &Object, container: &Value, previous: bool) -> Result<Option<Span>, Status> {
    let name = container.str_at("name").unwrap_or("");
    let lists = ["status.containerStatuses", "status.initContainerStatuses", "status.ephemeralContainerStatuses"];
    let status = lists.iter().flat_map(|it| pod.list_at(it)).find(|it| it.str_at("name") == Some(name));
    let ended = |state: &'static str| {
        let end = status?.at(state)?;
        let at = |key: &'static str| end.str_at(key).and_then(time::parse_nanos).map(Instant::from_nanos);
        Some(Span { since: at("startedAt")?, until: Some(at("finishedAt")?) })
    };
    if previous {
        let message = || format!("previous terminated container \"{name}\" in pod \"{}\" not found", pod.name());
        return ended("lastState.terminated").map(Some).ok_or_else(|| Status::bad_request(message()));
    }
    let Some(status) = status else { return Ok(None) };
    if let Some(since) = status.str_at("state.running.startedAt").and_then(time::parse_nanos) {
        return Ok(Some(Span { since: Instant::from_nanos(since), until: None }));
    }
    if let Some(span) = ended("state.terminated").or_else(|| ended("lastState.terminated")) {
        return Ok(Some(span));
    }
    let why = match status.str_at("state.waiting.reason").unwrap_or("ContainerCreating") {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        reason => reason,
    };
    Err(Status::bad_request(format!("container \"{name}\" in pod \"{}\" is waiting to start: {why}", pod.name())))
}

fn printed(view: &View<'_>, pod: &Object, container: &Value, span: Span, client: Client) -> Vec<LogLine> {
    let behavior = behavior::of(view, pod, container, false);
    let until = span.until.unwrap_or(view.now);
    let mut lines: Vec<LogLine> = behavior.log.iter().map(|it| LogLine { at: span.since, text: it.clone() }).collect();
    if lines.is_empty()
        && let Some(program) = program(view, pod, container)
    {
        // Times in a status are cut to seconds: what ended within one did so before the next.
        let until = if span.until.is_some() { until + Duration::from_millis(999) } else { until };
        let programs = Programs::of(view, pod, container, client);
        let run = |name: &str, arguments: &[&str]| programs.run(name, arguments);
        lines = shell::run(&program, &with_files(view, pod, container), span.since, until, Some(&run)).lines;
    }
    lines
}

/// Whether variables may stand in a word of a command line.
pub(crate) fn has_variables(word: &str) -> bool {
    word.contains("$(")
}

/// What the container runs, if it is understood.
pub(crate) fn program(view: &View<'_>, pod: &Object, container: &Value) -> Option<shell::Program> {
    let words = container.list_at("command").iter().chain(container.list_at("args")).filter_map(Value::as_str);
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    if words.iter().any(|it| has_variables(it)) {
        let variables = surroundings(view, pod, container).variables;
        for word in &mut words {
            for (name, value) in &variables {
                *word = word.replace(&format!("$({name})"), value);
            }
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    shell::program(&words)
}

//! CPU and memory that change while containers run (`handlePodResourcesResize`).

use meta::Object;
use runtime::resources::{Resources, pod_requests};
use sim::{Duration, Instant};
use value::{Str, Value, json, map};

use crate::admission;
use crate::events::Events;
use crate::life::{Container, Life, Next};
use crate::outside::{Outside, spec_of};
use crate::probes::Why;

/// The condition of a pod whose wishes cannot be met now.
pub(crate) const PENDING: &str = "PodResizePending";
/// A machine on which there was no room is looked at again after this long, or when a pod of it comes, goes or asks for
/// something else (`retryDelay`).
const AGAIN: Duration = Duration::from_secs(180);

/// A change for which there is no room.
#[derive(Clone, Debug)]
pub(crate) struct Deferred {
    pub message: Str,
    /// When there may be.
    pub at: Instant,
}

/// The change that a pod waits for, as its status tells.
pub(crate) fn deferred(pod: &Object, now: Instant) -> Option<Box<Deferred>> {
    let condition = pod.condition(PENDING)?;
    let message = condition.get("message").and_then(Value::as_shared_str).cloned().unwrap_or_default();
    Some(Box::new(Deferred { message, at: now }))
}

/// What a container's status says of resources: what it has been given, and of that what was asked for. `before`: its
/// status so far.
pub(crate) fn given(life: &Life, container: &Container, before: Option<&Value>) -> [Option<Value>; 2] {
    if !container.was_started() {
        return [None, None];
    }
    if let Some(before) = before.filter(|_| life.deferred.is_some()) {
        return ["resources", "allocatedResources"].map(|it| before.get(it).cloned());
    }
    let resources = spec_of(&life.pod, container).and_then(|it| it.at("resources"));
    let asked = resources.and_then(|it| it.at("requests")).cloned();
    [Some(resources.cloned().unwrap_or_else(Value::map)), asked]
}

/// What a pod has been given: what it asks for, or what it had before where that waits (`UpdatePodFromAllocation`).
pub(crate) fn allocated(pod: &Object) -> Resources {
    let Some(spec) = pod.at("spec") else { return Resources::default() };
    if !pod.list_at("status.conditions").iter().any(|it| it.str_at("type") == Some(PENDING)) {
        return pod_requests(spec);
    }
    let before = |container: &Value| -> Value {
        let had =
            container.str_at("name").and_then(|it| status_of(pod, it)).and_then(|it| it.get("allocatedResources"));
        match had {
            Some(had) => container.clone().with("resources", map!({ "requests": had })),
            None => container.clone(),
        }
    };
    let lists = ["containers", "initContainers"].map(|key| (key, spec.list_at(key).iter().map(before).collect()));
    pod_requests(&lists.into_iter().fold(spec.clone(), |spec, (key, list): (_, Vec<Value>)| spec.with(key, list)))
}

/// What a pod's status says of a container.
pub(crate) fn status_of<'a>(pod: &'a Object, name: &str) -> Option<&'a Value> {
    let lists = ["status.containerStatuses", "status.initContainerStatuses"];
    lists.into_iter().flat_map(|it| pod.list_at(it)).find(|it| it.str_at("name") == Some(name))
}

/// Takes in what the pod's spec says of resources now.
pub(crate) fn take_in(life: &mut Life, now: Instant, outside: &Outside<'_>, events: &mut Events) {
    let pod = outside.pod;
    let is_new = pod.i64_at("status.observedGeneration").is_some_and(|it| it != pod.meta.generation);
    if (!is_new && life.deferred.is_none()) || life.stopping || life.rejected {
        return;
    }
    let changed: Vec<usize> = (0..life.containers.len()).filter(|idx| is_changed(life, *idx, pod).is_some()).collect();
    if changed.is_empty() {
        life.deferred = None;
        return;
    }
    if let Some((reason, message)) = admission::insufficiency(&outside.view, pod) {
        if is_new {
            let text = summary(pod, &message);
            events.pod("Warning", "ResizeDeferred", format!("Pod resize {reason}: {text}"));
        }
        life.deferred = Some(Box::new(Deferred { message: message.into(), at: now + AGAIN }));
        return;
    }
    life.deferred = None;
    let text = summary(pod, "");
    events.pod("Normal", "ResizeStarted", format!("Pod resize started: {text}"));
    for idx in changed {
        let restarts = is_changed(life, idx, pod) == Some(true);
        let container = &mut life.containers[idx];
        if restarts && container.is_running() && container.next != Next::Killed {
            container.prospects.killed = Some(Box::new((now, Why::Resized)));
            container.plan(Next::Kill, now);
        }
    }
    events.pod("Normal", "ResizeCompleted", format!("Pod resize completed: {text}"));
}

/// Whether a container is to have other resources than it has, and whether it has to be restarted for them.
fn is_changed(life: &Life, idx: usize, pod: &Object) -> Option<bool> {
    let container = life.containers.get(idx).filter(|it| it.is_running())?;
    let spec = spec_of(pod, container)?;
    let has = status_of(pod, &container.name)?.get("resources")?;
    let wanted = spec.get("resources")?;
    let differs = |resource: &str| {
        ["requests", "limits"].iter().any(|it| {
            let of = |it: Option<&Value>| it.and_then(|it| it.get(resource)).cloned();
            of(has.get(it)) != of(wanted.get(it))
        })
    };
    let changed: Vec<&str> = ["cpu", "memory"].into_iter().filter(|it| differs(it)).collect();
    let restarts = |resource: &&str| {
        spec.list_at("resizePolicy").iter().any(|it| {
            it.str_at("resourceName") == Some(resource) && it.str_at("restartPolicy") == Some("RestartContainer")
        })
    };
    (!changed.is_empty()).then(|| changed.iter().any(restarts))
}

/// What an event says of all containers (`makeResourceSummaryFromSpec`).
fn summary(pod: &Object, error: &str) -> String {
    let list = |path: &'static str| -> Vec<Value> {
        let one = |it: &Value| {
            let resources = it.get("resources").cloned().unwrap_or_else(Value::map);
            map!({ "name": it.get("name").cloned().unwrap_or_default(), "resources": resources }).into()
        };
        pod.list_at(path).iter().map(one).collect()
    };
    let (init, main) = (list("spec.initContainers"), list("spec.containers"));
    let mut parts = Vec::new();
    for (key, list) in [("initContainers", init), ("containers", main)] {
        if !list.is_empty() {
            parts.push(format!("\"{key}\":{}", json::to_string(&list.into())));
        }
    }
    parts.push(format!("\"generation\":{}", pod.meta.generation));
    if !error.is_empty() {
        parts.push(format!("\"error\":{}", json::to_string(&error.into())));
    }
    format!("{{{}}}", parts.join(","))
}

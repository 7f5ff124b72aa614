//! What containers use of CPU and memory, as far as anybody declared it: no process runs that could be measured.

use std::sync::Arc;

use kinds::{IMAGE_BEHAVIOR, POD};
use meta::{Key, Object, OwnerRef};
use sim::{Instant, Rng};
use value::quantity::Quantity;
use value::{Str, Value};

use crate::View;

/// How often the simulated metrics server looks, in seconds.
pub const RESOLUTION: u64 = 15;
/// Annotation prefix; on a pod `CONTAINER.usage.cpu`, on whoever owns the pods `load.cpu`.
const ANNOTATION: &str = "sim.drydock.dev/";
/// What a container that asks for nothing uses: thousandths of a core and bytes.
const SMALL: (i64, i64) = (1, 8 << 20);

/// What one container uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    pub container: Str,
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

/// When the metrics server last looked.
pub fn measured_at(now: Instant) -> Instant {
    Instant::from_secs(u64::try_from(now.secs()).unwrap_or(0) / RESOLUTION * RESOLUTION)
}

/// What the containers of a pod used when last measured; `None` for a pod that did not run yet.
///
/// A load on the workload that owns the pod is shared by its pods; else each container uses what its image or an annotation
/// declares, or a part of what it requests.
pub fn of_pod(view: &View<'_>, pod: &Object) -> Option<Vec<Usage>> {
    let started = pod.str_at("status.startTime").and_then(value::time::parse_secs)?;
    if pod.str_at("status.phase") != Some("Running") || started >= measured_at(view.now).secs() {
        return None;
    }
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    let mut all: Vec<Usage> =
        pod.list_at("spec.containers").iter().chain(sidecars).map(|it| of_container(view, pod, it)).collect();
    let (cpu, memory) = shares(view, pod);
    if let Some(first) = all.first_mut() {
        first.cpu = cpu.unwrap_or(first.cpu);
        first.memory = memory.unwrap_or(first.memory);
    }
    Some(all)
}

fn of_container(view: &View<'_>, pod: &Object, container: &Value) -> Usage {
    let name = container.get("name").and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let declared = declared(view, container.str_at("image").unwrap_or(""));
    let amount = |resource: &str, small: i64, part: i64, read: fn(&Quantity) -> i64| {
        let annotated = pod.meta.annotation(&format!("{ANNOTATION}{name}.usage.{resource}"));
        let text = annotated.or_else(|| declared?.map_at("spec.usage")?.get(resource)?.as_str());
        if let Some(amount) = text.and_then(|it| Quantity::parse(it).ok()) {
            return read(&amount);
        }
        let request = container.map_at("resources.requests").and_then(|it| it.get(resource)?.as_str());
        let request = request.and_then(|it| Quantity::parse(it).ok()).map_or(0, |it| read(&it));
        // No two pods are quite alike.
        let percent = 90 + Rng::stream(0, &format!("{}{resource}", pod.meta.uid)).below(21) as i64;
        (request / part).max(small).saturating_mul(percent) / 100
    };
    Usage {
        cpu: amount("cpu", SMALL.0, 10, Quantity::milli_value).max(1),
        memory: amount("memory", SMALL.1, 2, Quantity::value),
        container: name,
    }
}

/// The most specific ImageBehavior for an image.
fn declared<'a>(view: &View<'a>, image: &str) -> Option<&'a Arc<Object>> {
    let pattern = |it: &Object| it.str_at("spec.image").unwrap_or("").to_owned();
    let matching = view.list(IMAGE_BEHAVIOR, None).filter(|it| glob(&pattern(it), image));
    matching.max_by_key(|it| (pattern(it).len(), it.meta.name.clone()))
}

/// Whether a text is what a pattern says, in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    (0..=text.len()).filter(|it| text.is_char_boundary(*it)).any(|it| glob(rest, &text[it..]))
}

/// The pod's share of the load on the workload that owns it.
fn shares(view: &View<'_>, pod: &Object) -> (Option<i64>, Option<i64>) {
    let mut owner = pod.meta.controller().and_then(|it| get(view, pod.namespace(), it));
    while let Some(it) = owner {
        let load = |resource: &str| {
            it.meta.annotation(&format!("{ANNOTATION}load.{resource}")).and_then(|it| Quantity::parse(it).ok())
        };
        let (cpu, memory) = (load("cpu"), load("memory"));
        if cpu.is_some() || memory.is_some() {
            let n_pods = n_running(view, &it.meta.uid).max(1);
            return (cpu.map(|it| it.milli_value() / n_pods), memory.map(|it| it.value() / n_pods));
        }
        owner = it.meta.controller().and_then(|above| get(view, pod.namespace(), above));
    }
    (None, None)
}

fn get<'a>(view: &View<'a>, namespace: &str, owner: &OwnerRef) -> Option<&'a Arc<Object>> {
    let kind = view.kind_of(&owner.api_version, &owner.kind)?.id;
    view.get(kind, &Key::new(namespace, &owner.name)).filter(|it| it.meta.uid == owner.uid)
}

/// Pods that run below an owner, directly or through others.
fn n_running(view: &View<'_>, uid: &str) -> i64 {
    let mut count = 0;
    for (kind, key) in view.dependents(uid) {
        let Some(it) = view.get(kind, &key) else { continue };
        count += match kind {
            POD => i64::from(it.str_at("status.phase") == Some("Running") && !it.meta.is_deleted()),
            _ => n_running(view, &it.meta.uid),
        };
    }
    count
}

//! What kubelets say that they can do, and what pods need of it (`component-helpers/nodedeclaredfeatures`).

use meta::{Object, maps_equal};
use value::{Map, Value};

use crate::pod_template::fields::{child_or_empty, list, maps, text};
use crate::workload::spec;

const POD_RESIZE: &str = "InPlacePodLevelResourcesVerticalScaling";
const INIT_RESIZE: &str = "InPlacePodVerticalScalingInitContainers";
const RESTART_ALL: &str = "RestartAllContainersOnContainerExits";

/// What a kubelet of this version says of itself.
pub const ALL: [&str; 4] = ["ExtendWebSocketsToKubelet", POD_RESIZE, INIT_RESIZE, RESTART_ALL];

/// What a node must be able to do for a pod to run there.
pub fn to_run(pod: &Object) -> Vec<&'static str> {
    let restarts_all = |key: &str| {
        maps(spec(pod), key).any(|(_, it)| {
            maps(it, "restartPolicyRules").any(|(_, rule)| text(rule, "action") == "RestartAllContainers")
        })
    };
    let needed = restarts_all("containers") || restarts_all("initContainers");
    needed.then_some(RESTART_ALL).into_iter().collect()
}

/// What its node must be able to do for a change of a pod.
pub fn to_change(new: &Object, old: &Object) -> Vec<&'static str> {
    let differ = |new: &Map, old: &Map| !maps_equal(child_or_empty(new, "resources"), child_or_empty(old, "resources"));
    let init = maps(spec(new), "initContainers").zip(maps(spec(old), "initContainers"));
    let of_init = init
        .map(|((_, new), (_, old))| (new, old))
        .any(|(new, old)| text(old, "restartPolicy") != "Always" && differ(new, old));
    let pod = differ(spec(new), spec(old)).then_some(POD_RESIZE);
    pod.into_iter().chain(of_init.then_some(INIT_RESIZE)).collect()
}

/// What of `needed` a node does not say that it can do.
pub fn missing(node: &Object, needed: &[&'static str]) -> Vec<&'static str> {
    let declared = list(node.map_at("status").unwrap_or(&Map::new()), "declaredFeatures").to_vec();
    needed.iter().copied().filter(|it| !declared.iter().any(|have| Value::as_str(have) == Some(it))).collect()
}

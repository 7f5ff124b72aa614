//! What kubelets say that they can do, and what pods need of it (`component-helpers/nodedeclaredfeatures`).

use meta::{Errors, Object, quoted};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, list, maps, text, texts};
use crate::workload::spec;

const POD_RESIZE: &str = "InPlacePodLevelResourcesVerticalScaling";
const INIT_RESIZE: &str = "InPlacePodVerticalScalingInitContainers";
const RESTART_ALL: &str = "RestartAllContainersOnContainerExits";

/// What a kubelet of this version says of itself.
pub const ALL: [&str; 4] = ["ExtendWebSocketsToKubelet", POD_RESIZE, INIT_RESIZE, RESTART_ALL];

/// `validateNodeDeclaredFeatures`
pub(crate) fn check(node: &Object, errors: &mut Errors) {
    const LEN_MAX: usize = 253;
    const FORM: &str = "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
    let empty = Map::new();
    let path = Path::root("status.declaredFeatures");
    let mut before: Option<&str> = None;
    for (idx, name) in texts(node.map_at("status").unwrap_or(&empty), "declaredFeatures") {
        let path = path.index(idx);
        match before {
            Some(it) if it == name => path.duplicate(errors, name),
            Some(it) if it > name => path.invalid(errors, name, "list must be sorted alphabetically"),
            _ => (),
        }
        before = Some(name);
        let is_segment = |it: &str| {
            it.starts_with(|it: char| it.is_ascii_alphabetic()) && it.chars().all(|it| it.is_ascii_alphanumeric())
        };
        let what = format!("invalid feature name {}", quoted(name));
        if name.len() > LEN_MAX {
            path.invalid(errors, name, &format!("{what}: must be no more than {LEN_MAX} characters"));
        } else if !name.starts_with(|it: char| it.is_ascii_uppercase()) || !name.split('/').all(is_segment) {
            path.invalid(errors, name, &format!("{what}: {FORM}"));
        }
    }
}

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
    let differ = |new: &Map, old: &Map| child_or_empty(new, "resources") != child_or_empty(old, "resources");
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

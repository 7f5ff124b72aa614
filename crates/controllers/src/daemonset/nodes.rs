//! On which nodes a DaemonSet's pods should run, and why not on the others.

use std::sync::Arc;

use meta::Object;
use meta::selector::{Operator, Requirement};
use runtime::placement::{self, Mismatch, NodeAffinity, Toleration};
use value::{Str, Value};

/// What of the pod template decides about nodes, parsed once a sync.
pub(crate) struct Template {
    node_name: Option<Str>,
    affinity: NodeAffinity,
    tolerations: Vec<Toleration>,
}

/// Whether a node should run the set's pod, and in words why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub node: Str,
    /// A pod should be created here if there is none.
    pub should_run: bool,
    /// A pod that is here may stay.
    pub should_continue: bool,
    /// A machine-readable reason, such as `UntoleratedTaint`; `Eligible` where it should run.
    pub reason: &'static str,
    pub message: String,
    /// The field of the template that decides, such as `spec.template.spec.nodeSelector`; empty where it runs.
    pub field: &'static str,
}

/// Tolerations that every daemon pod gets (`AddOrUpdateDaemonPodTolerations`): key and effect.
const AUTOMATIC: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// The one that only pods on the host's network get.
const HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// The template's tolerations and the automatic ones, as a daemon pod has them.
pub(crate) fn tolerations(spec: &Value) -> Vec<Value> {
    let mut list = spec.list_at("tolerations").to_vec();
    let host_network = spec.bool_at("hostNetwork") == Some(true);
    for (key, effect) in AUTOMATIC.into_iter().chain(host_network.then_some(HOST_NETWORK)) {
        let toleration = value::value!({ "effect": effect, "key": key, "operator": "Exists" });
        // `AddOrUpdateTolerationInPodSpec`: one with the same key, operator, value and effect is replaced.
        let same = |it: &Value| {
            let parsed = Toleration::from_value(it);
            parsed.key == key && parsed.effect == effect && parsed.operator == "Exists" && parsed.value.is_empty()
        };
        match list.iter_mut().find(|it| same(it)) {
            Some(it) => *it = toleration,
            None => list.push(toleration),
        }
    }
    list
}

impl Template {
    pub fn of(set: &Object) -> Template {
        let empty = Value::map();
        let spec = set.at("spec.template.spec").unwrap_or(&empty);
        Template {
            node_name: spec.get("nodeName").and_then(Value::as_shared_str).filter(|it| !it.is_empty()).cloned(),
            affinity: NodeAffinity::from_spec(spec),
            tolerations: tolerations(spec).iter().map(Toleration::from_value).collect(),
        }
    }

    /// `NodeShouldRunDaemonPod`: whether a pod should run on the node, and whether one that is there may stay.
    pub fn should_run(&self, node: &Object) -> (bool, bool) {
        if self.node_name.as_ref().is_some_and(|it| it != node.name()) || !self.affinity.matches(node) {
            return (false, false);
        }
        let taints = placement::taints(node);
        if placement::untolerated(&taints, &self.tolerations, &["NoSchedule", "NoExecute"]).is_none() {
            return (true, true);
        }
        (false, placement::untolerated(&taints, &self.tolerations, &["NoExecute"]).is_none())
    }

    fn verdict(&self, node: &Object) -> Verdict {
        let (should_run, should_continue) = self.should_run(node);
        let (reason, message, field) = self.why(node, should_continue);
        Verdict { node: node.meta.name.clone(), should_run, should_continue, reason, message, field }
    }

    fn why(&self, node: &Object, should_continue: bool) -> (&'static str, String, &'static str) {
        if let Some(name) = self.node_name.as_ref().filter(|it| *it != node.name()) {
            return ("NodeNameMismatch", format!("the template names the node {name}"), "spec.template.spec.nodeName");
        }
        match self.affinity.mismatch(node) {
            Some(Mismatch::Selector { key, value }) => {
                let message = match node.meta.label(key) {
                    Some(have) => format!("label {key} is {have}, not {value}"),
                    None => format!("label {key}={value} is missing"),
                };
                return ("NodeSelectorMismatch", message, "spec.template.spec.nodeSelector");
            }
            Some(Mismatch::Affinity(requirement)) => {
                let message = requirement.map_or_else(
                    || "the required node affinity has no term that can match".to_owned(),
                    |it| unmet(it, node),
                );
                return ("NodeAffinityMismatch", message, "spec.template.spec.affinity.nodeAffinity");
            }
            None => (),
        }
        let taints = placement::taints(node);
        match placement::untolerated(&taints, &self.tolerations, &["NoSchedule", "NoExecute"]) {
            Some(taint) => {
                let stays = if should_continue { "; a pod that is already here stays" } else { "" };
                ("UntoleratedTaint", format!("taint {taint} is not tolerated{stays}"), "spec.template.spec.tolerations")
            }
            None => ("Eligible", "nothing in the template keeps its pod from this node".to_owned(), ""),
        }
    }
}

fn unmet(it: &Requirement, node: &Object) -> String {
    let values = it.values.iter().map(|it| &**it).collect::<Vec<_>>().join(", ");
    let (what, have) = match &*it.key {
        "metadata.name" => ("field metadata.name".to_owned(), Some(node.name())),
        key => (format!("label {key}"), node.meta.label(key)),
    };
    match (it.operator, have) {
        (Operator::Exists | Operator::In | Operator::Gt | Operator::Lt, None) => format!("{what} is missing"),
        (Operator::In, Some(have)) => format!("{what} is {have}, not in ({values})"),
        (Operator::NotIn, Some(have)) => format!("{what} is {have}, which the affinity excludes"),
        (Operator::DoesNotExist, Some(_)) => format!("{what} is there and must not be"),
        (Operator::Gt, Some(have)) => format!("{what} is {have}, not greater than {values}"),
        (Operator::Lt, Some(have)) => format!("{what} is {have}, not less than {values}"),
        _ => format!("{what} does not match"),
    }
}

/// Every node's verdict on a DaemonSet, in the order given.
pub fn verdicts<'a>(set: &Object, nodes: impl Iterator<Item = &'a Arc<Object>>) -> Vec<Verdict> {
    let template = Template::of(set);
    nodes.map(|it| template.verdict(it)).collect()
}

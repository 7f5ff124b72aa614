//! Cordoned nodes take only pods that tolerate it.

use runtime::placement::Taint;

use super::{Cycle, Plugin, Verdict, one};
use crate::cache::NodeInfo;

pub(super) const PLUGIN: Plugin = Plugin { name: "NodeUnschedulable", filter: Some(filter), ..Plugin::DEFAULT };

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if !node.unschedulable {
        return Verdict::Fits;
    }
    let taint = Taint { key: "node.kubernetes.io/unschedulable".into(), value: "".into(), effect: "NoSchedule".into() };
    if cycle.pod.needs.tolerations.iter().any(|it| it.tolerates(&taint)) {
        return Verdict::Fits;
    }
    Verdict::Unresolvable(one("node(s) were unschedulable"))
}

//! The quality of service class of a pod (`pkg/apis/core/helper/qos`).

use std::collections::BTreeMap;

use value::Map;
use value::quantity::Quantity;

use crate::pod_template::fields::{child, child_or_empty, maps};
use crate::pod_template::resources::amounts;

type Sums<'a> = BTreeMap<&'a str, Quantity>;

/// Adds what is more than nothing of CPU and memory; answers how many of the two there were.
fn add<'a>(sums: &mut Sums<'a>, list: &'a Map) -> usize {
    let mut n = 0;
    for (name, amount) in amounts(list) {
        if matches!(name, "cpu" | "memory") && !amount.is_zero() && !amount.is_negative() {
            n += 1;
            let sum = sums.get(name).map_or(amount, |it| it.saturating_add(amount));
            sums.insert(name, sum);
        }
    }
    n
}

/// `Guaranteed`, `Burstable` or `BestEffort` of a pod's spec (`ComputePodQOS`).
pub fn class(spec: &Map) -> &'static str {
    let (mut requests, mut limits) = (Sums::new(), Sums::new());
    let mut guaranteed = true;
    if let Some(of_pod) = child(spec, "resources") {
        add(&mut requests, child_or_empty(of_pod, "requests"));
        let listed = child_or_empty(of_pod, "limits");
        guaranteed = add(&mut limits, listed) == 2 || listed.is_empty();
    } else {
        for (_, container) in maps(spec, "containers").chain(maps(spec, "initContainers")) {
            let resources = child_or_empty(container, "resources");
            add(&mut requests, child_or_empty(resources, "requests"));
            guaranteed &= add(&mut limits, child_or_empty(resources, "limits")) == 2;
        }
    }
    if requests.is_empty() && limits.is_empty() {
        return "BestEffort";
    }
    let equal = requests.iter().all(|(name, amount)| limits.get(name) == Some(amount));
    if guaranteed && equal && requests.len() == limits.len() { "Guaranteed" } else { "Burstable" }
}

//! The quality of service class of a pod (`pkg/apis/core/helper/qos`).

use value::Map;
use value::quantity::Quantity;

use crate::pod_template::fields::{child, child_or_empty, maps};
use crate::pod_template::resources::amounts;

/// What there is of CPU and memory, if anything.
type Sums = [Option<Quantity>; 2];

/// Adds what is more than nothing of CPU and memory; answers how many of the two there were.
fn add([cpu, memory]: &mut Sums, list: &Map) -> usize {
    let mut n = 0;
    for (name, amount) in amounts(list) {
        let sum = match name {
            "cpu" => &mut *cpu,
            "memory" => &mut *memory,
            _ => continue,
        };
        if !amount.is_zero() && !amount.is_negative() {
            n += 1;
            *sum = Some(sum.map_or(amount, |it| it.saturating_add(amount)));
        }
    }
    n
}

/// `Guaranteed`, `Burstable` or `BestEffort` of a pod's spec (`ComputePodQOS`).
pub fn class(spec: &Map) -> &'static str {
    let (mut requests, mut limits) = (Sums::default(), Sums::default());
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
    let is_empty = |it: &Sums| it.iter().all(Option::is_none);
    if is_empty(&requests) && is_empty(&limits) {
        return "BestEffort";
    }
    if guaranteed && requests == limits { "Guaranteed" } else { "Burstable" }
}

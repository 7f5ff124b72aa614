//! Amounts of resources: CPU in thousandths, everything else in base units.

use std::collections::BTreeMap;

use value::quantity::Quantity;
use value::{Map, Str, Value};

/// What a pod asks for or a node has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resources {
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Extended resources and huge pages.
    pub scalar: BTreeMap<Str, i64>,
}

/// What a container without requests is taken to use where nodes are scored (`DefaultMilliCPURequest`, `DefaultMemoryRequest`).
const DEFAULT_NON_ZERO: (i64, i64) = (100, 200 * 1024 * 1024);

impl Resources {
    /// Of a resource list such as `resources.requests`. A text that is no quantity counts as zero: validation refuses it.
    pub fn from_map(list: &Map) -> Resources {
        let mut res = Resources::default();
        for (name, value) in list.iter() {
            let Some(quantity) = quantity(value) else { continue };
            match name.as_str() {
                "cpu" => res.milli_cpu = quantity.milli_value(),
                "memory" => res.memory = quantity.value(),
                "ephemeral-storage" => res.ephemeral_storage = quantity.value(),
                "pods" => (),
                _ => {
                    res.scalar.insert(name.clone(), quantity.value());
                }
            }
        }
        res
    }

    /// What a pod comes to on a node. Sums wrap as upstream's do, so that what is taken away again leaves what was there.
    pub fn add(&mut self, other: &Resources) {
        self.combine(other, i64::wrapping_add);
    }

    /// What a pod leaves a node with.
    pub fn subtract(&mut self, other: &Resources) {
        self.combine(other, i64::wrapping_sub);
    }

    /// The needs of another container of the same pod as well.
    fn and(&mut self, other: &Resources) {
        self.combine(other, i64::saturating_add);
    }

    /// The larger of both, resource by resource.
    fn max(&mut self, other: &Resources) {
        self.combine(other, i64::max);
    }

    fn combine(&mut self, other: &Resources, with: impl Fn(i64, i64) -> i64) {
        self.milli_cpu = with(self.milli_cpu, other.milli_cpu);
        self.memory = with(self.memory, other.memory);
        self.ephemeral_storage = with(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalar {
            let have = self.scalar.entry(name.clone()).or_default();
            *have = with(*have, *amount);
        }
    }
}

/// The amount in a field of a resource list.
pub fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::Str(text) => Quantity::parse(text).ok(),
        Value::Int(it) => Quantity::parse(&it.to_string()).ok(),
        _ => None,
    }
}

/// A pod's requests: containers and sidecars together, or the largest init container with the sidecars before it,
/// whichever is more; pod-level requests instead where set; and overhead (`component-helpers/resource.PodRequests`).
pub fn pod_requests(spec: &Value) -> Resources {
    requests(spec, &|_, requests| Resources::from_map(requests))
}

/// The same for scores, in which a container without requests counts too (`GetNonZeroRequests`).
pub fn non_zero_requests(spec: &Value) -> (i64, i64) {
    let res = requests(spec, &|_, list| {
        let mut res = Resources::from_map(list);
        if !list.contains_key("cpu") {
            res.milli_cpu = DEFAULT_NON_ZERO.0;
        }
        if !list.contains_key("memory") {
            res.memory = DEFAULT_NON_ZERO.1;
        }
        res
    });
    (res.milli_cpu, res.memory)
}

fn requests(spec: &Value, of: &dyn Fn(&Value, &Map) -> Resources) -> Resources {
    let empty = Map::new();
    let one = |container: &Value| of(container, container.map_at("resources.requests").unwrap_or(&empty));
    let mut total = Resources::default();
    for container in spec.list_at("containers") {
        total.and(&one(container));
    }
    let (mut sidecars, mut init) = (Resources::default(), Resources::default());
    for container in spec.list_at("initContainers") {
        let mut needs = one(container);
        if container.str_at("restartPolicy") == Some("Always") {
            total.and(&needs);
            sidecars.and(&needs);
            needs = sidecars.clone();
        } else {
            needs.and(&sidecars);
        }
        init.max(&needs);
    }
    total.max(&init);
    if let Some(pod_level) = spec.map_at("resources.requests") {
        let level = Resources::from_map(pod_level);
        if pod_level.contains_key("cpu") {
            total.milli_cpu = level.milli_cpu;
        }
        if pod_level.contains_key("memory") {
            total.memory = level.memory;
        }
    }
    if let Some(overhead) = spec.map_at("overhead") {
        total.and(&Resources::from_map(overhead));
    }
    total
}

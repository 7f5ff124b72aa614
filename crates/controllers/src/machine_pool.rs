//! Keeps as many Machines as a MachinePool asks for.

use std::sync::Arc;

use kinds::{MACHINE, MACHINE_POOL};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, Reconciler, Watch};
use value::{Value, map};

use crate::pods::controller_ref;

/// Machines made in one go; the next turn makes more.
const BURST: usize = 1000;

#[derive(Default)]
pub(crate) struct MachinePools;

impl Reconciler for MachinePools {
    fn name(&self) -> &'static str {
        "machinepool"
    }

    fn kind(&self) -> KindId {
        MACHINE_POOL
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(MACHINE_POOL), Watch::owner(MACHINE, "MachinePool", "sim.drydock.dev")]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(pool) = cx.get(MACHINE_POOL, key).filter(|it| !it.meta.is_deleted()) else {
            return Ok(Action::AwaitChange);
        };
        let machines = cx.controlled(MACHINE, &pool);
        let want = usize::try_from(pool.i64_at("spec.replicas").unwrap_or(1)).unwrap_or(0);
        if machines.len() < want {
            let missing = want - machines.len();
            add(cx, &pool, missing.min(BURST))?;
            if missing > BURST {
                cx.requeue_soon();
            }
        }
        // The newest go first: the highest numbers.
        let mut numbered: Vec<&Arc<Object>> = machines.iter().collect();
        numbered.sort_by_key(|it| number(&pool, it.name()));
        for machine in numbered.iter().skip(want) {
            cx.delete(MACHINE, &machine.key())?;
        }
        let ready = machines.iter().filter(|it| it.str_at("status.phase") == Some("Running")).count();
        let status = map!({ "readyReplicas": ready as i64, "replicas": machines.len() as i64 });
        cx.update_status(&pool, Value::Map(status))?;
        Ok(Action::AwaitChange)
    }
}

fn prefix(pool: &Object) -> String {
    pool.str_at("spec.namePrefix")
        .filter(|it| !it.is_empty())
        .map_or_else(|| format!("{}-", pool.name()), str::to_owned)
}

fn number(pool: &Object, name: &str) -> u64 {
    name.strip_prefix(&prefix(pool)).and_then(|it| it.parse().ok()).unwrap_or(u64::MAX)
}

/// Makes machines under the lowest numbers that are free.
fn add(cx: &mut Cx<'_>, pool: &Object, count: usize) -> Result<(), Status> {
    let prefix = prefix(pool);
    let free: Vec<u64> =
        (1_u64..).filter(|n| cx.get(MACHINE, &Key::cluster(format!("{prefix}{n}"))).is_none()).take(count).collect();
    let mut spec = pool.at("spec.template.spec").cloned().unwrap_or_else(Value::map);
    if let Some(labels) = pool.at("spec.template.labels") {
        spec.set("labels", labels);
    }
    for n in free {
        let meta = Metadata::cluster(format!("{prefix}{n}")).owned_by(controller_ref(
            pool,
            "sim.drydock.dev/v1alpha1",
            "MachinePool",
        ));
        cx.create(Object { kind: MACHINE, meta, body: map!({ "spec": &spec }) })?;
    }
    Ok(())
}

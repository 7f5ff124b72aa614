//! PriorityClass. Follows `pkg/apis/scheduling/validation`.

use meta::{Errors, Object};
use value::Value;

use crate::path::Path;
use crate::pod_template::fields::{flag, has, int, opt_text, required_one_of};
use crate::{Kind, Scope, Strategy, columns};

/// `HighestUserDefinablePriority`
pub const USER_MAX: i64 = 1_000_000_000;
/// The names that only the system's own classes have.
pub const SYSTEM_PREFIX: &str = "system-";
/// The classes that every cluster has, with their values.
pub const SYSTEM: [(&str, i64); 2] =
    [("system-node-critical", 2 * USER_MAX + 1000), ("system-cluster-critical", 2 * USER_MAX)];

pub(crate) const KIND: Kind = Kind {
    short_names: &["pc"],
    definition: "io.k8s.api.scheduling.v1.PriorityClass",
    columns: || {
        const {
            &[
                columns::name(),
                columns::integer("Value", "The priority of pods of this class.", |it, _| columns::number(it, "value")),
                crate::Column {
                    kind: "boolean",
                    ..columns::text("Global-Default", "Whether pods without a class get this one.", |it, _| {
                        flag(&it.body, "globalDefault").into()
                    })
                },
                columns::created(),
                columns::text("PreemptionPolicy", "Whether its pods may push out others.", |it, _| {
                    columns::string(it, "preemptionPolicy")
                }),
            ]
        }
    },
    strategy: Strategy {
        default: |it| it.body.set_default("preemptionPolicy", "PreemptLowerPriority"),
        validate,
        validate_update,
        generation: true,
        counts: |_, _| false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
};

/// Why a class is none of the system's own (`IsKnownSystemPriorityClass`).
fn system_problem(name: &str, value: i64, global_default: bool) -> Option<String> {
    let Some((_, wanted)) = SYSTEM.iter().find(|(it, _)| *it == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if value != *wanted {
        return Some(format!("value of {name} PriorityClass must be {wanted}"));
    }
    global_default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}

fn validate(it: &Object, errors: &mut Errors) {
    let (name, value) = (it.name(), int(&it.body, "value"));
    if name.starts_with(SYSTEM_PREFIX) {
        if let Some(problem) = system_problem(name, value, flag(&it.body, "globalDefault")) {
            let detail = format!(
                "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {problem}"
            );
            Path::root("metadata.name").forbidden(errors, &detail);
        }
    } else if value > USER_MAX {
        let detail = format!("maximum allowed value of a user defined priority is {USER_MAX}");
        Path::root("value").forbidden(errors, &detail);
    }
    if let Some(policy) = opt_text(&it.body, "preemptionPolicy") {
        required_one_of(policy, &["PreemptLowerPriority", "Never"], &Path::root("preemptionPolicy"), errors);
    }
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    if int(&new.body, "value") != int(&old.body, "value") {
        Path::root("value").forbidden(errors, "may not be changed in an update.");
    }
    let policy = |it: &Object| it.body.get("preemptionPolicy").filter(|_| has(&it.body, "preemptionPolicy")).cloned();
    if policy(new) != policy(old) {
        Path::root("preemptionPolicy").invalid(errors, policy(new).unwrap_or(Value::Null), "field is immutable");
    }
}

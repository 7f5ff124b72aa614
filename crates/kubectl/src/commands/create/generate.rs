//! Small objects: namespaces, service accounts, priority classes, quotas, disruption budgets.

use value::{Value, value};

use super::{compact, finish, name};
use crate::failure::{Result, fail};
use crate::shell::{Cx, Flow};

pub(super) fn namespace(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create namespace")?;
    finish(
        cx,
        value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}, "status": {}}),
        "",
    )
}

pub(super) fn service_account(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create serviceaccount")?;
    let object = value!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    finish(cx, object, "failed to create serviceaccount: ")
}

pub(super) fn priority_class(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create priorityclass")?;
    let mut object = compact(value!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "value": cx.flags().int("value", 0), "description": cx.text("description"),
        "preemptionPolicy": cx.flags().text_or("preemption-policy", "PreemptLowerPriority"),
    }));
    if cx.is("global-default") {
        object.set("globalDefault", true);
    }
    finish(cx, object, "failed to create priorityclass: ")
}

pub(super) fn quota(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create quota")?;
    let mut spec = Value::map();
    let mut hard = value::Map::new();
    for part in cx.flags().list("hard") {
        let Some((resource, amount)) = part.split_once('=') else {
            return fail(format!("Invalid argument syntax {part}, expected <resource>=<value>"));
        };
        hard.insert(resource, amount);
    }
    if !hard.is_empty() {
        spec.set("hard", hard);
    }
    let scopes: Vec<Value> = cx.flags().list("scopes").into_iter().map(Value::from).collect();
    if !scopes.is_empty() {
        spec.set("scopes", scopes);
    }
    let object =
        value!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec, "status": {}});
    finish(cx, object, "failed to create quota: ")
}

/// A number, or a text such as `50%`.
fn int_or_text(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::Int)
}

pub(super) fn disruption_budget(cx: &mut Cx<'_>) -> Result<Flow> {
    let name = name(cx, "create poddisruptionbudget")?;
    let (selector, min, max) = (cx.text("selector"), cx.text("min-available"), cx.text("max-unavailable"));
    match () {
        () if selector.is_empty() => return fail("a selector must be specified"),
        () if min.is_empty() && max.is_empty() => {
            return fail("one of min-available or max-unavailable must be specified");
        }
        () if !min.is_empty() && !max.is_empty() => {
            return fail("min-available and max-unavailable cannot be both specified");
        }
        () => {}
    }
    let mut spec = value!({"selector": {"matchLabels": labels(&selector)}});
    match max.is_empty() {
        true => spec.set("minAvailable", int_or_text(&min)),
        false => spec.set("maxUnavailable", int_or_text(&max)),
    }
    let object = value!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec,
        "status": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    });
    finish(cx, object, "failed to create poddisruptionbudgets: ")
}

/// `a=b,c=d` as labels.
pub(crate) fn labels(text: &str) -> value::Map {
    text.split(',')
        .filter_map(|it| it.split_once('='))
        .map(|(key, it)| (key.into(), it.trim_start_matches('=').into()))
        .collect()
}

//! Version 1 has CPU only; the rest travels in annotations (`pkg/apis/autoscaling/v1/conversion.go`).

use meta::Object;
use value::{Map, Str, Value, json};

use super::{UTILIZATION, cpu_metric};
use crate::pod_template::fields::{child, child_or_empty, has, list, maps, opt_int, opt_text, text};
use crate::pod_template::internal;
use crate::workload::{spec, status};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const NOTES: [&str; 6] = [
    METRICS,
    CURRENT_METRICS,
    CONDITIONS,
    BEHAVIOR,
    "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
    "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
];

fn drop_notes(it: &mut Object) {
    if NOTES.iter().any(|key| it.meta.annotations.contains_key(key)) {
        it.meta.annotations = it.meta.annotations.filtered(|key, _| !NOTES.contains(&key));
    }
}

/// A metric that version 1 has a field for.
fn cpu_utilization(metric: &Map, part: &str) -> Option<i64> {
    let resource = child(metric, "resource")?;
    let is_cpu = text(metric, "type") == "Resource" && text(resource, "name") == "cpu";
    if is_cpu { opt_int(child_or_empty(resource, part), "averageUtilization") } else { None }
}

pub(super) fn to(it: &Object) -> Object {
    let mut res = it.clone();
    drop_notes(&mut res);
    let (spec, status) = (spec(it), status(it));
    let mut note = |key: &str, text: String| res.meta.annotations.insert(key, text);
    let others: Vec<Value> = maps(spec, "metrics")
        .filter(|(_, it)| cpu_utilization(it, "target").is_none())
        .map(|(_, it)| Value::Map(old_metric(it, "target")))
        .collect();
    if !others.is_empty() {
        note(METRICS, ordered(&Value::from(others)));
    }
    let current: Vec<Value> =
        maps(status, "currentMetrics").map(|(_, it)| Value::Map(old_metric(it, "current"))).collect();
    if !current.is_empty() {
        note(CURRENT_METRICS, ordered(&Value::from(current)));
    }
    if let Some(behavior) = child(spec, "behavior")
        && let Value::Decimal(text) = internal::bad_value(behavior, "HorizontalPodAutoscalerBehavior")
    {
        note(BEHAVIOR, text.as_str().to_owned());
    }
    if let Some(conditions) = status.get("conditions").filter(|_| !list(status, "conditions").is_empty()) {
        note(CONDITIONS, ordered(conditions));
    }
    let mut new_spec = spec.filtered(|key, _| matches!(key, "scaleTargetRef" | "minReplicas" | "maxReplicas"));
    if let Some(cpu) = maps(spec, "metrics").find_map(|(_, it)| cpu_utilization(it, "target")) {
        new_spec.insert("targetCPUUtilizationPercentage", cpu);
    }
    let mut new_status = status.filtered(|key, _| {
        matches!(key, "observedGeneration" | "lastScaleTime" | "currentReplicas" | "desiredReplicas")
    });
    new_status.set_default("currentReplicas", 0);
    new_status.set_default("desiredReplicas", 0);
    if let Some(cpu) = maps(status, "currentMetrics").filter_map(|(_, it)| cpu_utilization(it, "current")).last() {
        new_status.insert("currentCPUUtilizationPercentage", cpu);
    }
    res.body.insert("spec", new_spec);
    res.body.insert("status", new_status);
    res
}

pub(super) fn from(it: &Object) -> Object {
    let mut res = it.clone();
    let (spec, status) = (spec(it), status(it));
    let note = |key: &str| {
        let text = it.meta.annotations.get(key)?.as_str()?;
        json::parse(text.as_bytes()).ok()
    };
    let listed = |key: &str| note(key).and_then(|it| it.as_list().cloned());
    let mut metrics: Vec<Value> = Vec::new();
    for metric in listed(METRICS).iter().flatten().filter_map(Value::as_map) {
        metrics.push(Value::Map(new_metric(metric, "target")));
    }
    if let Some(cpu) = opt_int(spec, "targetCPUUtilizationPercentage") {
        metrics.push(cpu_metric(cpu));
    }
    if metrics.is_empty() {
        metrics.push(cpu_metric(UTILIZATION));
    }
    let mut new_spec = spec.filtered(|key, _| key != "targetCPUUtilizationPercentage");
    new_spec.insert("metrics", metrics);
    if let Some(Value::Map(behavior)) = note(BEHAVIOR).map(|it| lower_keys(&it)) {
        let behavior = behavior.filtered(|_, value| !value.is_null());
        if !behavior.is_empty() {
            new_spec.insert("behavior", behavior);
        }
    }
    let mut new_status = status.filtered(|key, value| {
        key != "currentCPUUtilizationPercentage" && !(key == "currentReplicas" && value.as_i64() == Some(0))
    });
    let mut current = Value::Null;
    if let Some(cpu) = opt_int(status, "currentCPUUtilizationPercentage") {
        current = value::value!([{ "type": "Resource", "resource": { "name": "cpu", "current": { "averageUtilization": cpu } } }]);
    }
    if let Some(all) = listed(CURRENT_METRICS) {
        current = all
            .iter()
            .filter_map(Value::as_map)
            .map(|it| Value::Map(new_metric(it, "current")))
            .collect::<Vec<_>>()
            .into();
    }
    new_status.insert("currentMetrics", current);
    if let Some(conditions) = listed(CONDITIONS) {
        new_status.insert("conditions", conditions);
    }
    drop_notes(&mut res);
    res.body.insert("spec", new_spec);
    res.body.insert("status", new_status);
    res
}

/// Fields of sources that hold amounts: in version 2, below `target` or `current`; in version 1, of each type of source.
fn old_names(key: &str, part: &str) -> [(&'static str, &'static str); 3] {
    let (value, average, utilization) = match (part, key) {
        ("target", "object") => ("targetValue", "averageValue", ""),
        ("target", _) => ("targetValue", "targetAverageValue", "targetAverageUtilization"),
        (_, "object") => ("currentValue", "averageValue", ""),
        _ => ("currentValue", "currentAverageValue", "currentAverageUtilization"),
    };
    [("value", value), ("averageValue", average), ("averageUtilization", utilization)]
}

const SOURCES: [&str; 5] = ["object", "pods", "resource", "containerResource", "external"];

/// Whether version 1 writes an amount even if there is none.
fn is_always_there(key: &str, part: &str, name: &str) -> bool {
    matches!(
        (key, part, name),
        ("object", "target", "targetValue")
            | ("object" | "external", "current", "currentValue")
            | ("pods", "target", "targetAverageValue")
            | ("pods" | "resource" | "containerResource", "current", "currentAverageValue")
    )
}

/// A metric (`target`) or what was measured (`current`) in version 1.
fn old_metric(metric: &Map, part: &str) -> Map {
    let mut res = metric.clone();
    for key in SOURCES {
        res.edit_map(key, |source| {
            let amounts = child_or_empty(source, part).clone();
            let metric = child_or_empty(source, "metric").clone();
            let object = source.get("describedObject").cloned();
            let mut old = source.filtered(|key, _| !matches!(key, "metric" | "target" | "current" | "describedObject"));
            if let Some(object) = object {
                old.insert("target", object);
            }
            if !key.ends_with("esource") {
                old.insert("metricName", text(&metric, "name"));
                if let Some(selector) = metric.get("selector") {
                    old.insert(if key == "external" { "metricSelector" } else { "selector" }, selector);
                }
            }
            for (new, name) in old_names(key, part) {
                if let Some(amount) = amounts.get(new).filter(|it| !it.is_null() && !name.is_empty()) {
                    old.insert(name, amount);
                } else if is_always_there(key, part, name) {
                    old.insert(name, "0");
                }
            }
            *source = old;
        });
    }
    res
}

/// The way back from [`old_metric`].
fn new_metric(metric: &Map, part: &str) -> Map {
    let mut res = metric.clone();
    for key in SOURCES {
        res.edit_map(key, |old| {
            let mut amounts = Map::new();
            for (new, name) in old_names(key, part) {
                if let Some(amount) = old.get(name).filter(|it| !it.is_null()) {
                    amounts.insert(new, amount);
                }
            }
            let is_zero = |key: &str| opt_text(&amounts, key).is_some_and(crate::pod_template::resources::is_zero);
            if part == "target" {
                let kind = match key {
                    "object" if has(&amounts, "averageValue") => "AverageValue",
                    "external" if !has(&amounts, "value") => "AverageValue",
                    "object" | "external" => "Value",
                    "pods" => "AverageValue",
                    _ if has(&amounts, "averageUtilization") => "Utilization",
                    _ => "AverageValue",
                };
                if key == "object" && kind == "AverageValue" && is_zero("value") {
                    amounts.remove("value");
                }
                amounts.insert("type", kind);
            }
            let mut source = old.filtered(|key, _| matches!(key, "name" | "container"));
            source.insert(part, amounts);
            if !key.ends_with("esource") {
                let mut metric = Map::new();
                metric.insert("name", text(old, "metricName"));
                let selector = old.get(if key == "external" { "metricSelector" } else { "selector" });
                if let Some(selector) = selector.filter(|it| !it.is_null()) {
                    metric.insert("selector", selector);
                }
                source.insert("metric", metric);
            }
            if key == "object"
                && let Some(object) = old.get("target")
            {
                source.insert("describedObject", object);
            }
            *old = source;
        });
    }
    res
}

/// Keys as Go's fields are called, with a small letter, which is how they are called outside.
fn lower_keys(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let entries = map.iter().filter(|(_, it)| !it.is_null()).map(|(key, it)| {
                let mut chars = key.chars();
                let first = chars.next().map(|it| it.to_ascii_lowercase());
                (Str::from(first.into_iter().chain(chars).collect::<String>()), lower_keys(it))
            });
            Value::Map(entries.collect())
        }
        Value::List(list) => Value::List(list.iter().map(lower_keys).collect()),
        _ => value.clone(),
    }
}

/// Keys in the order of Go's structs, all in one row.
const ORDER: &[&str] = &[
    "type",
    "status",
    "lastTransitionTime",
    "reason",
    "message",
    "object",
    "pods",
    "resource",
    "containerResource",
    "external",
    "target",
    "kind",
    "name",
    "apiVersion",
    "metricName",
    "metricSelector",
    "targetValue",
    "currentValue",
    "targetAverageUtilization",
    "currentAverageUtilization",
    "targetAverageValue",
    "currentAverageValue",
    "selector",
    "averageValue",
    "container",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
    "values",
];

/// JSON with the keys in that order.
fn ordered(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<(&Str, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| ORDER.iter().position(|it| *it == key.as_str()));
            let parts = entries.into_iter().map(|(key, value)| {
                let text = if key.as_str() == "matchLabels" { json::to_string(value) } else { ordered(value) };
                format!("{}:{text}", json::to_string(&Value::from(key)))
            });
            format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
        }
        Value::List(list) => format!("[{}]", list.iter().map(ordered).collect::<Vec<_>>().join(",")),
        _ => json::to_string(value),
    }
}

//! What `kubectl get hpa` shows (`printHorizontalPodAutoscaler`).

use value::{Map, Value};

use crate::Column;
use crate::columns::{self, text};
use crate::pod_template::fields::{child, child_or_empty, list, maps, opt_int, opt_text, text as text_of};
use crate::workload::{spec, status};

const SHOWN_MAX: usize = 2;

pub(super) const COLUMNS: &[Column] = &[
    columns::name(),
    text("Reference", "What is scaled.", |it, _| {
        let target = child_or_empty(spec(it), "scaleTargetRef");
        format!("{}/{}", text_of(target, "kind"), text_of(target, "name")).into()
    }),
    text("Targets", "What is measured, of what is wanted.", |it, _| metrics(spec(it), status(it)).into()),
    text("MinPods", "The least number of pods.", |it, _| {
        it.i64_at("spec.minReplicas").map_or_else(|| "<unset>".to_owned(), |it| it.to_string()).into()
    }),
    text("MaxPods", "The greatest number of pods.", |it, _| columns::number(it, "spec.maxReplicas")),
    text("Replicas", "The number of pods last seen.", |it, _| columns::number(it, "status.currentReplicas")),
    columns::created(),
];

/// Such as `cpu: 50%/80%, 10/100 (avg) + 1 more...` (`formatHPAMetrics`).
fn metrics(spec: &Map, status: &Map) -> String {
    let statuses: Vec<&Map> = maps(status, "currentMetrics").map(|(_, it)| it).collect();
    let all: Vec<String> = maps(spec, "metrics").map(|(idx, it)| metric(it, statuses.get(idx).copied())).collect();
    if list(spec, "metrics").is_empty() {
        return "<none>".to_owned();
    }
    let shown = all.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN_MAX { format!("{shown} + {} more...", all.len() - SHOWN_MAX) } else { shown }
}

fn metric(metric: &Map, status: Option<&Map>) -> String {
    let (key, names_resource) = match text_of(metric, "type") {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".to_owned(),
    };
    let source = child_or_empty(metric, key);
    let target = child_or_empty(source, "target");
    let current = status.and_then(|it| child(it, key)).map(|it| child_or_empty(it, "current"));
    let amount = |key: &str| current.and_then(|it| opt_text(it, key)).unwrap_or("<unknown>").to_owned();
    let percent = |it: Option<i64>| it.map(|it| format!("{it}%"));
    if names_resource {
        let name = text_of(source, "name");
        return match opt_text(target, "averageValue") {
            Some(wanted) => format!("{name}: {}/{wanted}", amount("averageValue")),
            None => {
                let have = percent(current.and_then(|it| opt_int(it, "averageUtilization")));
                let wanted = percent(opt_int(target, "averageUtilization"));
                let (have, wanted) = (have.as_deref().unwrap_or("<unknown>"), wanted.as_deref().unwrap_or("<auto>"));
                format!("{name}: {have}/{wanted}")
            }
        };
    }
    let wanted = |key: &str| target.get(key).and_then(Value::as_str).unwrap_or("0").to_owned();
    match (key, opt_text(target, "averageValue")) {
        ("pods", _) => format!("{}/{}", amount("averageValue"), wanted("averageValue")),
        (_, Some(wanted)) => format!("{}/{wanted} (avg)", amount("averageValue")),
        (_, None) => format!("{}/{}", amount("value"), wanted("value")),
    }
}

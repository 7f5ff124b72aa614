//! What makes pods: daemon sets, deployments, jobs and the like.

use value::{Value, time};

use super::page::{Page, text};
use super::{Subject, pod, selector_text};
use crate::api::{JSON, Url};
use crate::failure::Result;
use crate::manifest::strings;
use crate::order;
use crate::{Cx, go, table};
use meta::quoted;

/// Pods of an object by their phase, as text.
fn pods_status(cx: &mut Cx<'_>, it: &Subject<'_>) -> Result<String> {
    let resource = cx.resource("pods")?;
    let selector = selector_text(it.object.at("spec.selector"));
    let list = cx.list(&Url::of(&resource, &it.info.namespace, "", "").with("labelSelector", &selector), JSON)?;
    let uid = it.object.str_at("metadata.uid");
    let owned = list.list_at("items").iter().filter(|pod| {
        let owners = pod.list_at("metadata.ownerReferences");
        owners.iter().any(|it| it.bool_at("controller") == Some(true) && it.str_at("uid") == uid)
    });
    let mut counts = [0; 4];
    for pod in owned {
        let phases = ["Running", "Pending", "Succeeded", "Failed"];
        if let Some(idx) = phases.iter().position(|it| *it == text(pod, "status.phase")) {
            counts[idx] += 1;
        }
    }
    let [running, waiting, succeeded, failed] = counts;
    Ok(format!("Pods Status:\t{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"))
}

fn template(page: &mut Page, object: &Value) {
    pod::template(page, object.at("spec.template").unwrap_or(&Value::Null));
}

fn int(object: &Value, path: &'static str) -> i64 {
    object.i64_at(path).unwrap_or(0)
}

const HEAD: &str = "Name=metadata.name\nNamespace=metadata.namespace";

pub(super) fn daemon_set(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, HEAD);
    page.line(&format!("Selector:\t{}", selector_text(object.at("spec.selector"))));
    let nodes = object.at("spec.template.spec.nodeSelector").and_then(Value::as_map);
    page.line(&format!("Node-Selector:\t{}", table::labels_text(nodes)));
    page.rows(0, object, "@labels\n@annotations");
    for (label, path) in [
        ("Desired Number of Nodes Scheduled", "status.desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "status.currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "status.updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "status.numberAvailable"),
        ("Number of Nodes Misscheduled", "status.numberMisscheduled"),
    ] {
        page.line(&format!("{label}: {}", int(object, path)));
    }
    page.line(&pods_status(cx, it)?);
    template(page, object);
    Ok(())
}

const CONDITIONS: &[(&str, &str)] = &[("Type", "type"), ("Status", "status"), ("Reason", "reason")];

/// Conditions whose type has a space after it.
fn conditions(page: &mut Page, object: &Value) {
    let list = object.list_at("status.conditions");
    if list.is_empty() {
        return;
    }
    let titles: Vec<&str> = CONDITIONS.iter().map(|(title, _)| *title).collect();
    page.line(&format!("Conditions:\n  {}\n  ----\t------\t------", titles.join("\t")));
    for it in list {
        page.at(1, &format!("{} \t{}\t{}", text(it, "type"), text(it, "status"), text(it, "reason")));
    }
}

pub(super) fn deployment(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, HEAD);
    page.rows(0, object, "CreationTimestamp=metadata.creationTimestamp|time\n@labels\n@annotations");
    page.line(&format!("Selector:\t{}", selector_text(object.at("spec.selector"))));
    page.line(&format!(
        "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
        int(object, "spec.replicas"),
        int(object, "status.updatedReplicas"),
        int(object, "status.replicas"),
        int(object, "status.availableReplicas"),
        int(object, "status.unavailableReplicas")
    ));
    page.rows(0, object, "StrategyType=spec.strategy.type\nMinReadySeconds=spec.minReadySeconds!0");
    if let Some(rolling) = object.at("spec.strategy.rollingUpdate") {
        let part = |field: &str| rolling.get(field).map_or_else(String::new, go::show);
        page.line(&format!(
            "RollingUpdateStrategy:\t{} max unavailable, {} max surge",
            part("maxUnavailable"),
            part("maxSurge")
        ));
    }
    template(page, object);
    conditions(page, object);
    replica_sets(cx, page, it);
    Ok(())
}

/// The template without what the controller adds.
fn plain_template(template: Option<&Value>) -> Value {
    let template = template.cloned().unwrap_or_default();
    let labels = strings(&template, "labels").filtered(|key, _| key != "pod-template-hash");
    template.with("metadata.labels", labels)
}

fn replica_sets(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) {
    let Ok(resource) = cx.resource("replicasets.apps") else { return };
    let selector = selector_text(it.object.at("spec.selector"));
    let url = Url::of(&resource, &it.info.namespace, "", "").with("labelSelector", &selector);
    let Ok(list) = cx.list(&url, JSON) else { return };
    let uid = it.object.str_at("metadata.uid");
    let mut owned: Vec<Value> = list
        .list_at("items")
        .iter()
        .filter(|set| {
            let owners = set.list_at("metadata.ownerReferences");
            owners.iter().any(|it| it.bool_at("controller") == Some(true) && it.str_at("uid") == uid)
        })
        .cloned()
        .collect();
    order::by(&mut owned, &mut |a, b| text(a, "metadata.creationTimestamp").cmp(text(b, "metadata.creationTimestamp")));
    if owned.is_empty() {
        return;
    }
    let wanted = plain_template(it.object.at("spec.template"));
    let newest = owned.iter().position(|set| plain_template(set.at("spec.template")) == wanted);
    let shown = |set: &Value| {
        let (current, desired) = (int(set, "status.replicas"), int(set, "spec.replicas"));
        format!("{} ({current}/{desired} replicas created)", text(set, "metadata.name"))
    };
    let old: Vec<String> =
        owned.iter().enumerate().filter(|(idx, _)| Some(*idx) != newest).map(|(_, set)| shown(set)).collect();
    let none = |text: String| if text.is_empty() { "<none>".to_owned() } else { text };
    page.line(&format!("OldReplicaSets:\t{}", none(old.join(", "))));
    page.line(&format!("NewReplicaSet:\t{}", none(newest.map_or(String::new(), |idx| shown(&owned[idx])))));
}

fn replicas(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let (current, desired) = (int(it.object, "status.replicas"), int(it.object, "spec.replicas"));
    page.line(&format!("Replicas:\t{current} current / {desired} desired"));
    page.line(&pods_status(cx, it)?);
    template(page, it.object);
    conditions(page, it.object);
    Ok(())
}

pub(super) fn replica_set(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.rows(0, it.object, "Selector=spec.selector|selector!<none>\n@labels\n@annotations\n@owner");
    replicas(cx, page, it)
}

pub(super) fn replication_controller(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.rows(0, it.object, "Selector=spec.selector|map!<none>\n@labels\n@annotations");
    replicas(cx, page, it)
}

pub(super) fn stateful_set(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, HEAD);
    page.rows(0, object, "CreationTimestamp=metadata.creationTimestamp|time");
    page.line(&format!("Selector:\t{}", selector_text(object.at("spec.selector"))));
    page.rows(0, object, "@labels\n@annotations");
    let (desired, total) = (int(object, "spec.replicas"), int(object, "status.replicas"));
    page.line(&format!("Replicas:\t{desired} desired | {total} total"));
    page.rows(0, object, "Update Strategy=spec.updateStrategy.type");
    if let Some(rolling) = object.at("spec.updateStrategy.rollingUpdate")
        && rolling.get("partition").is_some()
    {
        page.rows(1, rolling, "Partition=partition\n?MaxUnavailable=maxUnavailable");
    }
    page.line(&pods_status(cx, it)?);
    template(page, object);
    let claims = object.list_at("spec.volumeClaimTemplates");
    page.line(if claims.is_empty() { "Volume Claims:\t<none>" } else { "Volume Claims:" });
    for claim in claims {
        page.rows(1, claim, "Name=metadata.name\nStorageClass=spec.storageClassName");
        page.labels("  Labels", &strings(claim, "labels"));
        page.labels("  Annotations", &strings(claim, "annotations"));
        page.rows(1, claim, "Capacity=spec.resources.requests.storage!<default>\nAccess Modes=spec.accessModes![]");
    }
    Ok(())
}

pub(super) fn job(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, HEAD);
    page.line(&format!("Selector:\t{}", selector_text(object.at("spec.selector"))));
    page.rows(
        0,
        object,
        "@labels\n@annotations\n@owner\n?Parallelism=spec.parallelism\nCompletions=spec.completions!<unset>\n\
         ?Completion Mode=spec.completionMode\n?Suspend=spec.suspend\n?Backoff Limit=spec.backoffLimit\n\
         ?TTL Seconds After Finished=spec.ttlSecondsAfterFinished\n?Start Time=status.startTime|time\n\
         ?Completed At=status.completionTime|time",
    );
    let at = |path: &'static str| object.str_at(path).and_then(time::parse_secs);
    if let (Some(start), Some(end)) = (at("status.startTime"), at("status.completionTime")) {
        page.line(&format!("Duration:\t{}", time::human_duration(end - start)));
    }
    page.rows(0, object, "?Active Deadline Seconds=spec.activeDeadlineSeconds|s");
    let ready = object.i64_at("status.ready").map_or_else(String::new, |it| format!(" ({it} Ready)"));
    page.line(&format!(
        "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
        int(object, "status.active"),
        int(object, "status.succeeded"),
        int(object, "status.failed")
    ));
    if text(object, "spec.completionMode") == "Indexed" {
        page.line(&format!("Completed Indexes:\t{}", indexes(text(object, "status.completedIndexes"))));
    }
    template(page, object);
    Ok(())
}

/// The first 50 characters or so.
fn indexes(text: &str) -> String {
    if text.is_empty() {
        return "<none>".into();
    }
    match text.get(50..).and_then(|rest| rest.find(',')) {
        Some(end) => format!("{}...", &text[..50 + end + 1]),
        None => text.to_owned(),
    }
}

pub(super) fn cron_job(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, HEAD);
    page.rows(
        0,
        object,
        "@labels\n@annotations\nSchedule=spec.schedule\nConcurrency Policy=spec.concurrencyPolicy\nSuspend=spec.suspend|bool!<unset>\n\
         Time Zone=spec.timeZone!<unset>\nSuccessful Job History Limit=spec.successfulJobsHistoryLimit!<unset>\n\
         Failed Job History Limit=spec.failedJobsHistoryLimit!<unset>\n\
         Starting Deadline Seconds=spec.startingDeadlineSeconds|s!<unset>",
    );
    let template = object.at("spec.jobTemplate").cloned().unwrap_or_default();
    let selector = match template.at("spec.selector") {
        Some(it) => selector_text(Some(it)),
        None => "<unset>".into(),
    };
    page.line(&format!("Selector:\t{selector}"));
    page.rows(
        0,
        &template,
        "Parallelism=spec.parallelism!<unset>\nCompletions=spec.completions!<unset>\n\
         ?Active Deadline Seconds=spec.activeDeadlineSeconds|s",
    );
    pod::template(page, template.at("spec.template").unwrap_or(&Value::Null));
    page.rows(0, object, "Last Schedule Time=status.lastScheduleTime|time!<unset>");
    let active: Vec<&str> = object.list_at("status.active").iter().map(|it| text(it, "name")).collect();
    page.line(&format!("Active Jobs:\t{}", if active.is_empty() { "<none>".to_owned() } else { active.join(", ") }));
    Ok(())
}

pub(super) fn autoscaler(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let mut object = it.object.clone();
    if it.info.resource.version != "v2"
        && let Some(resource) = cx.mapper()?.of_kind("autoscaling/v2", "HorizontalPodAutoscaler")
    {
        object = cx.get(&Url::of(&resource, &it.info.namespace, &it.info.name, ""))?;
    }
    let object = &object;
    page.rows(0, object, HEAD);
    page.rows(0, object, "@labels\n@annotations\nCreationTimestamp=metadata.creationTimestamp|time");
    let kind = text(object, "spec.scaleTargetRef.kind");
    page.line(&format!("Reference:\t{kind}/{}", text(object, "spec.scaleTargetRef.name")));
    page.line("Metrics:\t( current / target )");
    for (idx, metric) in object.list_at("spec.metrics").iter().enumerate() {
        let current = object.list_at("status.currentMetrics").get(idx).cloned().unwrap_or_default();
        self::metric(page, metric, &current);
    }
    page.rows(0, object, "Min replicas=spec.minReplicas!<unset>\nMax replicas=spec.maxReplicas");
    if let Some(behavior) = object.at("spec.behavior") {
        page.line("Behavior:");
        direction(page, "Scale Up", behavior.get("scaleUp"));
        direction(page, "Scale Down", behavior.get("scaleDown"));
    }
    let (current, desired) = (int(object, "status.currentReplicas"), int(object, "status.desiredReplicas"));
    page.line(&format!("{kind} pods:\t{current} current / {desired} desired"));
    let fields = &[("Type", "type"), ("Status", "status"), ("Reason", "reason"), ("Message", "message")];
    page.conditions(object, "Conditions:", fields, "\t");
    Ok(())
}

fn metric(page: &mut Page, metric: &Value, current: &Value) {
    let kind = text(metric, "type");
    let field = match kind {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => {
            page.at(1, &format!("<unknown metric type {}>", quoted(kind)));
            return;
        }
    };
    let part = |it: &Value, path: &'static str| it.get(field)?.at(path).map(go::show);
    let is = |path: &'static str| part(current, path).unwrap_or_else(|| "<unknown>".into());
    let wanted = |path: &'static str| part(metric, path).unwrap_or_default();
    let average = part(metric, "target.averageValue");
    let name = match field {
        "resource" => format!("resource {} on pods", wanted("name")),
        "containerResource" => {
            format!("resource {} of container {} on pods", wanted("name"), quoted(&wanted("container")))
        }
        "pods" => format!("{} on pods", quoted(&wanted("metric.name"))),
        "object" => {
            let (kind, name) = (wanted("describedObject.kind"), wanted("describedObject.name"));
            format!("{} on {kind}/{name} ", quoted(&wanted("metric.name")))
        }
        _ => format!("{} ", quoted(&wanted("metric.name"))),
    };
    let line = match (field, average) {
        ("resource" | "containerResource" | "pods", Some(target)) => {
            format!("{name}:\t{} / {target}", is("current.averageValue"))
        }
        ("resource" | "containerResource", None) => {
            let utilization = part(current, "current.averageUtilization");
            let now =
                utilization.map_or("<unknown>".to_owned(), |it| format!("{it}% ({})", is("current.averageValue")));
            let target = part(metric, "target.averageUtilization").map_or("<auto>".to_owned(), |it| format!("{it}%"));
            format!("{name}  (as a percentage of request):\t{now} / {target}")
        }
        (_, Some(target)) => format!("{name}(target average value):\t{} / {target}", is("current.averageValue")),
        (_, None) => format!("{name}(target value):\t{} / {}", is("current.value"), wanted("target.value")),
    };
    page.at(1, &line);
}

fn direction(page: &mut Page, label: &str, rules: Option<&Value>) {
    let Some(rules) = rules else { return };
    page.at(1, &format!("{label}:"));
    if let Some(seconds) = rules.i64_at("stabilizationWindowSeconds") {
        page.at(2, &format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = rules.list_at("policies");
    if !policies.is_empty() {
        page.at(2, &format!("Select Policy: {}", rules.str_at("selectPolicy").unwrap_or("Max")));
        page.at(2, "Policies:");
        for it in policies {
            page.at(
                3,
                &format!(
                    "- Type: {}\tValue: {}\tPeriod: {} seconds",
                    text(it, "type"),
                    int(it, "value"),
                    int(it, "periodSeconds")
                ),
            );
        }
    }
}

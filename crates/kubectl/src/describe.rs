//! What `describe` says of objects.
//!
//! Most of it is tables of labels and paths (see [`page::Page::rows`]); what is more than that is a function.

mod config;
mod generic;
mod network;
mod node;
mod page;
mod pod;
mod rbac;
mod storage;
mod workload;

use value::{Map, Value};

use crate::Cx;
use crate::api::{JSON, Url};
use crate::commands::event_interval;
use crate::failure::Result;
use crate::manifest::{Info, strings};

use self::page::Page;
pub(crate) use self::rbac::rows as rule_rows;
use crate::order;

/// What is described, and what else is needed for it.
pub(super) struct Subject<'a> {
    pub(super) info: &'a Info,
    pub(super) object: &'a Value,
    pub(super) now: i64,
}

type Describe = fn(&mut Cx<'_>, &mut Page, &Subject<'_>) -> Result<()>;

/// Who describes a kind; events follow where `true` stands.
const DESCRIBERS: &[(&str, &str, Describe, bool)] = &[
    ("", "ConfigMap", config::config_map, true),
    ("", "Endpoints", network::endpoints, true),
    ("", "LimitRange", config::limit_range, false),
    ("", "Namespace", config::namespace, false),
    ("", "Node", node::node, true),
    ("", "PersistentVolume", storage::volume, true),
    ("", "PersistentVolumeClaim", storage::claim, true),
    ("", "Pod", pod::pod, true),
    ("", "ReplicationController", workload::replication_controller, true),
    ("", "ResourceQuota", config::quota, false),
    ("", "Secret", config::secret, false),
    ("", "Service", network::service, true),
    ("", "ServiceAccount", config::service_account, true),
    ("apps", "DaemonSet", workload::daemon_set, true),
    ("apps", "Deployment", workload::deployment, true),
    ("apps", "ReplicaSet", workload::replica_set, true),
    ("apps", "StatefulSet", workload::stateful_set, true),
    ("autoscaling", "HorizontalPodAutoscaler", workload::autoscaler, true),
    ("batch", "CronJob", workload::cron_job, true),
    ("batch", "Job", workload::job, true),
    ("discovery.k8s.io", "EndpointSlice", network::endpoint_slice, true),
    ("networking.k8s.io", "Ingress", network::ingress, true),
    ("networking.k8s.io", "IngressClass", network::ingress_class, true),
    ("networking.k8s.io", "NetworkPolicy", network::policy, false),
    ("policy", "PodDisruptionBudget", config::disruption_budget, true),
    ("rbac.authorization.k8s.io", "ClusterRole", rbac::role, false),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", rbac::binding, false),
    ("rbac.authorization.k8s.io", "Role", rbac::role, false),
    ("rbac.authorization.k8s.io", "RoleBinding", rbac::binding, false),
    ("scheduling.k8s.io", "PriorityClass", config::priority_class, true),
    ("storage.k8s.io", "StorageClass", storage::class, true),
];

/// The description of an object, with its events if `with_events`.
pub(crate) fn describe(cx: &mut Cx<'_>, info: &Info, with_events: bool) -> Result<String> {
    let resource = &info.resource;
    let known = DESCRIBERS.iter().find(|(group, kind, ..)| resource.is(group, kind));
    let (describe, has_events) = known.map_or((generic::generic as Describe, true), |it| (it.2, it.3));
    let mut page = Page::default();
    let subject = Subject { info, object: &info.object, now: cx.now() };
    describe(cx, &mut page, &subject)?;
    if with_events && has_events {
        events(cx, &mut page, info);
    }
    Ok(page.finish())
}

fn events(cx: &mut Cx<'_>, page: &mut Page, info: &Info) {
    let object = &info.object;
    let uid = object.str_at("metadata.uid").unwrap_or_default().to_owned();
    let mirrored =
        strings(object, "annotations").get("kubernetes.io/config.mirror").and_then(Value::as_str).map(str::to_owned);
    let kind = info.resource.kind.as_str();
    let mut items = match kind {
        "Pod" => search(cx, info, "", &mirrored.unwrap_or(uid)),
        kind => search(cx, info, kind, &uid),
    };
    if kind == "Node" {
        items.extend(search(cx, info, kind, &info.name));
    }
    if items.is_empty() {
        page.line("Events:\t<none>");
        return;
    }
    page.flush();
    // Events without a last time come first.
    order::by(&mut items, &mut |a, b| a.str_at("lastTimestamp").cmp(&b.str_at("lastTimestamp")));
    page.line("Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------");
    for event in items {
        let text = |path: &'static str| event.str_at(path).unwrap_or_default();
        let source = match text("source.component") {
            "" => text("reportingComponent"),
            it => it,
        };
        let field = text("involvedObject.fieldPath");
        let message = text("message").trim();
        let message = if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") };
        let interval = event_interval(&event, cx.now());
        page.line(&format!("  {}\t{}\t{interval}\t{source}\t{message}", text("type"), text("reason")));
    }
}

fn search(cx: &mut Cx<'_>, info: &Info, kind: &str, uid: &str) -> Vec<Value> {
    let Ok(Some(events)) = cx.mapper().map(|it| it.of_kind("v1", "Event")) else { return Vec::new() };
    let mut selector = format!("involvedObject.name={},involvedObject.namespace={}", info.name, info.namespace);
    if !kind.is_empty() {
        selector.push_str(&format!(",involvedObject.kind={kind}"));
    }
    if !uid.is_empty() {
        selector.push_str(&format!(",involvedObject.uid={uid}"));
    }
    let url = Url::of(&events, &info.namespace, "", "").with("fieldSelector", &selector);
    cx.list(&url, JSON).map(|it| it.list_at("items").to_vec()).unwrap_or_default()
}

/// The description of a pod template on its own.
pub(crate) fn pod_template(template: &Value) -> String {
    let mut page = Page::default();
    pod::template(&mut page, template);
    page.unaligned()
}

/// A label selector as text: `app=web,tier in (a,b)`.
pub(crate) fn selector_text(selector: Option<&Value>) -> String {
    let Some(Value::Map(selector)) = selector else { return String::new() };
    let mut terms: Vec<(String, String)> = Vec::new();
    let is_plain = !selector.contains_key("matchLabels") && !selector.contains_key("matchExpressions");
    let labels = if is_plain { Some(selector) } else { selector.get("matchLabels").and_then(Value::as_map) };
    for (key, value) in labels.into_iter().flat_map(Map::iter) {
        terms.push((key.to_string(), format!("{key}={}", value.as_str().unwrap_or_default())));
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_list);
    for it in expressions.into_iter().flat_map(|it| it.iter()) {
        let key = it.str_at("key").unwrap_or_default();
        let mut values: Vec<&str> = it.list_at("values").iter().filter_map(Value::as_str).collect();
        order::texts(&mut values);
        let values = values.join(",");
        let text = match it.str_at("operator") {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        };
        terms.push((key.to_owned(), text));
    }
    order::by(&mut terms, &mut |(a, _), (b, _)| a.cmp(b));
    terms.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

/// As [`selector_text`]; `<none>` where it selects everything.
pub(super) fn selector_or_none(selector: Option<&Value>) -> String {
    match selector_text(selector) {
        it if it.is_empty() => "<none>".into(),
        it => it,
    }
}

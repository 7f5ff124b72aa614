//! The metrics API (`metrics.k8s.io/v1beta1`): what pods and nodes use, as `kubectl top` shows it.
//!
//! Clusters with simulated kubelets have it as an add-on; the bare control plane has not.

use std::sync::Arc;

use apiserver::Body;
use http::{HeaderValue, Method, Response, header};
use kinds::{NODE, POD};
use meta::selector::LabelSelector;
use meta::{Key, Object, Status};
use runtime::usage::{self, RESOLUTION, Usage};
use value::{Map, Value, json, map, time, value};

use crate::{Cluster, KubeletMode, logs};

const GROUP: &str = "metrics.k8s.io";
const VERSION: &str = "metrics.k8s.io/v1beta1";
/// What a node's own processes use: thousandths of a core and bytes.
const NODE_ITSELF: (i64, i64) = (60, 350 << 20);

/// Answers requests below `/apis/metrics.k8s.io`; `None` for every other request.
pub(crate) fn handle(cluster: &Cluster, request: &http::Request<Vec<u8>>) -> Option<Response<Body>> {
    let rest = request.uri().path().strip_prefix("/apis/metrics.k8s.io")?;
    if cluster.config.kubelet != KubeletMode::Real {
        return None;
    }
    let parts: Vec<&str> = rest.split('/').filter(|it| !it.is_empty()).collect();
    if request.method() != Method::GET {
        return Some(logs::failure(&Status::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )));
    }
    let answer = match parts.as_slice() {
        [] => Ok(group().with("kind", "APIGroup").with("apiVersion", "v1")),
        ["v1beta1"] => Ok(resources()),
        ["v1beta1", "nodes"] => Ok(list("NodeMetricsList", nodes(cluster, None, &selector(request)))),
        ["v1beta1", "nodes", name] => one("nodemetrics", name, nodes(cluster, Some(name), &LabelSelector::default())),
        ["v1beta1", "pods"] => Ok(list("PodMetricsList", pods(cluster, None, &selector(request)))),
        ["v1beta1", "namespaces", namespace, "pods"] => {
            Ok(list("PodMetricsList", pods(cluster, Some(namespace), &selector(request))))
        }
        ["v1beta1", "namespaces", namespace, "pods", name] => {
            let found = cluster.api.store().get(POD, &Key::new(*namespace, *name));
            let found = found.and_then(|it| pod(cluster, it)).into_iter().collect();
            one("podmetrics", &format!("{namespace}/{name}"), found)
        }
        _ => Err(Status::new(404, "NotFound", "the server could not find the requested resource")),
    };
    Some(match answer {
        Ok(map) => ok(&Value::Map(map)),
        Err(status) => logs::failure(&status),
    })
}

/// Whether the answer to the request is the list of groups, to which this one is to be added.
pub(crate) fn lists_groups(cluster: &Cluster, request: &http::Request<Vec<u8>>) -> bool {
    cluster.config.kubelet == KubeletMode::Real && matches!(request.uri().path(), "/apis" | "/apis/")
}

/// Adds the group to a list of groups in JSON, in either form.
pub(crate) fn add_group(mut response: Response<Body>) -> Response<Body> {
    let Body::Bytes(bytes) = response.body() else { return response };
    let Ok(mut whole) = json::parse(bytes) else { return response };
    let (key, group) = if whole.get("groups").is_some() {
        ("groups", Value::Map(group()))
    } else if whole.str_at("kind") == Some("APIGroupDiscoveryList") {
        ("items", aggregated())
    } else {
        return response;
    };
    let mut groups = whole.list_at(key).to_vec();
    groups.push(group);
    whole.set(key, groups);
    let text = json::to_string(&whole).into_bytes();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::Bytes(text);
    response
}

fn ok(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(json::to_string(value).into_bytes()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn group() -> Map {
    let version = value!({ "groupVersion": VERSION, "version": "v1beta1" });
    map!({ "name": GROUP, "preferredVersion": version.clone(), "versions": [version] })
}

fn resources() -> Map {
    let resource = |name: &str, kind: &str, namespaced: bool| value!({ "kind": kind, "name": name, "namespaced": namespaced, "singularName": "", "verbs": ["get", "list"] });
    map!({
        "apiVersion": "v1", "groupVersion": VERSION, "kind": "APIResourceList",
        "resources": [resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)],
    })
}

fn aggregated() -> Value {
    let resource = |name: &str, kind: &str, scope: &str| {
        value!({
            "resource": name, "responseKind": { "group": GROUP, "kind": kind, "version": "v1beta1" }, "scope": scope,
            "singularResource": "", "verbs": ["get", "list"],
        })
    };
    let resources = value!([resource("nodes", "NodeMetrics", "Cluster"), resource("pods", "PodMetrics", "Namespaced")]);
    value!({
        "metadata": { "creationTimestamp": null, "name": GROUP },
        "versions": [{ "freshness": "Current", "resources": resources, "version": "v1beta1" }],
    })
}

fn list(kind: &str, items: Vec<Value>) -> Map {
    map!({ "apiVersion": VERSION, "items": items, "kind": kind, "metadata": {} })
}

fn one(resource: &str, name: &str, found: Vec<Value>) -> Result<Map, Status> {
    let kind = if resource == "podmetrics" { "PodMetrics" } else { "NodeMetrics" };
    match found.first().and_then(Value::as_map) {
        Some(it) => Ok(it.with("apiVersion", VERSION).with("kind", kind)),
        None => Err(Status::not_found(GROUP, resource, name)),
    }
}

/// The request's `labelSelector`; everything without one.
fn selector(request: &http::Request<Vec<u8>>) -> LabelSelector {
    let query = request.uri().query().unwrap_or("");
    let text = query.split('&').find_map(|it| it.strip_prefix("labelSelector=")).unwrap_or("");
    LabelSelector::parse(&decoded(text)).unwrap_or_default()
}

/// A text without `%XX` and `+`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.extend(u8::from_str_radix(&digits, 16));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn pods(cluster: &Cluster, namespace: Option<&str>, selector: &LabelSelector) -> Vec<Value> {
    let pods = cluster.api.store().list(POD, namespace).filter(|it| selector.matches(&it.meta.labels));
    pods.filter_map(|it| pod(cluster, it)).collect()
}

fn pod(cluster: &Cluster, pod: &Arc<Object>) -> Option<Value> {
    let used = usage::of_pod(&cluster.view(), pod)?;
    let containers: Vec<Value> =
        used.iter().map(|it| value!({ "name": &it.container, "usage": amounts(it.cpu, it.memory) })).collect();
    Some(measured(cluster, pod, "containers", containers.into()))
}

fn nodes(cluster: &Cluster, name: Option<&str>, selector: &LabelSelector) -> Vec<Value> {
    let view = cluster.view();
    let nodes = cluster.api.store().list(NODE, None).filter(|it| selector.matches(&it.meta.labels));
    nodes
        .filter(|it| name.is_none_or(|name| it.name() == name))
        .map(|node| {
            let used: Vec<Usage> =
                view.on_node(node.name()).iter().filter_map(|it| usage::of_pod(&view, it)).flatten().collect();
            let sum = |of: fn(&Usage) -> i64, itself: i64| used.iter().map(of).fold(itself, i64::saturating_add);
            let amounts = amounts(sum(|it| it.cpu, NODE_ITSELF.0), sum(|it| it.memory, NODE_ITSELF.1));
            measured(cluster, node, "usage", amounts)
        })
        .collect()
}

/// As the metrics server writes them: billionths of a core, and binary thousands of bytes.
fn amounts(cpu: i64, memory: i64) -> Value {
    value!({ "cpu": format!("{}n", cpu.saturating_mul(1_000_000)), "memory": format!("{}Ki", memory / 1024) })
}

fn measured(cluster: &Cluster, object: &Object, key: &str, what: Value) -> Value {
    let at = time::format_secs(usage::measured_at(cluster.now).secs());
    let mut meta = map!({ "creationTimestamp": time::format_secs(cluster.now.secs()), "name": object.name() });
    if !object.namespace().is_empty() {
        meta.insert("namespace", object.namespace());
    }
    if !object.meta.labels.is_empty() {
        meta.insert("labels", object.meta.labels.clone());
    }
    Value::Map(map!({ "metadata": meta, "timestamp": at, "window": format!("{RESOLUTION}.0s") }).with(key, what))
}

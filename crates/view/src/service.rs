//! A Service: where it can be reached and the endpoints behind it.

use std::sync::Arc;

use meta::Object;
use store::Store;
use value::Value;

use crate::model::Ref;
use crate::wire;
use crate::words::{State, Words, counted};

const OF_SERVICE: &str = "kubernetes.io/service-name";

wire! {
    pub struct Port {
        pub name: String,
        /// Such as `80/TCP`.
        pub port: String,
        pub target: String,
        /// 0 for none.
        pub node_port: i64,
    }

    pub struct Endpoint {
        pub address: String,
        /// Empty where no pod stands behind it.
        pub pod: String,
        pub node: String,
        pub zone: String,
        pub is_ready: bool,
        pub is_serving: bool,
        pub is_terminating: bool,
        pub ports: String,
    }

    pub struct Service {
        pub kind: String,
        pub addresses: Vec<String>,
        /// The name inside the cluster.
        pub dns: String,
        pub selector: String,
        pub ports: Vec<Port>,
        /// What its policies say beyond the ordinary.
        pub notes: Vec<String>,
        pub endpoints: Vec<Endpoint>,
        /// Who could ask it something: pods and nodes, as [`Origin`]s.
        pub origins: Vec<Origin>,
        /// What one asks it for, from inside the cluster.
        pub url: String,
    }

    /// Who sends a request. Without a name: somebody outside the cluster.
    pub struct Origin {
        pub is_pod: bool,
        pub namespace: String,
        pub name: String,
    }

    /// The way of a request that was sent, as the engine tells it.
    pub struct Way {
        /// What came of it, in one sentence.
        pub text: String,
        pub is_answered: bool,
        pub body: String,
        pub hops: Vec<Hop>,
    }

    pub struct Hop {
        /// `DNS`, `Service`, `Endpoint` and so on.
        pub stage: String,
        pub message: String,
        /// What decided it; without a kind where nothing did.
        pub object: Ref,
        pub failed: bool,
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.is_pod, self.name.as_str()) {
            (_, "") => f.write_str("outside the cluster"),
            (true, name) => write!(f, "pod {}/{name}", self.namespace),
            (false, name) => write!(f, "node {name}"),
        }
    }
}

/// Pods and nodes that are offered as senders, at most of each.
const ORIGINS_MAX: usize = 40;

/// Pods that have an address, those of the namespace first and endpoints last, then nodes.
fn origins(store: &Store, service: &Object, endpoints: &[Endpoint]) -> Vec<Origin> {
    let is_endpoint = |it: &Object| endpoints.iter().any(|end| end.pod == it.name());
    let mut pods: Vec<&Arc<Object>> = store
        .list(kinds::POD, None)
        .filter(|it| it.str_at("status.phase") == Some("Running") && it.str_at("status.podIP").is_some())
        .collect();
    pods.sort_by_key(|it| {
        let is_far = it.namespace() != service.namespace();
        (is_far, !is_far && is_endpoint(it), it.namespace().to_owned(), it.name().to_owned())
    });
    let pods = pods.into_iter().take(ORIGINS_MAX).map(|it| Origin {
        is_pod: true,
        namespace: it.namespace().to_owned(),
        name: it.name().to_owned(),
    });
    let nodes = store.list(kinds::NODE, None).take(ORIGINS_MAX);
    let nodes = nodes.map(|it| Origin { name: it.name().to_owned(), ..Origin::default() });
    pods.chain(nodes).collect()
}

/// From the status of a NetworkRequest.
pub fn way(status: &Value) -> Way {
    let text = |of: &Value, path: &'static str| of.str_at(path).unwrap_or_default().to_owned();
    let outcome = status.str_at("outcome").unwrap_or_default();
    let is_answered = outcome == "Answered";
    let address = text(status, "address");
    // Who answers is a pod, whatever the address was; the first step is who asks.
    let pod = status.list_at("steps").iter().skip(1).rev().find(|it| it.str_at("object.kind") == Some("Pod"));
    let to = match (pod.filter(|_| is_answered), address.as_str()) {
        (Some(pod), _) => format!(" by pod {}", text(pod, "object.name")),
        (None, "") => String::new(),
        (None, address) => format!(" by {address}"),
    };
    let told = match outcome {
        "Answered" => format!("Answered with {}{to}", status.i64_at("code").unwrap_or(0)),
        "NameNotFound" => "The name resolves to nothing".to_owned(),
        "NameTimedOut" => "Nobody answered the question for the name".to_owned(),
        "ConnectionRefused" => format!("The connection was refused{to}"),
        "ConnectionTimedOut" => format!("Nothing came back{}", to.replace(" by ", " from ")),
        "NotSent" => "Nothing was sent".to_owned(),
        other => other.to_owned(),
    };
    let hop = |it: &Value| Hop {
        stage: text(it, "stage"),
        message: text(it, "message"),
        object: Ref {
            kind: text(it, "object.kind"),
            namespace: text(it, "object.namespace"),
            name: text(it, "object.name"),
        },
        failed: it.bool_at("failed") == Some(true),
    };
    Way { text: told, is_answered, body: text(status, "body"), hops: status.list_at("steps").iter().map(hop).collect() }
}

/// The Service of the API server itself, which nobody asked for.
pub(crate) fn is_of_cluster(service: &Object) -> bool {
    service.namespace() == "default" && service.name() == "kubernetes"
}

fn slices<'a>(service: &Object, all: impl Iterator<Item = &'a Arc<Object>>) -> impl Iterator<Item = &'a Arc<Object>> {
    all.filter(|it| it.meta.label(OF_SERVICE) == Some(service.name()))
}

pub(crate) fn words<'a>(service: &Object, all: impl Iterator<Item = &'a Arc<Object>>) -> Words {
    if service.str_at("spec.type") == Some("ExternalName") {
        let text = format!("another name for {}", service.str_at("spec.externalName").unwrap_or_default());
        return Words { count: String::new(), state: State::Good, text };
    }
    let (mut n, mut n_ready) = (0, 0);
    for slice in slices(service, all) {
        for endpoint in slice.list_at("endpoints") {
            n += 1;
            n_ready += i64::from(flag(endpoint, "conditions.ready", true));
        }
    }
    let (state, text) = match (n_ready, n) {
        (0, 0) => (State::Idle, "no endpoints".to_owned()),
        (0, n) => (State::Bad, format!("none of {} ready", counted(n, "endpoint"))),
        (ready, n) if ready < n => (State::Going, format!("{ready} of {n} endpoints ready")),
        (ready, _) => (State::Good, format!("{} ready", counted(ready, "endpoint"))),
    };
    Words { count: format!("{n_ready}/{n}"), state, text }
}

fn flag(endpoint: &Value, path: &'static str, default: bool) -> bool {
    endpoint.bool_at(path).unwrap_or(default)
}

pub fn of(store: &Store, service: &Object) -> Service {
    let text = |path: &'static str| service.str_at(path).unwrap_or_default().to_owned();
    let mut addresses: Vec<String> =
        service.list_at("spec.clusterIPs").iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    addresses.extend(service.str_at("spec.externalName").map(str::to_owned));
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for slice in slices(service, store.list(kinds::ENDPOINT_SLICE, Some(service.namespace()))) {
        let ports = ports_of(slice.list_at("ports"));
        endpoints.extend(slice.list_at("endpoints").iter().map(|it| endpoint(it, &ports)));
    }
    endpoints.sort_by(|a, b| (&a.pod, &a.address).cmp(&(&b.pod, &b.address)));
    let selector = service.map_at("spec.selector").into_iter().flat_map(|it| it.iter());
    Service {
        kind: text("spec.type"),
        addresses,
        dns: format!("{}.{}.svc.cluster.local", service.name(), service.namespace()),
        selector: selector
            .map(|(key, it)| format!("{key}={}", it.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(","),
        ports: service.list_at("spec.ports").iter().map(port).collect(),
        notes: notes(service),
        origins: origins(store, service, &endpoints),
        url: url(service),
        endpoints,
    }
}

/// The name that is the same from every namespace, with the first port if it is not HTTP's own.
fn url(service: &Object) -> String {
    let host = format!("http://{}.{}", service.name(), service.namespace());
    match service.list_at("spec.ports").first().and_then(|it| it.i64_at("port")) {
        Some(80) | None => host,
        Some(port) => format!("{host}:{port}"),
    }
}

fn number_or_text(it: Option<&Value>) -> String {
    it.and_then(|it| it.as_str().map(str::to_owned).or_else(|| it.as_i64().map(|it| it.to_string())))
        .unwrap_or_default()
}

fn port(it: &Value) -> Port {
    let number = number_or_text(it.get("port"));
    Port {
        name: it.str_at("name").unwrap_or_default().to_owned(),
        port: format!("{number}/{}", it.str_at("protocol").unwrap_or("TCP")),
        target: number_or_text(it.get("targetPort")),
        node_port: it.i64_at("nodePort").unwrap_or(0),
    }
}

fn ports_of(ports: &[Value]) -> String {
    let one = |it: &Value| match it.str_at("name").unwrap_or_default() {
        "" => number_or_text(it.get("port")),
        name => format!("{name} {}", number_or_text(it.get("port"))),
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn endpoint(it: &Value, ports: &str) -> Endpoint {
    let text = |path: &'static str| it.str_at(path).unwrap_or_default().to_owned();
    Endpoint {
        address: it.list_at("addresses").first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        pod: if it.str_at("targetRef.kind") == Some("Pod") { text("targetRef.name") } else { String::new() },
        node: text("nodeName"),
        zone: text("zone"),
        is_ready: flag(it, "conditions.ready", true),
        is_serving: flag(it, "conditions.serving", true),
        is_terminating: flag(it, "conditions.terminating", false),
        ports: ports.to_owned(),
    }
}

fn notes(service: &Object) -> Vec<String> {
    let is = |path: &'static str, text: &str| service.str_at(path) == Some(text);
    let all = [
        (is("spec.clusterIP", "None"), "Headless: its name resolves to the endpoints themselves."),
        (is("spec.internalTrafficPolicy", "Local"), "Requests from inside go only to endpoints on the same node."),
        (
            is("spec.externalTrafficPolicy", "Local"),
            "Requests from outside go only to endpoints on the node that they reach.",
        ),
        (is("spec.sessionAffinity", "ClientIP"), "A client keeps its endpoint."),
        (service.bool_at("spec.publishNotReadyAddresses") == Some(true), "Pods that are not ready count as ready."),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use kinds::{ENDPOINT_SLICE, Registry, SERVICE};
    use meta::Object;
    use store::Store;
    use value::{Value, value};

    #[track_caller]
    fn check(spec: Value, endpoints: Value, expect: Expect) {
        let object = |kind, tree: Value| Object::from_map(kind, tree.as_map().expect("the tests give maps"));
        let service = object(SERVICE, value!({ "metadata": { "name": "web", "namespace": "n" }, "spec": spec }));
        let mut store = Store::new(Registry::builtin().ids().count(), 64);
        let slice = value!({
            "metadata": { "name": "web-x", "namespace": "n", "labels": { "kubernetes.io/service-name": "web" } },
            "endpoints": endpoints, "ports": [{ "name": "http", "port": 8080 }],
        });
        store.create(object(ENDPOINT_SLICE, slice)).expect("it is new");
        let words = super::words(&service, store.list(ENDPOINT_SLICE, None));
        let it = super::of(&store, &service);
        let mut lines = vec![
            format!("{} {}", words.count, words.text),
            format!("{} {} {}", it.kind, it.addresses.join(","), it.selector),
        ];
        lines.extend(it.ports.iter().map(|it| format!("{} {} → {} {}", it.name, it.port, it.target, it.node_port)));
        lines.extend(it.endpoints.iter().map(|it| {
            format!(
                "{} {} on {} {} {:?}",
                it.address,
                it.pod,
                it.node,
                it.ports,
                (it.is_ready, it.is_serving, it.is_terminating)
            )
        }));
        lines.extend(it.notes);
        lines.push(it.url);
        expect.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn endpoints_say_what_they_are_good_for() {
        let endpoint = |n: i64, ready: bool, ending: bool| {
            value!({ "addresses": [format!("10.244.0.{n}")], "conditions": { "ready": ready, "serving": true, "terminating": ending },
                "nodeName": "node-1", "targetRef": { "kind": "Pod", "name": format!("web-{n}") } })
        };
        check(
            value!({ "type": "NodePort", "clusterIPs": ["10.96.0.10"], "selector": { "app": "web" }, "externalTrafficPolicy": "Local",
                "ports": [{ "name": "http", "port": 80, "targetPort": "http", "nodePort": 30080, "protocol": "TCP" }] }),
            Value::from(vec![endpoint(1, true, false), endpoint(2, false, true)]),
            expect![[r#"
                1/2 1 of 2 endpoints ready
                NodePort 10.96.0.10 app=web
                http 80/TCP → http 30080
                10.244.0.1 web-1 on node-1 http 8080 (true, true, false)
                10.244.0.2 web-2 on node-1 http 8080 (false, true, true)
                Requests from outside go only to endpoints on the node that they reach.
                http://web.n"#]],
        );
    }

    #[test]
    fn the_way_of_a_request_is_told_hop_by_hop() {
        let way = super::way(&value!({
            "outcome": "Answered", "code": 200, "address": "10.96.0.10:80", "body": "hello",
            "steps": [
                { "stage": "DNS", "message": "web.n is 10.96.0.10", "object": { "kind": "Service", "namespace": "n", "name": "web" } },
                { "stage": "Endpoint", "message": "web-1 is chosen" },
            ],
        }));
        let hops: Vec<String> =
            way.hops.iter().map(|it| format!("{} {} {}", it.stage, it.message, it.object)).collect();
        expect![[r#"
            Answered with 200 by 10.96.0.10:80
            DNS web.n is 10.96.0.10 Service n/web
            Endpoint web-1 is chosen  "#]]
        .assert_eq(&format!("{}\n{}", way.text, hops.join("\n")));
    }
}

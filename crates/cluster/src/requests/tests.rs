mod entrances;
mod names;

use apiserver::Body;
use expect_test::{Expect, expect};
use http::Request;
use sim::Duration;
use value::{Value, json, yaml};

use crate::{Cluster, Config};

/// Pods `web-0` and `web-1` behind several Services, a client, and a pod that does not listen.
const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {role: client}}
spec: {nodeName: node-1, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop, labels: {app: web}}
spec:
  nodeName: node-1
  hostname: web-0
  subdomain: peers
  containers: [{name: web, image: 'nginx:1.27', ports: [{name: http, containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec:
  nodeName: node-2
  hostname: web-1
  subdomain: peers
  containers: [{name: web, image: 'nginx:1.27', ports: [{name: http, containerPort: 80, hostPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: NodePort
  clusterIP: 10.96.10.10
  selector: {app: web}
  ports: [{name: web, port: 80, targetPort: http, nodePort: 30080}, {name: wrong, port: 81, targetPort: 9999, nodePort: 30081}]
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: local, namespace: shop}
spec: {clusterIP: 10.96.10.11, internalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: shop}
spec: {clusterIP: 10.96.10.12, selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}
";

fn path_of(object: &Value) -> String {
    let (version, kind) = (object.str_at("apiVersion").unwrap_or(""), object.str_at("kind").unwrap_or(""));
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    let plural = match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        "Ingress" | "IngressClass" => format!("{}es", kind.to_lowercase()),
        _ => format!("{}s", kind.to_lowercase()),
    };
    match object.str_at("metadata.namespace") {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        None => format!("{root}/{plural}"),
    }
}

fn post(cluster: &mut Cluster, object: &Value) -> Value {
    let request = Request::post(path_of(object)).header("content-type", "application/json");
    let request = request.body(json::to_string(object).into_bytes()).expect("the path is one");
    let Body::Bytes(bytes) = cluster.handle(request).into_body() else { panic!("no stream is asked for") };
    let answer = json::parse(&bytes).expect("answers are JSON");
    assert!(answer.str_at("kind") != Some("Status"), "{answer:?}");
    answer
}

fn cluster(more: &str) -> Cluster {
    let mut cluster = Cluster::new(&Config::default());
    pass(&mut cluster, 30);
    for text in [MANIFESTS, more] {
        for document in yaml::parse_documents(text).expect("the manifests are YAML") {
            post(&mut cluster, &document.value);
            pass(&mut cluster, 1);
        }
    }
    pass(&mut cluster, 10);
    cluster
}

fn pass(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.now() + Duration::from_secs(seconds);
    assert!(cluster.advance(until, 1_000_000).done, "the cluster comes to rest");
}

fn ask(cluster: &mut Cluster, from: &str, url: &str) -> Value {
    let from = match from.split_once('/') {
        Some((namespace, pod)) => value::value!({ "namespace": namespace, "pod": pod }),
        None if from.is_empty() => Value::Null,
        None => value::value!({ "node": from }),
    };
    let request = value::value!({
        "apiVersion": "sim.drydock.dev/v1alpha1", "kind": "NetworkRequest", "spec": { "from": from, "url": url },
    });
    post(cluster, &request)
}

fn shown(answer: &Value) -> String {
    let mut text = String::new();
    for step in answer.list_at("status.steps") {
        let mark = if step.bool_at("failed") == Some(true) { "✗" } else { "·" };
        text.push_str(&format!(
            "{mark} {}: {}\n",
            step.str_at("stage").unwrap_or(""),
            step.str_at("message").unwrap_or("")
        ));
    }
    let code = answer.i64_at("status.code").map_or(String::new(), |it| format!(" {it}"));
    let body = answer.str_at("status.body").unwrap_or("\n");
    text + answer.str_at("status.outcome").unwrap_or("") + &code + " " + body
}

/// One request in a fresh cluster with `more` objects.
#[track_caller]
fn check(more: &str, from: &str, url: &str, expect: Expect) {
    let answer = ask(&mut cluster(more), from, url);
    expect.assert_eq(&shown(&answer));
}

#[test]
fn a_short_name_leads_through_the_service_to_an_endpoint() {
    check(
        "",
        "shop/client",
        "http://web/x",
        expect![[r#"
        · DNS: web is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /x
    "#]],
    );
}

#[test]
fn a_target_port_where_nobody_listens_refuses() {
    check(
        "",
        "shop/client",
        "web:81",
        expect![[r#"
        · DNS: web is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:9999) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 9999
        ✗ Container: nothing listens on port 9999 of pod shop/web-0: its containers listen on 80
        ConnectionRefused 
    "#]],
    );
}

#[test]
fn a_port_that_the_service_has_not_times_out() {
    check(
        "",
        "shop/client",
        "http://web.shop:82",
        expect![[r#"
        · DNS: web.shop is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        ✗ Service: Service shop/web has no port 82/TCP, only 80/TCP, 81/TCP: no rule takes the packets
        ConnectionTimedOut 
    "#]],
    );
}

#[test]
fn a_service_without_endpoints_refuses() {
    check(
        "",
        "shop/client",
        "http://nobody",
        expect![[r#"
        · DNS: nobody is nobody.shop.svc.cluster.local by the search path
        · DNS: nobody.shop.svc.cluster.local is 10.96.10.12: the address of Service shop/nobody
        · Service: 10.96.10.12 is the cluster IP of Service shop/nobody
        ✗ Endpoint: Service shop/nobody refuses connections: it has no endpoints: no pod that its selector matches has an address
        ConnectionRefused 
    "#]],
    );
}

#[test]
fn a_headless_service_is_its_pods() {
    check(
        "",
        "shop/client",
        "http://peers",
        expect![[r#"
        · DNS: peers is peers.shop.svc.cluster.local by the search path
        · DNS: peers.shop.svc.cluster.local is 10.128.0.3, 10.128.1.2: Service shop/peers is headless, so these are the addresses of its ready pods
        · DNS: the client takes 10.128.0.3 of them: the DNS server turns their order
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        "",
        "shop/client",
        "http://web-1.peers.shop.svc.cluster.local",
        expect![[r#"
        · DNS: web-1.peers.shop.svc.cluster.local is 10.128.1.2: the pod that Service shop/peers announces as web-1
        · Address: it goes to pod shop/web-1 on port 80
        · Node: it goes from node node-1 to node node-2
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-1 on node-2: GET /
    "#]],
    );
}

#[test]
fn an_external_name_is_another_name() {
    check(
        "",
        "shop/client",
        "http://alias",
        expect![[r#"
        · DNS: alias is alias.shop.svc.cluster.local by the search path
        · DNS: alias.shop.svc.cluster.local is another name of web.shop.svc.cluster.local: Service shop/alias is an ExternalName
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
}

#[test]
fn names_that_are_not_there_are_not_found() {
    check(
        "",
        "shop/client",
        "http://wbe",
        expect![[r#"
        ✗ DNS: no name is found; asked for wbe.shop.svc.cluster.local, wbe.svc.cluster.local, wbe.cluster.local, wbe: there is no Service shop/wbe
        NameNotFound 
    "#]],
    );
    check(
        "",
        "",
        "http://web.shop.svc.cluster.local",
        expect![[r#"
        ✗ DNS: no name is found; asked for web.shop.svc.cluster.local: names of the cluster are known to its own DNS only
        NameNotFound 
    "#]],
    );
}

#[test]
fn local_traffic_stays_on_the_node() {
    check(
        "",
        "shop/client",
        "http://local",
        expect![[r#"
        · DNS: local is local.shop.svc.cluster.local by the search path
        · DNS: local.shop.svc.cluster.local is 10.96.10.11: the address of Service shop/local
        · Service: 10.96.10.11 is the cluster IP of Service shop/local
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 1; internalTrafficPolicy is Local: 1 of 2 on node node-1
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        "",
        "node-3",
        "http://10.96.10.11",
        expect![[r#"
        · Service: 10.96.10.11 is the cluster IP of Service shop/local
        ✗ Endpoint: internalTrafficPolicy is Local and none of the 2 usable endpoints is on node node-3: packets are dropped
        ConnectionTimedOut 
    "#]],
    );
}

#[test]
fn node_ports_and_host_ports_are_ports_of_nodes() {
    check(
        "",
        "",
        "http://node-3:30080",
        expect![[r#"
        · DNS: node-3 is 10.0.0.5: the node's address
        · Address: 10.0.0.5 is node node-3
        · Node: it comes to node node-3
        · Service: port 30080 of every node is the node port of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Node: it goes from node node-3 to node node-1
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        "",
        "",
        "http://node-2:8080",
        expect![[r#"
        · DNS: node-2 is 10.0.0.4: the node's address
        · Address: 10.0.0.4 is node node-2
        · Node: it comes to node node-2
        · Address: hostPort 8080 of pod shop/web-1 leads to its port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-1 on node-2: GET /
    "#]],
    );
    check(
        "",
        "",
        "http://node-3:8080",
        expect![[r#"
        · DNS: node-3 is 10.0.0.5: the node's address
        · Address: 10.0.0.5 is node node-3
        · Node: it comes to node node-3
        ✗ Address: nothing listens on port 8080 of node node-3: no hostPort, no nodePort, no pod with hostNetwork
        ConnectionRefused 
    "#]],
    );
}

#[test]
fn a_policy_that_denies_all_drops_packets() {
    let deny = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}}
";
    check(
        deny,
        "shop/client",
        "http://web",
        expect![[r#"
        · DNS: web is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        ✗ Policy: NetworkPolicy shop/deny isolates pod shop/web-0 for ingress and allows no connection from pod shop/client on port 80/TCP: packets are dropped
        ConnectionTimedOut 
    "#]],
    );
    let allow = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {role: client}}}], ports: [{port: http}]}]
";
    check(
        &format!("{deny}---{allow}"),
        "shop/client",
        "http://web",
        expect![[r#"
        · DNS: web is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Policy: NetworkPolicy shop/allow allows ingress from pod shop/client on port 80/TCP
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        &format!("{deny}---{allow}"),
        "shop/web-1",
        "http://web-0.peers",
        expect![[r#"
        · DNS: web-0.peers is web-0.peers.shop.svc.cluster.local by the search path
        · DNS: web-0.peers.shop.svc.cluster.local is 10.128.0.3: the pod that Service shop/peers announces as web-0
        · Address: it goes to pod shop/web-0 on port 80
        · Node: it goes from node node-2 to node node-1
        ✗ Policy: NetworkPolicies shop/allow, shop/deny isolate pod shop/web-0 for ingress and allow no connection from pod shop/web-1 on port 80/TCP: packets are dropped
        ConnectionTimedOut 
    "#]],
    );
}

#[test]
fn a_policy_for_egress_denies_names_too() {
    let egress = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: egress, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.0/12}}], ports: [{port: 80}]}]}
";
    check(
        egress,
        "shop/client",
        "http://web",
        expect![[r#"
        ✗ Policy: web cannot be asked for: NetworkPolicy shop/egress isolates pod shop/client for egress and allows no connection to the cluster's DNS (10.96.0.10) on port 53/UDP
        NameTimedOut 
    "#]],
    );
    check(
        egress,
        "shop/client",
        "http://10.96.10.10",
        expect![[r#"
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        ✗ Policy: NetworkPolicy shop/egress isolates pod shop/client for egress and allows no connection to pod shop/web-0 on port 80/TCP: packets are dropped
        ConnectionTimedOut 
    "#]],
    );
}

#[test]
fn a_machine_that_is_off_answers_nothing() {
    let mut cluster = cluster("");
    let request = Request::patch("/apis/sim.drydock.dev/v1alpha1/machines/node-2");
    let request = request.header("content-type", "application/merge-patch+json");
    let request = request.body(b"{\"spec\": {\"power\": \"Off\"}}".to_vec()).expect("the path is one");
    cluster.handle(request);
    expect![[r#"
        · DNS: web-1.peers is web-1.peers.shop.svc.cluster.local by the search path
        · DNS: web-1.peers.shop.svc.cluster.local is 10.128.1.2: the pod that Service shop/peers announces as web-1
        · Address: it goes to pod shop/web-1 on port 80
        ✗ Node: node node-2 is off: no packet gets through
        ConnectionTimedOut 
    "#]]
    .assert_eq(&shown(&ask(&mut cluster, "shop/client", "http://web-1.peers")));
    expect![[r#"
        ✗ Node: node node-2 is off: nothing on it can send
        NotSent 
    "#]]
    .assert_eq(&shown(&ask(&mut cluster, "shop/web-1", "http://web-0.peers")));
}

#[test]
fn a_readiness_gate_opens_the_way() {
    let gated = "
apiVersion: v1
kind: Pod
metadata: {name: gated, namespace: shop, labels: {app: gated}}
spec:
  readinessGates: [{conditionType: example.com/ok}]
  containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: behind, namespace: shop}
spec: {clusterIP: 10.96.10.30, selector: {app: gated}, ports: [{port: 80}]}
";
    let mut cluster = cluster(gated);
    let mut outcomes = String::new();
    for status in ["Unknown", "True", "False"] {
        let body = format!(r#"{{"status":{{"conditions":[{{"type":"example.com/ok","status":"{status}"}}]}}}}"#);
        let request = Request::patch("/api/v1/namespaces/shop/pods/gated/status");
        let request = request.header("content-type", "application/strategic-merge-patch+json");
        cluster.handle(request.body(body.into_bytes()).expect("the path is one"));
        pass(&mut cluster, 2);
        let answer = ask(&mut cluster, "shop/client", "http://behind");
        let last = answer.list_at("status.steps").last().and_then(|it| it.str_at("message")).unwrap_or("");
        outcomes.push_str(&format!("{status}: {last}\n"));
    }
    expect![[r#"
        Unknown: Service shop/behind refuses connections: its one endpoint, pod shop/gated, is not ready
        True: HTTP 200 OK
        False: Service shop/behind refuses connections: its one endpoint, pod shop/gated, is not ready
    "#]]
    .assert_eq(&outcomes);
}

#[test]
fn requests_take_turns() {
    let mut cluster = cluster("");
    let mut answers = String::new();
    for _ in 0..3 {
        answers.push_str(ask(&mut cluster, "shop/client", "http://web").str_at("status.pod.name").unwrap_or("-"));
        answers.push('\n');
    }
    expect![[r#"
        web-0
        web-1
        web-0
    "#]]
    .assert_eq(&answers);
}

fn get(cluster: &mut Cluster, path: &str) -> String {
    let request = Request::get(path).body(Vec::new()).expect("the path is one");
    let (parts, body) = cluster.handle(request).into_parts();
    let Body::Bytes(bytes) = body else { panic!("no stream is asked for") };
    let text = String::from_utf8(bytes).expect("answers are texts");
    let message = json::parse(text.as_bytes()).ok().and_then(|it| it.str_at("message").map(str::to_owned));
    format!("{} {}\n", parts.status.as_u16(), message.as_deref().unwrap_or(&text).trim())
}

#[test]
fn the_api_server_passes_requests_on() {
    let mut cluster = cluster("");
    let paths = [
        "services/web:web/proxy/hello?x=y",
        "services/web:80/proxy",
        "services/web:81/proxy/",
        "services/web:82/proxy/",
        "services/nobody/proxy/",
        "pods/web-1/proxy/a/b",
        "pods/web-1:http/proxy/",
        "pods/client:81/proxy/",
    ];
    let answers: String = paths.map(|it| get(&mut cluster, &format!("/api/v1/namespaces/shop/{it}"))).concat();
    expect![[r#"
        200 web-0 on node-1: GET /hello?x=y
        200 web-1 on node-2: GET /
        503 error trying to reach service: dial tcp 10.128.0.3:9999: connect: connection refused
        503 no service port 82 found for service "web"
        503 no endpoints available for service "nobody"
        200 web-1 on node-2: GET /a/b
        200 web-1 on node-2: GET /
        503 error trying to reach service: dial tcp 10.128.0.2:81: connect: connection refused
    "#]]
    .assert_eq(&answers);
}

#[test]
fn pods_that_end_serve_while_no_other_does() {
    let mut cluster = cluster("");
    for pod in ["web-0", "web-1"] {
        let request = Request::delete(format!("/api/v1/namespaces/shop/pods/{pod}"));
        cluster.handle(request.body(Vec::new()).expect("the path is one"));
    }
    let until = cluster.now() + Duration::from_millis(100);
    cluster.advance(until, 1_000_000);
    expect![[r#"
        · DNS: web is web.shop.svc.cluster.local by the search path
        · DNS: web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        · Service: 10.96.10.10 is the cluster IP of Service shop/web
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2; none is ready, so those that still serve while they terminate are used
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]].assert_eq(&shown(&ask(&mut cluster, "shop/client", "http://web")));
}

#[test]
fn a_partition_cuts_both_ways() {
    let mut cluster = cluster("");
    let request = Request::patch("/apis/sim.drydock.dev/v1alpha1/machines/node-1");
    let request = request.header("content-type", "application/merge-patch+json");
    let request = request.body(b"{\"spec\": {\"network\": \"Partitioned\"}}".to_vec()).expect("the path is one");
    cluster.handle(request);
    let mut lines = String::new();
    for (from, url) in [
        ("shop/client", "http://web-0.peers"),
        ("shop/client", "http://web-1.peers"),
        ("shop/web-1", "http://web-0.peers"),
        ("", "http://node-1:30080"),
        ("shop/client", "http://example.com"),
    ] {
        let answer = ask(&mut cluster, from, url);
        let last = answer.list_at("status.steps").last().and_then(|it| it.str_at("message")).unwrap_or("");
        lines.push_str(&format!("{from} {url}: {last}\n"));
    }
    expect![[r#"
        shop/client http://web-0.peers: web-0.peers cannot be asked for: node node-1 is cut off from the network
        shop/client http://web-1.peers: web-1.peers cannot be asked for: node node-1 is cut off from the network
        shop/web-1 http://web-0.peers: node node-1 is cut off from the network: no packet gets through
         http://node-1:30080: node node-1 is cut off from the network: no packet gets through
        shop/client http://example.com: example.com cannot be asked for: node node-1 is cut off from the network
    "#]]
    .assert_eq(&lines);
}

use expect_test::expect;

use super::check;

const ENTRANCES: &str = "
apiVersion: v1
kind: Service
metadata: {name: public, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: near, namespace: shop}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /api, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /api/old, pathType: Exact, backend: {service: {name: nobody, port: {number: 80}}}}
  - host: '*.example.com'
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: strange, namespace: shop}
spec:
  ingressClassName: strange
  rules: [{host: strange.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
";

#[test]
fn a_load_balancer_sends_to_healthy_nodes() {
    check(
        ENTRANCES,
        "",
        "http://203.0.113.2",
        expect![[r#"
        · Service: 203.0.113.2 is the load balancer's address of Service shop/public
        · Node: it comes in at node node-1, one of 3 healthy nodes
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        ENTRANCES,
        "",
        "http://203.0.113.3",
        expect![[r#"
        · Service: 203.0.113.3 is the load balancer's address of Service shop/near
        · Node: it comes in at node node-1, one of 2 healthy nodes, which has an endpoint: externalTrafficPolicy is Local
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 1; externalTrafficPolicy is Local: 1 of 2 on node node-1
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        ENTRANCES,
        "shop/client",
        "http://203.0.113.3",
        expect![[r#"
        · Service: 203.0.113.3 is the load balancer's address of Service shop/near
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
}

#[test]
fn an_ingress_chooses_by_host_and_path() {
    check(
        ENTRANCES,
        "",
        "http://shop.example.com/api/new",
        expect![[r#"
            · DNS: shop.example.com is 203.0.113.1: a host of Ingress shop/shop, taken to point to its controller
            · Ingress: 203.0.113.1 is the Ingress controller, which serves one Ingress
            · Ingress: the rule shop.example.com/api (Prefix) of Ingress shop/shop takes shop.example.com/api/new
            · Service: the backend is Service shop/web; the controller goes straight to its endpoints
            · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
            · Address: it goes to pod shop/web-0 on port 80
            · Node: it comes to node node-1
            · Container: container web declares port 80: the connection is taken
            · Answer: HTTP 200 OK
            Answered 200 web-0 on node-1: GET /api/new
        "#]],
    );
    check(
        ENTRANCES,
        "",
        "http://shop.example.com/api/old",
        expect![[r#"
            · DNS: shop.example.com is 203.0.113.1: a host of Ingress shop/shop, taken to point to its controller
            · Ingress: 203.0.113.1 is the Ingress controller, which serves one Ingress
            · Ingress: the rule shop.example.com/api/old (Exact) of Ingress shop/shop takes shop.example.com/api/old
            · Service: the backend is Service shop/nobody; the controller goes straight to its endpoints
            ✗ Endpoint: Service shop/nobody refuses connections: it has no endpoints: no pod that its selector matches has an address
            · Answer: the controller has nowhere to send it: HTTP 503
            Answered 503 503 Service Temporarily Unavailable
        "#]],
    );
    check(
        ENTRANCES,
        "",
        "http://shop.example.com/apis",
        expect![[r#"
            · DNS: shop.example.com is 203.0.113.1: a host of Ingress shop/shop, taken to point to its controller
            · Ingress: 203.0.113.1 is the Ingress controller, which serves one Ingress
            · Answer: no rule takes shop.example.com/apis: HTTP 404
            Answered 404 default backend - 404"#]],
    );
    check(
        ENTRANCES,
        "",
        "http://other.example.com/",
        expect![[r#"
            · DNS: other.example.com is 203.0.113.1: a host of Ingress shop/shop, taken to point to its controller
            · Ingress: 203.0.113.1 is the Ingress controller, which serves one Ingress
            · Ingress: the rule *.example.com/ (Prefix) of Ingress shop/shop takes other.example.com/
            · Answer: there is no Service shop/gone: HTTP 503
            Answered 503 503 Service Temporarily Unavailable
        "#]],
    );
    check(
        ENTRANCES,
        "shop/client",
        "https://203.0.113.1/",
        expect![[r#"
            · Ingress: 203.0.113.1 is the Ingress controller, which serves one Ingress
            · Ingress: no Ingress has TLS for 203.0.113.1, so the controller shows a certificate of its own
            · Answer: no rule takes 203.0.113.1/: HTTP 404
            Answered 404 default backend - 404"#]],
    );
    check(
        ENTRANCES,
        "",
        "http://strange.example.org/",
        expect![[r#"
        ✗ DNS: no name is found; asked for strange.example.org: it is a host of Ingress shop/strange, which has no address: no controller serves its class strange
        NameNotFound 
    "#]],
    );
}

#[test]
fn what_comes_from_outside_has_the_address_of_a_node_unless_traffic_is_local() {
    let policy = "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: outside, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]
";
    let all = format!("{ENTRANCES}{policy}");
    check(
        &all,
        "",
        "http://203.0.113.2",
        expect![[r#"
            · Service: 203.0.113.2 is the load balancer's address of Service shop/public
            · Node: it comes in at node node-1, one of 3 healthy nodes
            · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
            · Address: it goes to pod shop/web-0 on port 80
            ✗ Policy: NetworkPolicy shop/outside isolates pod shop/web-0 for ingress and allows no connection from node node-1 (the client's packets bear its address) on port 80/TCP: packets are dropped
            ConnectionTimedOut 
        "#]],
    );
    check(
        &all,
        "",
        "http://203.0.113.3",
        expect![[r#"
        · Service: 203.0.113.3 is the load balancer's address of Service shop/near
        · Node: it comes in at node node-1, one of 2 healthy nodes, which has an endpoint: externalTrafficPolicy is Local
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 1; externalTrafficPolicy is Local: 1 of 2 on node node-1
        · Address: it goes to pod shop/web-0 on port 80
        · Policy: NetworkPolicy shop/outside allows ingress from the client outside on port 80/TCP
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
}

#[test]
fn affinity_and_hints_choose() {
    let services = "
apiVersion: v1
kind: Service
metadata: {name: sticky, namespace: shop}
spec: {clusterIP: 10.96.10.20, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: same-node, namespace: shop}
spec: {clusterIP: 10.96.10.21, trafficDistribution: PreferSameNode, selector: {app: web}, ports: [{port: 80}]}
";
    check(
        services,
        "shop/client",
        "http://sticky",
        expect![[r#"
        · DNS: sticky is sticky.shop.svc.cluster.local by the search path
        · DNS: sticky.shop.svc.cluster.local is 10.96.10.20: the address of Service shop/sticky
        · Service: 10.96.10.20 is the cluster IP of Service shop/sticky
        · Endpoint: pod shop/web-1 (10.128.1.2:80) on node node-2 is chosen, one of 2; sessionAffinity is ClientIP, so 10.128.0.2 always gets the same
        · Address: it goes to pod shop/web-1 on port 80
        · Node: it goes from node node-1 to node node-2
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-1 on node-2: GET /
    "#]],
    );
    check(
        services,
        "shop/client",
        "http://same-node",
        expect![[r#"
        · DNS: same-node is same-node.shop.svc.cluster.local by the search path
        · DNS: same-node.shop.svc.cluster.local is 10.96.10.21: the address of Service shop/same-node
        · Service: 10.96.10.21 is the cluster IP of Service shop/same-node
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 1; trafficDistribution prefers those of node node-1
        · Address: it goes to pod shop/web-0 on port 80
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
    check(
        services,
        "node-3",
        "http://10.96.10.21",
        expect![[r#"
        · Service: 10.96.10.21 is the cluster IP of Service shop/same-node
        · Endpoint: pod shop/web-0 (10.128.0.3:80) on node node-1 is chosen, one of 2
        · Address: it goes to pod shop/web-0 on port 80
        · Node: it goes from node node-3 to node node-1
        · Container: container web declares port 80: the connection is taken
        · Answer: HTTP 200 OK
        Answered 200 web-0 on node-1: GET /
    "#]],
    );
}

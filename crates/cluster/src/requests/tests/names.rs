use expect_test::expect;

use super::{ask, check, cluster};

/// The steps of name resolution alone, from pods whose resolvers differ.
#[test]
fn resolvers_differ_by_dns_policy() {
    let pods = "
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: shop}
spec: {dnsPolicy: Default, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: shop}
spec: {hostNetwork: true, containers: [{name: c, image: busybox, command: [sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: own, namespace: shop}
spec:
  dnsPolicy: None
  dnsConfig: {nameservers: [10.96.0.10], searches: [shop.svc.cluster.local], options: [{name: ndots, value: '1'}]}
  hostAliases: [{ip: 10.96.10.10, hostnames: [old-shop]}]
  containers: [{name: c, image: busybox, command: [sleep, infinity]}]
";
    let mut cluster = cluster(pods);
    let mut lines = String::new();
    for (from, url) in [
        ("plain", "http://web"),
        ("host", "http://web.shop"),
        ("own", "http://web"),
        ("own", "http://web.shop"),
        ("own", "http://old-shop"),
        ("client", "http://web.shop.svc"),
        ("client", "http://kubernetes.default"),
        ("client", "http://example.com"),
        ("client", "http://localhost:80"),
    ] {
        let answer = ask(&mut cluster, &format!("shop/{from}"), url);
        lines.push_str(&format!("{from} {url}: {}\n", answer.str_at("status.outcome").unwrap_or("")));
        for step in answer.list_at("status.steps").iter().filter(|it| it.str_at("stage") == Some("DNS")) {
            lines.push_str(&format!("  {}\n", step.str_at("message").unwrap_or("")));
        }
    }
    expect![[r#"
        plain http://web: NameNotFound
          dnsPolicy is Default, so the node's DNS is asked, which knows no Services
          no name is found; asked for web: nobody outside has registered web
        host http://web.shop: NameNotFound
          hostNetwork with dnsPolicy ClusterFirst asks the node's DNS; ClusterFirstWithHostNet would not
          no name is found; asked for web.shop: nobody outside has registered web.shop
        own http://web: Answered
          dnsPolicy is None, so only dnsConfig counts
          web is web.shop.svc.cluster.local by the search path
          web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        own http://web.shop: NameNotFound
          dnsPolicy is None, so only dnsConfig counts
          no name is found; asked for web.shop, web.shop.shop.svc.cluster.local: nobody outside has registered web.shop
        own http://old-shop: Answered
          old-shop is 10.96.10.10 in the container's /etc/hosts
        client http://web.shop.svc: Answered
          web.shop.svc is web.shop.svc.cluster.local by the search path
          web.shop.svc.cluster.local is 10.96.10.10: the address of Service shop/web
        client http://kubernetes.default: ConnectionTimedOut
          kubernetes.default is kubernetes.default.svc.cluster.local by the search path
          kubernetes.default.svc.cluster.local is 10.96.0.1: the address of Service default/kubernetes
        client http://example.com: Answered
          example.com is 192.0.2.29: a name of the world outside
        client http://localhost:80: ConnectionRefused
          localhost is 127.0.0.1 in the container's /etc/hosts
    "#]]
    .assert_eq(&lines);
}

#[test]
fn pods_that_are_not_ready_answer_where_they_are_announced() {
    let slow = "
apiVersion: v1
kind: Pod
metadata: {name: slow, namespace: shop, labels: {app: slow}, annotations: {sim.drydock.dev/c.ready.never: 'true'}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: early, namespace: shop}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: slow}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: late, namespace: shop}
spec: {clusterIP: None, selector: {app: slow}, ports: [{port: 80}]}
";
    check(
        slow,
        "shop/client",
        "http://early",
        expect![[r#"
            · DNS: early is early.shop.svc.cluster.local by the search path
            · DNS: early.shop.svc.cluster.local is 10.128.2.2: Service shop/early is headless, so these are the addresses of its pods, ready or not
            · Address: it goes to pod shop/slow on port 80
            · Node: it goes from node node-1 to node node-3
            · Container: container c declares port 80: the connection is taken
            · Answer: HTTP 200 OK
            Answered 200 slow on node-3: GET /
        "#]],
    );
    check(
        slow,
        "shop/client",
        "http://late",
        expect![[r#"
            ✗ DNS: no name is found; asked for late.shop.svc.cluster.local, late.svc.cluster.local, late.cluster.local, late: the one endpoint of headless Service shop/late is not ready
            NameNotFound 
        "#]],
    );
}

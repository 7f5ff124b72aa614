use std::sync::Arc;

use expect_test::{Expect, expect};
use kinds::{POD, SERVICE};
use meta::{KindId, Object};
use value::yaml;

use super::subsets;

fn object(kind: KindId, text: &str) -> Object {
    let document = yaml::parse_documents(text).expect("the text is YAML").remove(0);
    Object::from_map(kind, document.value.as_map().expect("the text is a map"))
}

/// Pods as name, whether they are ready and the port that they call `web`; the subsets as `ready|not ready:ports`.
#[track_caller]
fn check(spec: &str, pods: &[(&str, bool, i64)], expected: Expect) {
    let service = object(SERVICE, &format!("{{metadata: {{name: web, namespace: default}}, spec: {spec}}}"));
    let pod = |(name, ready, port): &(&str, bool, i64)| {
        let status = if *ready { "True" } else { "False" };
        Arc::new(object(
            POD,
            &format!(
                "{{metadata: {{name: {name}, namespace: default, uid: {name}}}, spec: {{nodeName: n, containers: [{{name: c, ports: [{{name: web, containerPort: {port}, protocol: TCP}}]}}]}}, status: {{phase: Running, podIP: 10.0.0.{port}, podIPs: [{{ip: 10.0.0.{}}}], conditions: [{{type: Ready, status: '{status}'}}]}}}}",
                name.len(),
            ),
        ))
    };
    let pods: Vec<Arc<Object>> = pods.iter().map(pod).collect();
    let mut lines = String::new();
    for subset in subsets(&service, &pods) {
        let names = |key: &'static str| -> Vec<&str> {
            subset.list_at(key).iter().filter_map(|it| it.str_at("targetRef.name")).collect()
        };
        let ports: Vec<String> = subset
            .list_at("ports")
            .iter()
            .map(|it| format!("{}={}", it.str_at("name").unwrap_or(""), it.i64_at("port").unwrap_or(0)))
            .collect();
        let (ready, not_ready) = (names("addresses").join(","), names("notReadyAddresses").join(","));
        lines += &format!("{ready}|{not_ready}: {}\n", ports.join(" "));
    }
    expected.assert_eq(&lines);
}

#[test]
fn addresses_with_the_same_ports_stand_together() {
    check(
        "{clusterIP: 10.96.0.9, ports: [{name: a, port: 80, targetPort: web, protocol: TCP}, {name: b, port: 81, targetPort: 9000, protocol: TCP}]}",
        &[("a", true, 8080), ("bb", false, 8080), ("ccc", true, 8081)],
        expect![[r#"
            a|bb: a=8080
            ccc|: a=8081
            a,ccc|bb: b=9000
        "#]],
    );
}

#[test]
fn pods_are_announced_early_where_the_service_says_so() {
    let pods = [("a", true, 80), ("bb", false, 80)];
    let ports = "ports: [{port: 80, targetPort: 80, protocol: TCP}]";
    check(
        &format!("{{clusterIP: 10.96.0.9, {ports}}}"),
        &pods,
        expect![[r#"
        a|bb: =80
    "#]],
    );
    check(
        &format!("{{clusterIP: 10.96.0.9, publishNotReadyAddresses: true, {ports}}}"),
        &pods,
        expect![[r#"
        a,bb|: =80
    "#]],
    );
    check(
        "{clusterIP: None}",
        &pods,
        expect![[r#"
        a|bb: 
    "#]],
    );
}

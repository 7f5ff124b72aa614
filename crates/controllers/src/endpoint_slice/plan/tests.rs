use std::sync::Arc;

use expect_test::{Expect, expect};
use kinds::ENDPOINT_SLICE;
use meta::{Metadata, Object};
use value::{Map, Value, map, value};

use super::{Group, Plan, plan};

fn ports(port: i64) -> Value {
    if port == 0 { value!([]) } else { value!([{ "name": "", "port": port, "protocol": "TCP" }]) }
}

fn endpoint(name: &str, ready: bool) -> Value {
    let target = value!({ "kind": "Pod", "name": name, "namespace": "default" });
    value!({ "addresses": [name], "conditions": { "ready": ready }, "targetRef": target })
}

fn slice(name: &str, ports: &Value, endpoints: Vec<Value>) -> Object {
    let meta = Metadata::cluster(name);
    let body = map!({ "addressType": "IPv4", "endpoints": endpoints, "ports": ports.clone() });
    Object { kind: ENDPOINT_SLICE, meta, body }
}

/// Live slices as name, port and number of endpoints `p0` …; the port and number that are wanted, and how many of them are ready.
#[track_caller]
fn check(
    live: &[(&str, i64, std::ops::Range<usize>)],
    wanted: &[(i64, std::ops::Range<usize>, usize)],
    expected: Expect,
) {
    let pods = |range: &std::ops::Range<usize>, ready: usize| -> Vec<Value> {
        range.clone().map(|it| endpoint(&format!("p{it:03}"), it < ready)).collect()
    };
    let live = live.iter().map(|(name, port, range)| Arc::new(slice(name, &ports(*port), pods(range, usize::MAX))));
    let groups = wanted.iter().map(|(port, range, ready)| {
        let mut group = Group::new(ports(*port));
        pods(range, *ready).into_iter().for_each(|it| group.want(it));
        group
    });
    let new = |ports: &Value| slice("", ports, Vec::new());
    let res = plan(live.collect(), groups.collect(), &|_| true, &Map::new(), &[], &new, Value::eq);
    expected.assert_eq(&shown(&res));
}

fn shown(plan: &Plan) -> String {
    let line = |what: &str, it: &Object| {
        let (name, n) = (it.name(), it.list_at("endpoints").len());
        let port = it.list_at("ports").first().and_then(|it| it.i64_at("port")).unwrap_or(0);
        format!("{what} {name} of port {port} with {n}\n")
    };
    let create = plan.create.iter().map(|it| line("create", it));
    let update = plan.update.iter().map(|it| line("update", it));
    let delete = plan.delete.iter().map(|it| line("delete", it));
    create.chain(update).chain(delete).collect()
}

#[test]
fn a_service_without_endpoints_keeps_an_empty_slice() {
    check(
        &[],
        &[],
        expect![[r#"
        create  of port 0 with 0
    "#]],
    );
    check(&[("a", 0, 0..0)], &[], expect![""]);
    check(
        &[("a", 80, 0..2)],
        &[],
        expect![[r#"
        create  of port 0 with 0
        delete a of port 80 with 2
    "#]],
    );
}

#[test]
fn slices_are_filled_up_and_those_that_do_not_change_are_left_alone() {
    check(&[("a", 80, 0..100), ("b", 80, 100..150)], &[(80, 0..150, 150)], expect![""]);
    check(
        &[("a", 80, 0..100), ("b", 80, 100..150)],
        &[(80, 0..160, 160)],
        expect![[r#"
        update b of port 80 with 60
    "#]],
    );
    check(
        &[("a", 80, 0..100), ("b", 80, 100..150)],
        &[(80, 0..160, 99)],
        expect![[r#"
        update a of port 80 with 100
        update b of port 80 with 60
    "#]],
    );
    check(
        &[("a", 80, 0..100)],
        &[(80, 0..230, 230)],
        expect![[r#"
        create  of port 80 with 100
        create  of port 80 with 30
    "#]],
    );
}

#[test]
fn pods_that_offer_other_ports_have_slices_of_their_own() {
    check(
        &[("a", 80, 0..3)],
        &[(80, 0..2, 2), (8080, 2..3, 3)],
        expect![[r#"
        create  of port 8080 with 1
        update a of port 80 with 2
    "#]],
    );
}

use value::{Value, value};

use super::{ORDERS, write, write_pretty};

#[test]
fn orders_can_be_searched() {
    assert!(ORDERS.is_sorted_by_key(|(key, _)| *key));
}

#[track_caller]
fn check(it: Value, expect: &str) {
    let mut out = Vec::new();
    write(&it, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), expect);
}

#[test]
fn built_in_kinds_have_their_own_order() {
    let map = value!({
        "apiVersion": "v1", "data": { "name": "x", "kind": "y" }, "kind": "ConfigMap", "immutable": true,
        "metadata": { "labels": { "uid": "1", "name": "2" }, "name": "a" },
    });
    check(
        map,
        r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","labels":{"name":"2","uid":"1"}},"immutable":true,"data":{"kind":"y","name":"x"}}"#,
    );
    let containers = value!([{ "image": "i", "name": "c", "ports": [{ "containerPort": 1, "name": "p" }] }]);
    let pods = value!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [
        { "spec": { "nodeName": "n", "containers": containers }, "status": { "phase": "x" } },
    ] });
    check(
        pods,
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"spec":{"containers":[{"name":"c","image":"i","ports":[{"name":"p","containerPort":1}]}],"nodeName":"n"},"status":{"phase":"x"}}]}"#,
    );
}

#[test]
fn other_kinds_are_sorted() {
    let thing = value!({ "kind": "Thing", "apiVersion": "example.com/v1", "metadata": { "name": "a", "labels": {} } });
    check(thing, r#"{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"labels":{},"name":"a"}}"#);
}

#[test]
fn people_get_lines() {
    let mut out = Vec::new();
    write_pretty(&value!({ "metadata": {}, "items": [1, { "a": [] }], "kind": "List" }), &mut out);
    let expect =
        "{\n  \"kind\": \"List\",\n  \"metadata\": {},\n  \"items\": [\n    1,\n    {\n      \"a\": []\n    }\n  ]\n}";
    assert_eq!(String::from_utf8_lossy(&out), expect);
}

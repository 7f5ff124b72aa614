use value::value;

use super::{ORDERS, write, write_pretty};

#[test]
fn orders_can_be_searched() {
    assert!(ORDERS.is_sorted_by_key(|(key, _)| *key));
}

#[test]
fn kind_comes_first_and_data_stays_sorted() {
    let it = value!({
        "apiVersion": "v1", "data": { "name": "x", "kind": "y" }, "kind": "ConfigMap", "immutable": true,
        "metadata": { "labels": { "uid": "1", "name": "2" }, "name": "a" },
    });
    let mut out = Vec::new();
    write(&it, &mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","labels":{"name":"2","uid":"1"}},"immutable":true,"data":{"kind":"y","name":"x"}}"#
    );
}

#[test]
fn people_get_lines() {
    let mut out = Vec::new();
    write_pretty(&value!({ "metadata": {}, "items": [1, { "a": [] }], "kind": "List" }), &mut out);
    let expect =
        "{\n  \"kind\": \"List\",\n  \"metadata\": {},\n  \"items\": [\n    1,\n    {\n      \"a\": []\n    }\n  ]\n}";
    assert_eq!(String::from_utf8_lossy(&out), expect);
}

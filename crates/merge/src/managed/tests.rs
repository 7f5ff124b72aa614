use std::sync::Arc;

use expect_test::{Expect, expect};
use meta::{KindId, ManagedEntry, Object, Operation};
use schema::Schema;
use value::{Map, Value, json};

use crate::Memo;
use crate::managed::{self, Update};

/// Each line `MANAGER/SUB BODY` is one more write of a pod, a second after the last. What it leaves.
#[track_caller]
fn check(writes: &str, expected: Expect) {
    let schema = Schema::shared();
    let ty = schema.definition("io.k8s.api.core.v1.Pod");
    let memo = Memo::default();
    let mut live: Option<Arc<Object>> = None;
    for (idx, line) in writes.lines().map(str::trim).filter(|it| !it.is_empty()).enumerate() {
        let (who, body) = line.split_once(' ').unwrap();
        let (manager, sub) = who.split_once('/').unwrap();
        let sub = if sub.is_empty() {
            ""
        } else {
            assert_eq!(sub, "status");
            "status"
        };
        let body = json::parse(body.as_bytes()).unwrap();
        let mut object = Object::from_map(KindId(0), body.as_map().unwrap());
        object.meta.uid = "u".into();
        let update = Update { ty, manager: manager.into(), api_version: "v1".into(), sub, now_secs: idx as i64 };
        managed::update(schema, update, live.as_ref(), &mut object, &memo);
        live = Some(Arc::new(object));
    }
    let shown: String = live.iter().flat_map(|it| it.meta.managed.iter()).map(show).collect();
    expected.assert_eq(&shown);
}

fn show(entry: &ManagedEntry) -> String {
    let ManagedEntry { manager, operation, api_version, time, subresource, fields } = entry;
    let sub = if subresource.is_empty() { "" } else { "/" };
    let fields = json::to_string(&Value::Map(fields.clone()));
    format!("{manager}{sub}{subresource} {operation:?} {api_version} at {} {fields}\n", time.unwrap_or(-1))
}

#[test]
fn a_creator_owns_what_differs_from_nothing() {
    check(
        r#"a/ {"metadata":{"name":"n","labels":{"app":"x"}},"spec":{"containers":[{"name":"c","resources":{}}],"nodeSelector":{"k":"v"}},"status":{"phase":"Pending"}}"#,
        expect![[r#"
            a Update v1 at 0 {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:resources":{}}},"f:nodeSelector":{}}}
        "#]],
    );
}

#[test]
fn an_item_without_its_key_has_the_default_one() {
    check(
        r#"a/ {"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}]}],"imagePullSecrets":[{}]}}"#,
        expect![[r#"
            a Update v1 at 0 {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}},"f:imagePullSecrets":{".":{},"k:{\"name\":\"\"}":{}}}}
        "#]],
    );
}

#[test]
fn fields_go_to_the_last_who_changes_them() {
    check(
        r#"
        a/ {"metadata":{"labels":{"x":"1","y":"1"}}}
        b/ {"metadata":{"labels":{"x":"2","y":"1"}}}
        c/status {"metadata":{"labels":{"x":"2","y":"1"}},"status":{"phase":"Running"}}
        b/ {"metadata":{"labels":{"x":"2"}},"status":{"phase":"Running"}}
        "#,
        expect![[r#"
            a Update v1 at 0 {"f:metadata":{"f:labels":{}}}
            b Update v1 at 1 {"f:metadata":{"f:labels":{"f:x":{}}}}
            c/status Update v1 at 2 {"f:status":{".":{},"f:phase":{}}}
        "#]],
    );
}

#[test]
fn a_client_may_send_managed_fields_or_have_them_forgotten() {
    let entry = r#"{"manager":"z","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:x":{},"k:{ \"b\":1, \"a\":2}":{}}},"z:x":{}}}"#;
    let sent = format!(r#"b/ {{"metadata":{{"labels":{{"x":"1"}},"managedFields":[{entry}]}}}}"#);
    let first = r#"a/ {"metadata":{"labels":{"x":"1"}}}"#;
    check(
        &format!("{first}\n{sent}"),
        expect![[r#"
        z Apply v1 at -1 {"f:metadata":{"f:labels":{"f:x":{},"k:{\"a\":2,\"b\":1}":{}}}}
    "#]],
    );
    check(&format!("{first}\n{}", r#"b/ {"metadata":{"labels":{"x":"2"},"managedFields":[{}]}}"#), expect![[""]]);
    let gone = sent.replace(r#""apiVersion":"v1""#, r#""apiVersion":"v3""#);
    check(&format!("{first}\n{gone}"), expect![[""]]);
    let bad = sent.replace("FieldsV1\",", "FieldsV2\",");
    check(
        &format!("{first}\n{bad}"),
        expect![[r#"
        a Update v1 at 0 {"f:metadata":{"f:labels":{".":{},"f:x":{}}}}
    "#]],
    );
}

#[test]
fn the_oldest_of_many_updates_are_put_together() {
    let entry = |idx: usize| ManagedEntry {
        manager: format!("m{idx:02}").into(),
        operation: Operation::Update,
        api_version: if idx == 1 { "v2".into() } else { "v1".into() },
        time: Some(idx as i64),
        subresource: Default::default(),
        fields: Map::new().with(format!("f:{idx}"), Map::new()),
    };
    let mut entries: Vec<ManagedEntry> = (0..12).map(entry).collect();
    super::cap(&mut entries);
    super::sort(&mut entries);
    let shown: Vec<String> = entries.iter().take(3).map(show).collect();
    expect![[r#"
        m01 Update v2 at 1 {"f:1":{}}
        ancient-changes Update v1 at 3 {"f:0":{},"f:2":{},"f:3":{}}
        m04 Update v1 at 4 {"f:4":{}}
    "#]]
    .assert_eq(&shown.concat());
}

use meta::{ManagedEntry, Operation};
use value::{Value, json};

use super::{entries_after, entries_of};

fn entry(manager: &str, operation: Operation, api_version: &str, sub: &str, fields: &str) -> ManagedEntry {
    let fields = json::parse(fields.as_bytes()).unwrap().as_map().cloned().unwrap();
    ManagedEntry {
        manager: manager.into(),
        operation,
        api_version: api_version.into(),
        time: Some(1),
        subresource: sub.into(),
        fields,
    }
}

fn shown(entries: &[ManagedEntry]) -> String {
    let show = |it: &ManagedEntry| {
        let fields = json::to_string(&Value::Map(it.fields.clone()));
        let time = if it.time.is_some() { " timed" } else { "" };
        format!("{} {:?} {} {}{time} {fields}\n", it.manager, it.operation, it.api_version, it.subresource)
    };
    entries.iter().map(show).collect()
}

#[test]
fn an_update_of_the_scale_takes_the_replicas_and_has_no_time() {
    let parent = [entry("a", Operation::Apply, "apps/v1", "", r#"{"f:spec":{"f:replicas":{},"f:selector":{}}}"#)];
    let scale = entries_of(&parent, "apps/v1", &["spec", "replicas"]);
    expect_test::expect![[r#"
        a Apply autoscaling/v1  timed {"f:spec":{"f:replicas":{}}}
    "#]]
    .assert_eq(&shown(&scale));
    let scale = [entry("b", Operation::Update, "autoscaling/v1", "scale", r#"{"f:spec":{"f:replicas":{}}}"#)];
    expect_test::expect![[r#"
        a Apply apps/v1  timed {"f:spec":{"f:selector":{}}}
        b Update apps/v1 scale {"f:spec":{"f:replicas":{}}}
    "#]]
    .assert_eq(&shown(&entries_after(&parent, &scale, &"apps/v1".into(), &["spec", "replicas"])));
}

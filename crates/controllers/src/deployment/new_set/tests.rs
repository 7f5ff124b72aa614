use expect_test::{Expect, expect};
use kinds::REPLICA_SET;
use meta::{Metadata, Object};
use value::{Map, Value, map};

use super::{HISTORY, REVISION, annotate};

#[track_caller]
fn check(before: Map, of_deployment: Map, number: i64, shown: Expect) {
    let object = |annotations: Map| {
        let meta = Metadata { annotations, ..Metadata::default() };
        Object { kind: REPLICA_SET, meta, body: Map::new() }
    };
    let mut set = object(before);
    let changed = annotate(&mut set, &object(of_deployment), number);
    let after = value::json::to_string(&Value::Map(set.meta.annotations));
    shown.assert_eq(&format!("{after}{}", if changed { "" } else { " as before" }));
}

#[test]
fn a_set_that_is_taken_up_again_remembers_its_numbers() {
    let no = || map!({});
    check(no(), no(), 1, expect![[r#"{"deployment.kubernetes.io/revision":"1"}"#]]);
    check(map!({ REVISION: "3" }), no(), 3, expect![[r#"{"deployment.kubernetes.io/revision":"3"} as before"#]]);
    check(
        map!({ REVISION: "1" }),
        no(),
        3,
        expect![[r#"{"deployment.kubernetes.io/revision":"3","deployment.kubernetes.io/revision-history":"1"}"#]],
    );
    check(
        map!({ REVISION: "3", HISTORY: "1" }),
        no(),
        5,
        expect![[r#"{"deployment.kubernetes.io/revision":"5","deployment.kubernetes.io/revision-history":"1,3"}"#]],
    );
}

#[test]
fn annotations_of_the_deployment_follow_but_for_its_own() {
    check(
        map!({ REVISION: "2" }),
        map!({ REVISION: "7", "note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}" }),
        2,
        expect![[r#"{"deployment.kubernetes.io/revision":"2","note":"x"}"#]],
    );
}

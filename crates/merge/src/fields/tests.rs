use expect_test::{Expect, expect};
use value::{Map, Value, json};

use super::{difference, intersection, union};

#[track_caller]
fn check(a: &str, b: &str, expected: Expect) {
    let set = |text: &str| json::parse(text.as_bytes()).unwrap().as_map().cloned().unwrap();
    let show = |set: Map| json::to_string(&Value::Map(set));
    let (a, b) = (set(a), set(b));
    let all = [union(&a, &b), intersection(&a, &b), difference(&a, &b), difference(&b, &a)].map(show);
    expected.assert_eq(&all.join("\n"));
    assert!(union(&a, &a.clone()).same(&a) && difference(&a, &Map::new()).same(&a));
}

#[test]
fn a_member_and_what_is_below_it_are_separate() {
    check(
        r#"{"f:a":{".":{},"f:b":{}},"f:c":{}}"#,
        r#"{"f:a":{},"f:c":{"f:d":{}}}"#,
        expect![[r#"
            {"f:a":{".":{},"f:b":{}},"f:c":{".":{},"f:d":{}}}
            {"f:a":{}}
            {"f:a":{"f:b":{}},"f:c":{}}
            {"f:c":{"f:d":{}}}"#]],
    );
}

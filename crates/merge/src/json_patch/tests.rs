use expect_test::{Expect, expect};
use value::json;

use crate::json_patch;

const LIVE: &str = r#"{"data":{"k":"v","a/b":"s"},"list":["x","y"],"none":null}"#;

#[track_caller]
fn check(patch: &str, expected: Expect) {
    let patch = json::parse(patch.as_bytes()).unwrap();
    let shown = match json_patch(&json::parse(LIVE.as_bytes()).unwrap(), &patch) {
        Ok(it) => json::to_string(&it),
        Err(it) => format!("{} {}", it.code, it.message),
    };
    expected.assert_eq(&shown);
}

#[test]
fn operations_follow_one_another() {
    check(
        r#"[{"op":"test","path":"/data/k","value":"v"},{"op":"move","from":"/data/k","path":"/data/m"},{"op":"remove","path":"/data/a~1b"},
            {"op":"add","path":"/list/1","value":"m"},{"op":"add","path":"/list/-","value":"z"},{"op":"copy","from":"/list/-1","path":"/list/0"},{"op":"replace","path":"/list/1","value":1}]"#,
        expect![[r#"{"data":{"m":"v"},"list":["z",1,"m","y","z"],"none":null}"#]],
    );
}

#[test]
fn odd_paths_do_as_upstream_does() {
    check(
        r#"[{"op":"replace","path":"/data/new","value":1},{"op":"add","path":"data/x"},{"op":"test","path":"/absent","value":null},{"op":"test","path":"/none"}]"#,
        expect![[r#"{"data":{"a/b":"s","k":"v","new":1},"list":["x","y"],"none":null,"x":null}"#]],
    );
    check(r#"[{"op":"replace","path":"","value":{"a":1}}]"#, expect![[r#"{"a":1}"#]]);
}

#[test]
fn what_does_not_apply_is_not_explained() {
    for patch in [
        r#"{"op":"remove","path":"/data/none"}"#,
        r#"{"op":"add","path":"/no/where","value":1}"#,
        r#"{"op":"add","path":"/list/3","value":1}"#,
        r#"{"op":"add","path":"/list/x","value":1}"#,
        r#"{"op":"move","from":"/data/none","path":"/a"}"#,
        r#"{"op":"test","path":"/data/k","value":"w"}"#,
        r#"{"op":"frob","path":"/data/k"}"#,
        r#"{"path":"/data/k"}"#,
        "1",
    ] {
        check(&format!("[{patch}]"), expect!["422 the server rejected our request due to an error in our request"]);
    }
    check("{}", expect!["400 json: cannot unmarshal object into Go value of type jsonpatch.Patch"]);
}

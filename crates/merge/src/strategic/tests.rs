use expect_test::{Expect, expect};
use schema::Schema;
use value::json;

use crate::strategic;

const LIVE: &str = r#"{"metadata":{"finalizers":["a","b","c"],"labels":{"x":"1","y":"2"}},"spec":{"containers":[{"name":"web","image":"i"},{"name":"side"}],"volumes":[{"name":"v","emptyDir":{}}],"tolerations":[{"key":"k"}]}}"#;

#[track_caller]
fn check(patch: &str, expected: Expect) {
    let schema = Schema::load();
    let (live, patch) = (json::parse(LIVE.as_bytes()).unwrap(), json::parse(patch.as_bytes()).unwrap());
    let ty = schema.definition("io.k8s.api.core.v1.Pod");
    let shown = match strategic(&schema, ty, &live, &patch) {
        Ok(it) => {
            let lines = [("metadata", it.get("metadata")), ("spec", it.get("spec"))]
                .into_iter()
                .filter(|(key, new)| *new != live.get(key));
            lines.map(|(_, it)| it.map(json::to_string).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        }
        Err(it) => format!("{} {}", it.code, it.message),
    };
    expected.assert_eq(&shown);
}

#[test]
fn lists_are_merged_replaced_and_ordered_by_their_strategy() {
    check(
        r#"{"spec":{"$setElementOrder/containers":[{"name":"new"},{"name":"side"},{"name":"web"}],"containers":[{"name":"new"},{"name":"web","image":"j"}],"tolerations":[{"key":"l"}]}}"#,
        expect![[
            r#"{"containers":[{"name":"new"},{"name":"side"},{"image":"j","name":"web"}],"tolerations":[{"key":"l"}],"volumes":[{"emptyDir":{},"name":"v"}]}"#
        ]],
    );
    check(
        r#"{"metadata":{"finalizers":["d"],"$deleteFromPrimitiveList/finalizers":["b"]}}"#,
        expect![[r#"{"finalizers":["d","a","c"],"labels":{"x":"1","y":"2"}}"#]],
    );
}

#[test]
fn directives_delete_replace_and_retain() {
    check(
        r#"{"metadata":{"labels":{"$patch":"replace","z":"3"},"finalizers":null},"spec":{"containers":[{"name":"side","$patch":"delete"}],"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/"}}]}}"#,
        expect![[r#"
            {"labels":{"z":"3"}}
            {"containers":[{"image":"i","name":"web"}],"tolerations":[{"key":"k"}],"volumes":[{"hostPath":{"path":"/"},"name":"v"}]}"#]],
    );
}

#[test]
fn mistakes_are_told_in_upstreams_words() {
    check(
        r#"{"spec":{"containers":[{"image":"x"}]}}"#,
        expect!["500 map: map[image:x] does not contain declared merge key: name"],
    );
    check(
        r#"{"metadata":{"labels":{"$patch":"explode","n":1}}}"#,
        expect!["500 unknown patch type: explode in map: map[$patch:explode n:1]"],
    );
    check(
        r#"{"spec":{"volumes":[{"name":"v","$retainKeys":["name"],"hostPath":{}}]}}"#,
        expect!["400 invalid patch format of retainKeys"],
    );
    check(r#"{"metadata":{"finalizers":[1]}}"#, expect!["500 list element types are not identical: [[a b c] [1]]"]);
}

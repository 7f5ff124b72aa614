use crate::path::parts;
use crate::{Map, Str, Value, map};

/// What a path leads to, found in both ways; whether it was taken apart ahead.
#[track_caller]
fn check(path: &str, ahead: bool, expected: Option<i64>) {
    let map: Map = map!({
        "status": 1, "nodeName": 2, "": 3,
        "spec": { "nodeName": 4, "": 5, "template": { "metadata": { "labels": 6, "x": { "y": 7 } } } },
        "0123456789012345678901234567890123456789012345678901234567890123": 8,
        "01234567890123456789012345678901234567890123456789012345678901234": 9,
    });
    let parts = parts(path.as_bytes());
    assert_eq!(parts != 0, ahead);
    let found = map.at_any(path.as_bytes()).and_then(|it| it.as_i64());
    assert_eq!(found, expected);
    if ahead {
        assert_eq!(map.at_parts(path.as_bytes(), parts).and_then(|it| it.as_i64()), found);
    }
}

#[test]
fn paths_that_are_taken_apart_lead_to_the_same() {
    check("status", true, Some(1));
    check("statu", true, None);
    check("nodeName", true, Some(2));
    check("spec.nodeName", true, Some(4));
    check("spec.nodeNames", true, None);
    check("status.nodeName", true, None);
    check("spec.template.metadata.labels", true, Some(6));
    check("spec.template.metadata.x.y", false, Some(7));
    check("", false, Some(3));
    check("spec.", false, Some(5));
    check("spec..x", false, None);
    check(&"0123456789".repeat(7)[..64], true, Some(8));
    check(&"0123456789".repeat(7)[..65], false, Some(9));
}

#[test]
fn a_merge_over_known_keys_is_one_over_any() {
    let map = |keys: &str, n: i64| keys.chars().map(|it| (Str::from(it.to_string()), n.into())).collect::<Map>();
    for keys in ["", "a", "b", "ac", "abc", "d", "abcd"] {
        let (old, new) = (map("abc", 1), map(keys, 2));
        assert_eq!(old.merged(&new), old.woven(&new), "{keys}");
        assert_eq!(old.overlaid(&new).is_some(), !keys.contains('d'), "{keys}");
    }
    let (old, new) = (Map::new().with("a", Value::map()), Map::new().with("a", Value::map()));
    assert!(old.merged(&new).get("a").unwrap().same(old.get("a").unwrap()));
}

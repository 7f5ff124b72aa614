use crate::path::parts;
use crate::{Map, map};

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

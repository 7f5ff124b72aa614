use crate::{Map, Str, Value, map};

/// What a path leads to in maps of several shapes, each looked at twice: what is remembered of one is not taken for another.
#[track_caller]
fn check(path: &'static str, expected: [Option<i64>; 3]) {
    let maps: [Map; 3] = [
        map!({ "a": 1, "b": { "": 2, "a": 3, "c": { "a": { "b": { "c": 4 } } } } }),
        map!({ "b": { "a": 5, "b": 6 } }),
        (0..100).map(|n| (Str::from(format!("a{n}")), n.into())).chain([("b".into(), 7.into())]).collect(),
    ];
    for _ in 0..2 {
        assert_eq!(maps.each_ref().map(|it| it.at(path).and_then(Value::as_i64)), expected, "{path}");
    }
}

#[test]
fn paths_lead_to_what_is_there() {
    check("a", [Some(1), None, None]);
    check("b.a", [Some(3), Some(5), None]);
    check("b.b", [None, Some(6), None]);
    check("b.", [Some(2), None, None]);
    check("b..a", [None, None, None]);
    check("", [None, None, None]);
    check("b.c.a.b.c", [Some(4), None, None]);
    check("a99", [None, None, Some(99)]);
    check("b", [None, None, Some(7)]);
    // What begins where another begins is another.
    let path = "b.a.x";
    check(&path[..3], [Some(3), Some(5), None]);
    check(&path[..1], [None, None, Some(7)]);
    check(path, [None, None, None]);
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

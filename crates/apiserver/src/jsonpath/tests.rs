use value::{json, value};

use super::{Path, text};

#[track_caller]
fn check(path: &str, expect: &str) {
    let it = value!({
        "name": "web", "n": 3, "a.b": "dotted", "on": true, "nothing": null,
        "list": [{ "name": "x", "n": 1, "ready": true }, { "name": "y", "n": 2 }, { "name": "z", "n": 3 }],
    });
    let found = match Path::parse(path).map(|path| path.find(&it)) {
        None => "no path".to_owned(),
        Some(None) => "cannot".to_owned(),
        Some(Some(found)) => found.iter().map(|it| text(it).to_string()).collect::<Vec<_>>().join(" "),
    };
    assert_eq!(found, expect, "{path} of {}", json::to_string(&it));
}

#[test]
fn fields_and_keys() {
    check(".name", "web");
    check("$.name", "web");
    check(".none.deeper", "");
    check(".a\\.b", "dotted");
    check("['a\\.b']", "dotted");
    check(".nothing", "<no value>");
    check(".n", "3");
    check("name", "no path");
    check(".name[", "no path");
}

#[test]
fn lists() {
    check(".list[0].name", "x");
    check(".list[-1].name", "z");
    check(".list[3].name", "cannot");
    check(".list[1:].name", "y z");
    check(".list[:2].name", "x y");
    check(".list[0:3:2].name", "x z");
    check(".list[*].n", "1 2 3");
    check(".list[0,2].name", "x z");
    check(".name[0]", "cannot");
    check(".list[1]", r#"{"n":2,"name":"y"}"#);
}

#[test]
fn filters() {
    check(".list[?(@.name=='y')].n", "2");
    check(".list[?(@.name == \"y\")].n", "2");
    check(".list[?(@.n>=2)].name", "y z");
    check(".list[?(@.n!=2)].name", "x z");
    check(".list[?(@.ready)].name", "x");
    check(".list[?(@.ready==true)].name", "x");
    check(".list[?(@.name==2)].name", "cannot");
}

#[test]
fn descent_finds_at_any_depth() {
    check("..n", "3 1 2 3");
    check("...n", "no path");
}

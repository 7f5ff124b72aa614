use expect_test::{Expect, expect};
use kinds::{Column, Kind, Scope};
use meta::{Metadata, Object};
use value::{Map, json, map};

use super::{Include, Rows};

const N: &[Column] = &[Column {
    name: "N",
    kind: "integer",
    format: "",
    description: "",
    priority: 0,
    cell: |it, _| it.at("spec.n").cloned().unwrap_or_default(),
}];

#[track_caller]
fn check(columns: fn() -> &'static [Column], include: Include, expect: Expect) {
    let kind = Kind { columns, ..Kind::new(Scope::Namespaced, "example.com", "v1", "Thing", "things") };
    let mut meta = Metadata::cluster("a");
    meta.created = Some(100);
    let body = map!({ "spec": { "n": 3 } });
    let object = Object { kind: kind.id, meta, body };
    let whole = |it: &Object| it.to_value("example.com/v1", "Thing");
    let rows = Rows { kind: &kind, version: "v1", include, now: 100 + 90, whole: &whole };
    let table = rows.table(&mut std::iter::once(&object), Map::new(), true);
    let names: Vec<&str> = table.list_at("columnDefinitions").iter().filter_map(|it| it.str_at("name")).collect();
    let rows: Vec<String> = table.list_at("rows").iter().map(json::to_string).collect();
    expect.assert_eq(&format!("{}\n{}", names.join(" "), rows.join("\n")));
}

#[test]
fn kinds_without_columns_have_two() {
    check(
        || &[],
        Include::None,
        expect![[r#"
        Name Created At
        {"cells":["a","1970-01-01T00:01:40Z"],"object":null}"#]],
    );
}

#[test]
fn rows_carry_what_was_asked_for() {
    check(
        || &[],
        Include::Metadata,
        expect![[r#"
        Name Created At
        {"cells":["a","1970-01-01T00:01:40Z"],"object":{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","name":"a"}}}"#]],
    );
    check(
        || N,
        Include::Object,
        expect![[r#"
        N
        {"cells":[3],"object":{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","name":"a"},"spec":{"n":3}}}"#]],
    );
}

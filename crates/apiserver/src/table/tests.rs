use expect_test::{Expect, expect};
use kinds::{Cell, Column, Kind, Scope};
use meta::{Metadata, Object};
use value::{Map, json, map};

use super::{Include, Rows};

fn column(name: &str, kind: &'static str, path: &str) -> Column {
    Column { name: name.into(), kind, format: "", description: "".into(), priority: 0, cell: Cell::Path(path.into()) }
}

#[track_caller]
fn check(columns: Vec<Column>, include: Include, expect: Expect) {
    let kind = Kind { columns, ..Kind::new(Scope::Namespaced, "example.com", "v1", "Thing", "things") };
    let meta = Metadata { name: "a".into(), created: Some(100), ..Metadata::default() };
    let body = map!({ "spec": { "n": 3, "on": true, "list": [{ "x": 1 }, { "x": 2 }], "at": "1970-01-01T00:00:10Z" } });
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
        Vec::new(),
        Include::None,
        expect![[r#"
        Name Created At
        {"cells":["a","1970-01-01T00:01:40Z"],"object":null}"#]],
    );
}

#[test]
fn paths_make_cells_of_their_type() {
    let columns = vec![
        column("N", "integer", ".spec.n"),
        column("On", "boolean", ".spec.on"),
        column("Text", "string", ".spec.n"),
        column("All", "string", ".spec.list"),
        column("Each", "string", ".spec.list[*].x"),
        column("At", "date", ".spec.at"),
        column("Wrong", "integer", ".spec.on"),
        column("None", "string", ".spec.none"),
        column("Beyond", "string", ".spec.list[7].x"),
    ];
    check(
        columns,
        Include::None,
        expect![[r#"
        N On Text All Each At Wrong None Beyond
        {"cells":[3,true,"3","[{\"x\":1},{\"x\":2}]","1","3m",null,null,null],"object":null}"#]],
    );
}

#[test]
fn rows_carry_what_was_asked_for() {
    check(
        Vec::new(),
        Include::Metadata,
        expect![[r#"
        Name Created At
        {"cells":["a","1970-01-01T00:01:40Z"],"object":{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","name":"a"}}}"#]],
    );
    check(
        vec![column("N", "integer", ".spec.n")],
        Include::Object,
        expect![[r#"
        N
        {"cells":[3],"object":{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","name":"a"},"spec":{"at":"1970-01-01T00:00:10Z","list":[{"x":1},{"x":2}],"n":3,"on":true}}}"#]],
    );
}

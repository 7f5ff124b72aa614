//! Output forms and how command lines are read.

use expect_test::{Expect, expect};
use value::{Value, time, yaml};

use crate::failure::Failure;
use crate::{args, columns, go, jsonpath, strategic, tabs, template};

const PODS: &str = "
kind: List
items:
- metadata: {name: a, labels: {app: web}}
  spec: {nodeName: n1, containers: [{name: x, image: 'web:1'}, {name: y, image: 'log:2'}]}
  status: {phase: Running, restarts: 2}
- metadata: {name: b}
  spec: {nodeName: n2, containers: [{name: x, image: 'web:2'}]}
  status: {phase: Pending, restarts: 0}
";

fn parsed(text: &str) -> Value {
    yaml::parse_document(text, 0).unwrap_or_else(|it| panic!("{it}")).value
}

fn check_jsonpath(path: &str, expected: Expect) {
    let text = jsonpath::parse(path)
        .and_then(|it| it.execute(&parsed(PODS), false, false))
        .unwrap_or_else(|it| format!("failure: {it}"));
    expected.assert_eq(&text);
}

#[test]
fn json_paths() {
    check_jsonpath("{.items[*].metadata.name}", expect!["a b"]);
    check_jsonpath("{.items[-1:].spec.containers[0].image}", expect!["web:2"]);
    check_jsonpath(
        "{range .items[*]}{.metadata.name}={.status.phase}{\"\\n\"}{end}",
        expect![[r#"
        a=Running
        b=Pending
    "#]],
    );
    check_jsonpath("{.items[?(@.status.restarts>1)].metadata.name}", expect!["a"]);
    check_jsonpath("{.items[?(@.spec.nodeName==\"n2\")].status.phase}", expect!["Pending"]);
    check_jsonpath("{..image}", expect!["web:1 log:2 web:2"]);
    check_jsonpath("{.items[0].metadata.labels}", expect![[r#"{"app":"web"}"#]]);
    check_jsonpath("{.items[0]['metadata.name', 'spec.nodeName']}", expect!["a n1"]);
    check_jsonpath("{.nothing}", expect!["failure: nothing is not found"]);
    check_jsonpath("{.items[", expect!["failure: unterminated array"]);
    check_jsonpath("{end}", expect!["failure: not in range, nothing to end"]);
}

fn check_template(text: &str, expected: Expect) {
    let text =
        template::parse(text).and_then(|it| it.execute(&parsed(PODS))).unwrap_or_else(|it| format!("failure: {it}"));
    expected.assert_eq(&text);
}

#[test]
fn go_templates() {
    check_template("{{range .items}}{{.metadata.name}} {{end}}", expect!["a b "]);
    check_template(
        "{{range $i, $pod := .items}}{{if $i}}, {{end}}{{with $pod.status}}{{.phase | printf \"%-8s|\"}}{{end}}{{end}}",
        expect!["Running |, Pending |"],
    );
    check_template("{{len .items}} {{(index .items 1).spec.nodeName}}", expect!["2 n2"]);
    check_template(
        "{{range .items}}{{if and (eq .status.phase \"Running\") (gt .status.restarts 1)}}{{.metadata.name}}{{else}}-{{end}}{{end}}",
        expect!["a-"],
    );
    check_template("{{range .nothing}}x{{else}}none{{end}}{{.nothing}}", expect!["none<no value>"]);
    check_template("{{range .items}}", expect!["failure: template: output:1: unexpected EOF"]);
    check_template("{{nope .}}", expect![[r#"failure: template: output:1: function "nope" not defined"#]]);
}

#[test]
fn custom_columns_and_sorting() {
    let check = |spec: &str, expected: Expect| {
        let text = columns::Columns::from_spec(spec, false).and_then(|mut it| it.print(&parsed(PODS)));
        expected.assert_eq(&text.unwrap_or_else(|it| it.message()));
    };
    check(
        "NAME:.metadata.name,IMAGES:.spec.containers[*].image,X:.x",
        expect![[r#"
        NAME   IMAGES        X
        a      web:1,log:2   <none>
        b      web:2         <none>
    "#]],
    );
    check("NAME", expect!["unexpected custom-columns spec: NAME, expected <header>:<json-path-expr>"]);

    let mut items = parsed(PODS).list_at("items").to_vec();
    let sorted = columns::sort(&mut items, ".status.restarts", |it| it);
    assert_eq!(sorted, Ok(()));
    let names: Vec<_> = items.iter().filter_map(|it| it.str_at("metadata.name")).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn columns_are_three_spaces_apart() {
    let text = tabs::align("NAME\tREADY\tAGE\nlonger-name\t1/1\t5s\n", &tabs::TABLE);
    expect![[r#"
        NAME          READY   AGE
        longer-name   1/1     5s
    "#]]
    .assert_eq(&text);
}

#[test]
fn ages_of_objects() {
    let shown: Vec<String> = [-5, 0, 119, 120, 599, 600, 10800, 36000, 90000, 172_800, 31_536_000, 70_000_000]
        .map(time::human_duration)
        .into();
    expect!["<invalid> 0s 119s 2m 9m59s 10m 3h 10h 25h 2d 365d 2y80d"].assert_eq(&shown.join(" "));
}

#[test]
fn command_lines() {
    const SPEC: &[&str] = &["l/selector:s w/watch:b replicas:i timeout:d f/filename:c dry-run:s=unchanged"];
    let check = |line: &str, expected: Expect| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let text = match args::parse(SPEC, &words) {
            Ok(it) => format!(
                "l={} w={} n={} f={:?} dry={} {:?}",
                it.text("selector"),
                it.is("watch"),
                it.text("namespace"),
                it.list("filename"),
                it.text("dry-run"),
                it.args
            ),
            Err(failure) => failure.message(),
        };
        expected.assert_eq(&text);
    };
    check("pods -la=b -w -n=kube", expect![[r#"l=a=b w=true n=kube f=[] dry= ["pods"]"#]]);
    check("-wl a=b --watch=false -f a,b -f c", expect![[r#"l=a=b w=false n= f=["a", "b", "c"] dry= []"#]]);
    check("--dry-run x -- -l", expect![[r#"l= w=false n= f=[] dry=unchanged ["x", "-l"]"#]]);
    check("--nothing", expect!["unknown flag: --nothing"]);
    check("-wx", expect!["unknown shorthand flag: 'x' in -x"]);
    check("pods -l", expect!["flag needs an argument: 'l' in -l"]);
    check("--selector", expect!["flag needs an argument: --selector"]);
    check(
        "--replicas=x",
        expect![[r#"invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax"#]],
    );
    check("--timeout=1", expect![[r#"invalid argument "1" for "--timeout" flag: time: missing unit in duration "1""#]]);
    check(
        "--watch=maybe",
        expect![[
            r#"invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax"#
        ]],
    );
}

#[test]
fn reports_of_refusals() {
    let check = |status: &str, expected: Expect| expected.assert_eq(&Failure::Status(parsed(status)).report().0);
    check(
        "{reason: NotFound, message: 'pods \"a\" not found'}",
        expect![[r#"
        Error from server (NotFound): pods "a" not found
    "#]],
    );
    check(
        "{message: odd}",
        expect![[r#"
        Error from server: odd
    "#]],
    );
    let invalid = "reason: Invalid\ndetails:\n  kind: Pod\n  name: a\n  causes:\n  - {field: spec.x, message: 'Required value'}\n";
    check(
        invalid,
        expect![[r#"
        The Pod "a" is invalid: spec.x: Required value
    "#]],
    );
    check(
        &format!("{invalid}  - {{field: spec.y, message: 'Forbidden: no'}}\n"),
        expect![[r#"
        The Pod "a" is invalid: 
        * spec.x: Required value
        * spec.y: Forbidden: no
    "#]],
    );
    let many = Failure::Many(vec!["one".into(), Failure::Many(vec!["two".into()])]);
    assert_eq!(many.report(), ("one\ntwo\n".into(), 1));
}

#[test]
fn merges_by_what_was_applied() {
    let patch = strategic::three_way_merge(
        &parsed("{a: 1, gone: x, deep: {x: 1, y: 2}, list: [1]}"),
        &parsed("{a: 2, deep: {x: 1}, list: [1, 2]}"),
        &parsed("{a: 1, gone: x, other: kept, deep: {x: 1, y: 2, z: 3}, list: [1]}"),
    );
    expect![[r#"
        a: 2
        deep:
          "true": null
        gone: null
        list:
        - 1
        - 2
    "#]]
    .assert_eq(&yaml::emit(&patch));
}

#[test]
fn commands_that_are_nearly_right() {
    let near = |typed: &str| {
        ["get", "delete", "describe", "apply"].into_iter().filter(|it| go::is_near(typed, it)).collect::<Vec<_>>()
    };
    assert_eq!(near("gte"), ["get"]);
    assert_eq!(near("descrbe"), ["describe"]);
    assert_eq!(near("desc"), ["describe"]);
    assert!(near("zzz").is_empty());
}

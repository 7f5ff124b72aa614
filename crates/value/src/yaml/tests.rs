use expect_test::{Expect, expect};

use super::*;
use crate::value;

#[track_caller]
fn check(text: &str, expected: Expect) {
    let mut out = String::new();
    for it in read_documents(text) {
        match it {
            Ok(it) => {
                out.push_str(&format!("{}\n", json::to_string(&it.value)));
                it.duplicates.iter().for_each(|it| out.push_str(&format!("{it}\n")));
            }
            Err(it) => out.push_str(&format!("{}:{}: {it}\n", it.line, it.column)),
        }
    }
    expected.assert_eq(&out);
}

#[test]
fn scalars_are_of_yaml_1_1() {
    check(
        "[yes, Off, y, ~, null, 'yes', 0644, 0o17, 0x1F, 0b11, 1_000, +5, -0, 08, 1.50, 1e3, .5, 1e21, 18446744073709551615]",
        expect![[r#"
            [true,false,true,null,null,"yes",420,15,31,3,1000,5,0,8,1.5,1000,0.5,1e+21,18446744073709551615]
        "#]],
    );
    check(
        "[2001-12-14, 12:30, 0x, 1.2.3, 1e, '0123', !!str 12, !!int 12, !!float 3, !!binary aGk=, !a b, 123e, =]",
        expect![[r#"
            ["2001-12-14","12:30","0x","1.2.3","1e","0123","12",12,3,"hi","b","123e","="]
        "#]],
    );
    check(
        "a: .inf\n",
        expect![[r#"
        1:4: json: unsupported value: +Inf
    "#]],
    );
    check(
        "a: !!int abc\n",
        expect![[r#"
        1:4: yaml: cannot decode !!str `abc` as a !!int
    "#]],
    );
}

#[test]
fn keys_become_text_and_the_last_of_equal_ones_wins() {
    check(
        "1: a\ntrue: b\n1.50: c\n2001-12-14: d\nk: 1\nk: 2\n",
        expect![[r#"
            {"1":"a","1.5":"c","2001-12-14":"d","k":2,"true":"b"}
            line 6: key "k" already set in map
        "#]],
    );
    check(
        "a: {{ .Values.x }}\n",
        expect![[r#"
        1:5: yaml: invalid map key: map[interface {}]interface {}{".Values.x":interface {}(nil)}
    "#]],
    );
}

#[test]
fn aliases_and_merge_keys_are_followed() {
    check(
        "base: &b {x: 1, y: 2}\nmerged:\n  <<: *b\n  y: 3\nlist:\n  <<: [{x: 1}, {x: 2, z: 3}]\n",
        expect![[r#"
            {"base":{"true":2,"x":1},"list":{"x":1,"z":3},"merged":{"true":3,"x":1}}
            line 4: key true already set in map
            line 6: key "x" already set in map
        "#]],
    );
    check(
        "a: &a [*a]\n",
        expect![[r#"
        1:8: yaml: anchor 'a' value contains itself
    "#]],
    );
    check(
        "a: *b\n",
        expect![[r#"
        1:4: yaml: unknown anchor 'b' referenced
    "#]],
    );
    check(
        "<<: 1\n",
        expect![[r#"
        1:5: yaml: map merge requires map or sequence of maps as the value
    "#]],
    );
}

#[test]
fn aliases_do_not_grow_without_end() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for idx in 1..9 {
        let item = format!("*a{}", idx - 1);
        text.push_str(&format!("a{idx}: &a{idx} [{}]\n", vec![item; 10].join(", ")));
    }
    check(
        &text,
        expect![[r#"
        1:13: yaml: document contains excessive aliasing
    "#]],
    );
    check(
        &"[".repeat(2000),
        expect![[r#"
        1:502: yaml: exceeded max depth of 500
    "#]],
    );
}

#[test]
fn errors_have_the_lines_of_go_yaml() {
    check(
        "a: [1, 2",
        expect![[r#"
        2:1: yaml: line 1: did not find expected ',' or ']'
    "#]],
    );
    check(
        "a: b: c\n",
        expect![[r#"
        1:5: yaml: mapping values are not allowed in this context
    "#]],
    );
    check(
        "a: 1\nb: 2\nc:\n\t- x\n",
        expect![[r#"
        4:1: yaml: line 4: found character that cannot start any token
    "#]],
    );
    check(
        "a:\n  b: 1\n c: 2\n",
        expect![[r#"
        3:2: yaml: line 2: did not find expected key
    "#]],
    );
    check(
        "[a, !b, c]",
        expect![[r#"
        1:7: yaml: did not find expected whitespace or line break
    "#]],
    );
    check(
        "[\"a !b, c\", d !e, f]",
        expect![[r#"
        ["a !b, c","d !e","f"]
    "#]],
    );
    check(
        "a: \u{1}\n",
        expect![[r#"
        1:1: yaml: control characters are not allowed
    "#]],
    );
}

#[test]
fn documents_are_cut_as_kubectl_cuts_them() {
    check(
        "# only a comment\n---\na: 1\n--- # next\n---\nb: [\n",
        expect![[r#"
            null
            {"a":1}
            7:1: yaml: line 2: did not find expected node content
        "#]],
    );
    check(
        "--- a\n",
        expect![[r#"
        1:1: invalid Yaml document separator: a
    "#]],
    );
    check(
        "{\"a\": 1e2}\n{\"b\": \"\\/\"}\n",
        expect![[r#"
        {"a":1e2}
        {"b":"/"}
    "#]],
    );
    check(
        "{\"a\": 1,}\n",
        expect![[r#"
        {"a":1}
    "#]],
    );
    check(
        "{\"a\": ]}\n",
        expect![[r#"
            1:7: json: offset 7: invalid character ']' looking for beginning of value
        "#]],
    );
}

#[test]
fn a_path_leads_to_its_line() {
    let text = "# comment\n---\nspec:\n  containers:\n  - name: a\n    image: b\nmetadata:\n  labels:\n    a.io/b: c\n";
    let document = read_documents(text).pop().unwrap().unwrap();
    let places: Vec<_> = [
        "spec.containers[0].image",
        "spec.containers[0]",
        "spec.containers[0].ports[1].name",
        "metadata.labels[a.io/b]",
        "status",
        "",
    ]
    .iter()
    .map(|path| {
        let Position { line, column } = document.position(path);
        format!("{path} {line}:{column}\n")
    })
    .collect();
    expect![[r#"
        spec.containers[0].image 6:5
        spec.containers[0] 5:5
        spec.containers[0].ports[1].name 5:5
        metadata.labels[a.io/b] 9:5
        status 3:1
         3:1
    "#]]
    .assert_eq(&places.concat());
}

#[test]
fn values_are_written_as_kubectl_prints_them() {
    let long = "word ".repeat(20);
    let value = value!({
        "b": [], "a": {}, "list": [1, [2, 3], {"x": [4], "y": null}], "key10": 1, "key9": true, "": "",
        "texts": ["plain", "yes", "0644", "2020-01-01", "12:30", "a: b", "a #b", "- a", "-a", "it's", " x", "tab\t", "😀", "é", "<<", "@a", "a,b"],
        "text": "one\n two\n", "script": "one\ntwo", "kept": "one\n\n", "led": " one\ntwo", "trailing": "one \ntwo ",
        "long": long.trim_end(),
        "quoted": format!("{}: x", long.trim_end()),
        "float": Value::Decimal("1500000.5".into()),
    });
    let text = emit(&value);
    assert_eq!(parse_document(&text, 0).unwrap().value, value);
    expect![[r#"
        "": ""
        a: {}
        b: []
        float: 1.5000005e+06
        kept: |+
          one

        key9: true
        key10: 1
        led: |2-
           one
          two
        list:
        - 1
        - - 2
          - 3
        - x:
          - 4
          "y": null
        long: word word word word word word word word word word word word word word word word
          word word word word
        quoted: 'word word word word word word word word word word word word word word word
          word word word word word: x'
        script: |-
          one
          two
        text: |
          one
           two
        texts:
        - plain
        - "yes"
        - "0644"
        - "2020-01-01"
        - "12:30"
        - 'a: b'
        - 'a #b'
        - '- a'
        - -a
        - it's
        - ' x'
        - "tab\t"
        - "\U0001F600"
        - é
        - "<<"
        - '@a'
        - a,b
        trailing: "one \ntwo "
    "#]]
    .assert_eq(&text);
}

#[test]
fn scalars_and_long_keys_stand_alone() {
    let key = "k".repeat(130);
    for value in [value!("a"), value!([]), value!([["a"]]), value!({ (key.as_str()): {"a": [1]} })] {
        assert_eq!(parse_document(&emit(&value), 0).unwrap().value, value);
    }
    expect![[r#"
        - - a
          - b:
            - c
        - |-
          d
          e
    "#]]
    .assert_eq(&emit(&value!([["a", {"b": ["c"]}], "d\ne"])));
}

use std::collections::BTreeMap;

use crate::{Map, Str, Value, base64, json, time, value};

fn roundtrip(text: &str, expected: &str) {
    let parsed = json::parse(text.as_bytes())
        .map(|it| json::to_string(&it))
        .unwrap_or_else(|e| format!("error: {e} at {}", e.offset));
    assert_eq!(parsed, expected);
}

#[test]
fn json_is_read_and_written_as_go_does() {
    roundtrip(r#" {"b":1,"a":[true,null,-7,1.50,"x"]} "#, r#"{"a":[true,null,-7,1.50,"x"],"b":1}"#);
    roundtrip(r#""<a&b>\u00e9\ud83d\ude00\n""#, "\"\\u003ca\\u0026b\\u003eé😀\\n\"");
    roundtrip(r#"{"a":1,"a":2}"#, r#"{"a":2}"#);
    roundtrip(r#"{"a":}"#, "error: invalid character '}' looking for beginning of value at 5");
    roundtrip(r#"{"a" 1}"#, "error: invalid character '1' after object key at 5");
    roundtrip(r#"[1,2"#, "error: unexpected end of JSON input at 4");
    roundtrip(r#"nul"#, "error: unexpected end of JSON input at 3");
    roundtrip("1 2", "error: invalid character '2' after top-level value at 2");
    roundtrip(&"[".repeat(100_000), "error: exceeded max depth at 501");
}

#[test]
fn duplicate_keys_are_named_by_their_path() {
    let it = json::parse_strict(br#"{"a":{"b":[{"c":1,"c":2}]},"a":1}"#).unwrap();
    assert_eq!(it.duplicates, ["a.b[0].c", "a"]);
}

#[test]
fn an_edit_shares_what_it_does_not_touch() {
    let before = value!({"spec": {"template": {"a": 1}, "replicas": 3}});
    let after = before.with("spec.replicas", 5);
    assert_eq!(after, value!({"spec": {"replicas": 5, "template": {"a": 1}}}));
    assert!(after.at("spec.template").unwrap().same(before.at("spec.template").unwrap()));
    assert_eq!(before.i64_at("spec.replicas"), Some(3));
}

#[test]
fn an_edit_that_changes_nothing_keeps_the_allocation() {
    let before = value!({"spec": {"items": [{"a": 1}, {"b": 2}]}});
    let mut after = before.clone();
    if let Value::Map(map) = &mut after {
        map.edit_map("spec", |spec| spec.edit_maps("items", |item| item.edit("a", |it| *it = Value::Int(1))));
    }
    assert!(after.same(&before));
}

#[test]
fn base64_is_read_and_written_as_go_does() {
    for text in ["", "a", "ab", "abc", "abcd", "\u{0}\u{7f}ż"] {
        assert_eq!(base64::decode(&base64::encode(text.as_bytes())), Ok(text.as_bytes().to_vec()));
    }
    assert_eq!(base64::encode(b"ab"), "YWI=");
    assert_eq!(base64::decode("YW\nJj\r\n"), Ok(b"abc".to_vec()));
    // Where Go finds fault: a letter too few, a strange letter, padding too early, too short, and followed by more.
    for (text, at) in [("YWJjZ", 4), ("YW-j", 2), ("Y===", 1), ("YW==YW==", 4), ("YW=", 3), ("YW=a", 2)] {
        assert_eq!(base64::decode(text), Err(at), "{text}");
    }
}

#[test]
fn times_are_written_as_a_calendar_would() {
    let mut secs = 0_i64;
    while secs < 253_402_300_800 {
        assert_eq!(crate::time::parse_secs(&crate::time::format_secs(secs)), Some(secs));
        secs += 40_003_201;
    }
    assert_eq!(crate::time::format_secs(951_782_400), "2000-02-29T00:00:00Z");
}

#[test]
fn times_are_read_back_as_they_were_written() {
    for day in (-719_528_i64..2_932_896).step_by(17) {
        let secs = day * 86_400 + (day * 7_919).rem_euclid(86_400);
        assert_eq!(time::parse_secs(&time::format_secs(secs)), Some(secs));
    }
    for bad in ["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-1-01T00:00:00Z"] {
        assert_eq!(time::parse_secs(bad), None, "{bad}");
    }
    assert_eq!(time::parse_secs("2024-02-29T01:00:00+01:00"), time::parse_secs("2024-02-29T00:00:00Z"));
}

/// Texts of every length around the words in which they are compared, which differ early, late or not at all.
#[test]
fn texts_are_compared_bytewise() {
    let mut texts: Vec<String> = vec![String::new()];
    for len in 1..20 {
        for (at, byte) in [(0, 'a'), (0, 'b'), (len / 2, '\u{7f}'), (len - 1, 'a'), (len - 1, 'é')] {
            let mut text: Vec<char> = vec!['b'; len];
            text[at] = byte;
            texts.push(text.into_iter().collect());
        }
    }
    for a in &texts {
        for b in &texts {
            let (left, right) = (Str::from(a), Str::from(b));
            assert_eq!(left.cmp(&right), a.cmp(b), "{a} and {b}");
            assert_eq!(left == right, a == b, "{a} and {b}");
            assert_eq!(left == b.as_str(), a == b, "{a} and {b}");
        }
    }
}

/// What is set and taken out at random, against the standard library's map.
#[test]
fn maps_keep_what_they_are_given() {
    let (mut map, mut model, mut chance) = (Map::new(), BTreeMap::new(), 7_u32);
    for step in 0..4_000_i64 {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Grows and shrinks across the number of keys from which maps are searched in another way.
        let n_keys = if step / 500 % 2 == 0 { 60 } else { 12 };
        let key = format!("key{}", (chance >> 16) % n_keys);
        if (chance >> 8) % 3 == 0 {
            assert_eq!(map.remove(&key), model.remove(&key));
        } else {
            map.insert(&key, step);
            model.insert(key.clone(), Value::Int(step));
        }
        assert!(map.iter().map(|(key, value)| (key.as_str(), value)).eq(model.iter().map(|(k, v)| (k.as_str(), v))));
        for number in 0..60 {
            let key = format!("key{number}");
            assert_eq!(map.get(&key), model.get(&key), "{key} in {map:?}");
        }
        let again: Map = map.iter().map(|(key, value)| (Str::from(key.as_str()), value.clone())).collect();
        assert_eq!(again, map);
    }
}

#[test]
fn a_path_leads_through_maps_only() {
    let it = value!({"spec": {"template": {"metadata": {"name": "web"}}, "list": [{"a": 1}]}, "": {"": 2}});
    for (path, expected) in [
        ("spec.template.metadata.name", Some(Value::from("web"))),
        ("spec.template.metadata.name.more", None),
        ("spec.list.a", None),
        ("spec.", None),
        ("spec..template", None),
        (".", Some(Value::Int(2))),
        ("", Some(value!({"": 2}))),
    ] {
        assert_eq!(it.at(path), expected.as_ref(), "{path}");
    }
}

#[test]
fn a_byte_is_found_wherever_it_is() {
    for len in 0..30 {
        assert_eq!(crate::str::position_of(&vec![b'a'; len], b'.'), None);
        for first in 0..len {
            let mut text = vec![b'a'; len];
            text[first..].iter_mut().step_by(2).for_each(|it| *it = b'.');
            // The byte next to it is the one that words tell from it last.
            text[first + 1..].iter_mut().step_by(2).for_each(|it| *it = b'/');
            assert_eq!(crate::str::position_of(&text, b'.'), Some(first), "{text:?}");
        }
    }
}

use expect_test::{Expect, expect};
use value::{json, value};

use super::{read, write, write_event};

/// A field of bytes; all lengths here are short.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

fn number(number: u8, it: u8) -> Vec<u8> {
    vec![number << 3, it]
}

/// A body that holds an object.
fn body(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), field(1, &meta), field(2, object), field(3, b""), field(4, b"")].concat()
}

#[track_caller]
fn check(body: &[u8], expect: Expect) {
    let text = match read(body) {
        Ok(it) => json::to_string(&it),
        Err(why) => format!("error: {why}"),
    };
    expect.assert_eq(&text);
}

#[test]
fn objects_are_read_by_number() {
    let label = [field(1, b"app"), field(2, b"x")].concat();
    let metadata = [field(1, b"a"), field(8, &number(1, 100)), field(11, &label)].concat();
    // A volume's source is a message of its own in protobuf, and part of the volume in JSON.
    let volume = [field(1, b"v"), field(2, &field(2, &[]))].concat();
    let limit = [field(1, b"cpu"), field(2, &field(1, b"2"))].concat();
    let port = [field(1, b"http"), number(3, 80)].concat();
    let get = field(2, &[number(1, 1), field(3, b"http")].concat());
    // So is a probe's way to ask.
    let probe = [field(1, &field(2, &get)), number(2, 5)].concat();
    let container = [field(1, b"c"), field(6, &port), field(8, &field(1, &limit)), field(10, &probe)].concat();
    let spec = [field(1, &volume), field(2, &container), number(11, 1)].concat();
    let pod = [field(1, &metadata), field(2, &spec)].concat();
    check(
        &body("v1", "Pod", &pod),
        expect![[
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"1970-01-01T00:01:40Z","labels":{"app":"x"},"name":"a"},"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":"http"},"initialDelaySeconds":5},"name":"c","ports":[{"containerPort":80,"name":"http"}],"resources":{"limits":{"cpu":"2"}}}],"hostNetwork":true,"volumes":[{"emptyDir":{},"name":"v"}]}}"#
        ]],
    );
}

#[test]
fn bytes_and_lists_of_numbers() {
    let data = [field(1, b"k"), field(2, &[0, 255])].concat();
    check(
        &body("v1", "Secret", &field(2, &data)),
        expect![[r#"{"apiVersion":"v1","data":{"k":"AP8="},"kind":"Secret"}"#]],
    );
    check(
        &body("v1", "DeleteOptions", &[number(1, 0), field(2, &field(1, b"uid"))].concat()),
        expect![[r#"{"apiVersion":"v1","gracePeriodSeconds":0,"kind":"DeleteOptions","preconditions":{"uid":"uid"}}"#]],
    );
}

#[test]
fn what_is_broken_is_refused() {
    check(
        b"{}",
        expect!["error: provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"],
    );
    check(&body("v1", "Nothing", &[]), expect![[r#"error: no kind "Nothing" is registered for version "v1""#]]);
    check(&body("v1", "Pod", &[0x0a, 0x7f]), expect!["error: unexpected EOF"]);
    for cut in 4..60 {
        let whole = body("v1", "Pod", &field(2, &field(2, &field(1, b"a container with a name that is long"))));
        read(&whole[..cut]).ok();
    }
}

#[test]
fn what_is_written_comes_back() {
    let object = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "a", "labels": { "x": "1", "y": "" }, "creationTimestamp": "2026-01-02T03:04:05Z", "generation": -1 },
        "spec": {
            "containers": [{
                "name": "c", "ports": [{ "containerPort": 80, "protocol": "TCP" }], "resources": { "limits": { "cpu": "100m" } },
                "readinessProbe": { "httpGet": { "port": "http", "path": "/" } }, "command": ["a", "b"],
            }],
            "securityContext": { "supplementalGroups": [1, 2], "runAsNonRoot": false },
            "volumes": [{ "name": "v", "configMap": { "name": "m", "optional": true } }],
        },
    });
    let written = write(&object).expect("pods have messages");
    assert_eq!(read(&written), Ok(object));
    assert_eq!(write(&value!({ "apiVersion": "example.com/v1", "kind": "Thing" })), None);
}

#[test]
fn events_tell_their_length() {
    let event = write_event("ADDED", &value!({ "apiVersion": "v1", "kind": "Secret" })).expect("secrets have messages");
    let (length, rest) = event.split_at(4);
    assert_eq!(usize::from(length[3]), rest.len());
    assert!(rest.starts_with(b"\x0a\x05ADDED\x12"), "{rest:?}");
}

use meta::{Key, Metadata, Object, Revision};
use value::{Map, map};

use super::list;
use crate::options::ListOptions;
use crate::query::Query;
use crate::server::Config;
use crate::{ApiServer, digest};

const KIND: meta::KindId = kinds::CONFIG_MAP;

/// Config maps `a` to `e` in the namespace `n`, of which `b` is gone, and `z` in `other`; revisions 2 to 7 made them.
fn server() -> ApiServer {
    let mut api = ApiServer::new(Config { seed: 1, log_changes_max: 4 });
    for (namespace, name) in [("n", "a"), ("n", "b"), ("n", "c"), ("n", "d"), ("n", "e"), ("other", "z")] {
        let labels = map!({ "even": if "bd".contains(name) { "yes" } else { "no" } });
        let meta = Metadata { labels, ..Metadata::new(namespace, name) };
        api.store.create(Object { kind: KIND, meta, body: Map::new() }).unwrap();
    }
    api.store.delete(KIND, &Key::new("n", "b"), None).unwrap();
    assert_eq!(api.store.revision(), Revision(8));
    api
}

fn told(api: &ApiServer, namespace: Option<&str>, query: &str) -> (String, String) {
    let answer = ListOptions::read(&Query::parse(query), false).and_then(|options| {
        list(api, &kinds::ServedKind { kind: api.registry.get(KIND).unwrap(), served: None }, namespace, &options)
    });
    match answer {
        Ok(page) => {
            let names: Vec<&str> = page.objects.iter().map(|it| it.name()).collect();
            let text = |key: &str| page.metadata.get(key).and_then(|it| it.as_str()).unwrap_or_default().to_owned();
            let more = page.metadata.get("remainingItemCount").and_then(|it| it.as_i64());
            let more = match (more, text("continue").is_empty()) {
                (Some(n_more), _) => format!(", {n_more} more"),
                (None, false) => ", more".to_owned(),
                (None, true) => String::new(),
            };
            (format!("{} at {}{more}", names.join(" "), text("resourceVersion")), text("continue"))
        }
        Err(status) => (format!("{}: {}", status.code, status.message), status.continue_token),
    }
}

#[track_caller]
fn check(namespace: Option<&str>, query: &str, expect: &str) {
    assert_eq!(told(&server(), namespace, query).0, expect);
}

#[test]
fn lists_show_one_moment() {
    check(Some("n"), "", "a c d e at 8");
    check(None, "", "a c d e z at 8");
    check(Some("n"), "resourceVersion=3", "a c d e at 8");
    check(Some("n"), "resourceVersion=7&resourceVersionMatch=Exact", "a b c d e at 7");
    check(
        Some("n"),
        "resourceVersion=2&resourceVersionMatch=Exact",
        "410: The resourceVersion for the provided list is too old.",
    );
    check(Some("n"), "resourceVersion=9", "504: Timeout: Too large resource version: 9, current: 8");
}

#[test]
fn selectors_narrow() {
    check(None, "fieldSelector=metadata.namespace=other", "z at 8");
    check(Some("n"), "labelSelector=even=yes", "d at 8");
    check(Some("n"), "fieldSelector=metadata.name=c&limit=1", "c at 8");
    check(Some("n"), "labelSelector=even=no&limit=2", "a c at 8, more");
}

#[test]
fn pages_follow_each_other() {
    let mut api = server();
    let (first, token) = told(&api, None, "limit=3");
    assert_eq!(first, "a c d at 8, 2 more");
    assert_eq!(
        String::from_utf8(digest::from_base64_url(&token).unwrap()).unwrap(),
        "{\"v\":\"meta.k8s.io/v1\",\"rv\":8,\"start\":\"n/d\\u0000\"}"
    );
    let next = format!("limit=1&continue={token}");
    api.store.delete(KIND, &Key::new("n", "e"), None).unwrap();
    assert_eq!(told(&api, None, &next).0, "e at 8, 1 more");
    for _ in 0..2 {
        let key = Key::new("n", "a");
        let object = Object::clone(api.store.get(KIND, &key).unwrap());
        api.store.update(object.clone(), None).unwrap();
        api.store.update(object, None).unwrap();
    }
    let (expired, token) = told(&api, None, &next);
    assert!(expired.starts_with("410: The provided continue parameter is too old"), "{expired}");
    assert_eq!(told(&api, None, &format!("limit=1&continue={token}")).0, "z at 13");
}

#[test]
fn broken_tokens_are_refused() {
    let bad = "400: invalid continue token: continue key is not valid";
    check(None, "continue=abc", &format!("{bad}: invalid character 'i' looking for beginning of value"));
    check(None, "continue=e30", &format!("{bad}: server does not recognize this encoded version "));
    let token = |text: &str| format!("continue={}", digest::base64_url(text.as_bytes()));
    let expect = "incorrect encoded start resourceVersion (version meta.k8s.io/v1)";
    check(None, &token(r#"{"v":"meta.k8s.io/v1","start":"a"}"#), &format!("{bad}: {expect}"));
    check(None, &token(r#"{"v":"meta.k8s.io/v1","rv":8,"start":"../a"}"#), &format!("{bad}: ../a"));
}

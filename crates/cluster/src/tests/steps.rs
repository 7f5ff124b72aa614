//! Clusters driven by lines of requests.

use expect_test::Expect;
use value::{Value, json};

use super::pass;
use crate::{Body, Cluster, Config};

fn send(cluster: &mut Cluster, method: &str, path: &str, body: &str) -> Value {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/yaml" };
    let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
    let answer = cluster.handle(request.body(body.as_bytes().to_vec()).expect("the path is one"));
    let Body::Bytes(bytes) = answer.into_body() else { return Value::Null };
    json::parse(&bytes).expect("the answer is JSON")
}

/// A field, an annotation, or what a condition says; of a list, those of each.
fn shown(answer: &Value, field: &str) -> String {
    if answer.get("items").is_some() {
        let lines: Vec<String> = answer.list_at("items").iter().map(|it| shown(it, field)).collect();
        return lines.join("\n");
    }
    let fields = field.split(',').map(|field| {
        let condition = answer.list_at("status.conditions").iter().find(|it| it.str_at("type") == Some(field));
        let annotation = || answer.at("metadata.annotations").and_then(|it| it.get(field));
        let found =
            condition.and_then(|it| it.get("message")).or_else(|| answer.as_map()?.at_any(field)).or_else(annotation);
        match found {
            None => "none".to_owned(),
            Some(Value::Str(text)) => text.to_string(),
            Some(Value::List(endpoints)) if field == "endpoints" => {
                let zone = |it: &Value| it.str_at("zone").unwrap_or("-").to_owned();
                let hint = |it: &Value| {
                    it.list_at("hints.forZones").first().and_then(|it| it.str_at("name")).map(str::to_owned)
                };
                let line = |it: &Value| format!("{}>{}", zone(it), hint(it).unwrap_or_default());
                let mut lines: Vec<String> = endpoints.iter().map(line).collect();
                lines.sort();
                lines.join(" ")
            }
            Some(value) => json::to_string(value),
        }
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// Requests, one a line, with seconds to wait; `*` is the newest of a list, and `GET` shows a field.
#[track_caller]
pub(super) fn check(steps: &str, expect: Expect) {
    let mut cluster = Cluster::new(&Config::default());
    let mut out = String::new();
    for line in steps.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let [method, path, rest] = std::array::from_fn(|_| words.next().unwrap_or(""));
        if method == "wait" {
            pass(&mut cluster, path.parse().expect("seconds are a number"));
            continue;
        }
        let mut path = path.to_owned();
        if let Some(list) = path.strip_suffix("/*").map(str::to_owned) {
            let all = send(&mut cluster, "GET", &list, "");
            let made = |it: &&Value| it.str_at("metadata.creationTimestamp").map(str::to_owned);
            let newest = all.list_at("items").iter().max_by_key(made).expect("there is one");
            path = format!("{list}/{}", newest.str_at("metadata.name").expect("it has a name"));
        }
        let answer = send(&mut cluster, method, &path, if method == "GET" { "" } else { rest });
        if method == "GET" {
            out.push_str(&format!("{}\n", shown(&answer, rest)));
        } else if answer.str_at("kind") == Some("Status") && answer.str_at("status") == Some("Failure") {
            out.push_str(&format!("{}\n", answer.str_at("message").unwrap_or("")));
        }
    }
    expect.assert_eq(&out);
}

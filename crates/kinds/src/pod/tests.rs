use std::path::PathBuf;

use meta::{Errors, KindId, Object};
use value::{Map, Value, json};

use crate::path::Path;
use crate::pod_template;

/// Where the recorded answers of a real control plane are; tests that need them pass without.
fn corpus() -> Option<PathBuf> {
    std::env::var_os("DRYDOCK_CORPUS").map(PathBuf::from)
}

fn pod(whole: &Map) -> Object {
    Object::from_map(KindId(0), whole)
}

/// `field: message` of each problem, sorted.
fn shown(errors: &Errors) -> Vec<String> {
    let mut res: Vec<String> = errors.list.iter().map(ToString::to_string).collect();
    res.sort();
    res
}

fn causes(body: &Value) -> Vec<String> {
    let mut res: Vec<String> = body
        .list_at("details.causes")
        .iter()
        .map(|it| format!("{}: {}", it.str_at("field").unwrap_or(""), it.str_at("message").unwrap_or("")))
        .collect();
    res.sort();
    res
}

fn pod_problems(whole: &Map) -> Errors {
    let mut pod = pod(whole);
    let strategy = super::kind().strategy;
    (strategy.default)(&mut pod);
    (strategy.prepare_create)(&mut pod);
    // As admission does.
    if pod.str_at("spec.serviceAccountName").is_none() {
        pod.set("spec.serviceAccountName", "default");
    }
    let mut errors = Errors::new();
    (strategy.validate)(&pod, &mut errors);
    errors
}

fn template_problems(whole: &Map, at: &str) -> Errors {
    let mut errors = Errors::new();
    let mut holder = Value::Map(whole.clone());
    if let Some(Value::Map(template)) = holder.at(at).cloned() {
        let mut template = template;
        pod_template::default(&mut template);
        pod_template::validate(&template, &Path::root(at), &mut errors);
        holder.set(at, template);
    }
    errors
}

#[test]
fn recorded_verdicts_are_the_same() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("recorded/validation-create-dryrun.jsonl")).unwrap();
    let (mut n_same, mut other) = (0, Vec::new());
    for line in text.lines() {
        let record = json::parse(line.as_bytes()).unwrap();
        let path = record.str_at("request.path").unwrap_or("");
        let resource = path.rsplit('/').next().unwrap_or("");
        let code = record.i64_at("response.code").unwrap_or(0);
        if code != 201 && code != 422 {
            continue;
        }
        let body = record.map_at("request.body").unwrap();
        let template = match resource {
            "pods" => "",
            "daemonsets" | "deployments" | "replicasets" | "replicationcontrollers" | "statefulsets" | "jobs" => "spec.template",
            "cronjobs" => "spec.jobTemplate.spec.template",
            "podtemplates" => "template",
            _ => continue,
        };
        let mut have = shown(&if template.is_empty() { pod_problems(body) } else { template_problems(body, template) });
        let mut want = causes(record.at("response.body").unwrap());
        if template.is_empty() {
            want.retain(|it| !it.starts_with("metadata.") || it.starts_with("metadata.annotations"));
        } else {
            want.retain(|it| it.starts_with(&format!("{template}.")) && !it.contains("`selector`") && !it.contains("labels[") && !it.contains("restartPolicy: "));
            have.retain(|it| !it.contains("restartPolicy: "));
        }
        if have == want {
            n_same += 1;
        } else {
            other.push(format!("{}\n  have {have:#?}\n  want {want:#?}", record.str_at("src").unwrap_or("")));
        }
    }
    assert!(other.is_empty(), "{n_same} same, {} differ:\n{}", other.len(), other.join("\n"));
}

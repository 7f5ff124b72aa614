use std::path::PathBuf;

use meta::{Errors, KindId, Object};
use value::{Map, Value, json};

use crate::path::Path;
use crate::pod_template;

/// Where the recorded answers of a real control plane are; tests that need them pass without.
fn corpus() -> Option<PathBuf> {
    std::env::var_os("DRYDOCK_CORPUS").map(PathBuf::from)
}

/// A check of a new object against the old one.
type Change = fn(&Object, &Object, &mut Errors);

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
    let strategy = super::KIND.strategy;
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
            "daemonsets" | "deployments" | "replicasets" | "replicationcontrollers" | "statefulsets" | "jobs" => {
                "spec.template"
            }
            "cronjobs" => "spec.jobTemplate.spec.template",
            "podtemplates" => "template",
            _ => continue,
        };
        let mut have = shown(&if template.is_empty() { pod_problems(body) } else { template_problems(body, template) });
        let mut want = causes(record.at("response.body").unwrap());
        if template.is_empty() {
            want.retain(|it| !it.starts_with("metadata.") || it.starts_with("metadata.annotations"));
        } else {
            want.retain(|it| {
                it.starts_with(&format!("{template}."))
                    && !it.contains("`selector`")
                    && !it.contains("labels[")
                    && !it.contains("restartPolicy: ")
            });
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

/// The causes of a recorded refusal and of ours, of an object recorded before with `edit` done to it.
#[track_caller]
fn check_change(scenario: &str, before: &str, edit: fn(&mut Object, &mut Object), check: Change, refusal: &str) {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join(format!("scenarios/api/golden/{scenario}.json"))).unwrap();
    // Namespaces and random parts of names were masked there.
    let golden = json::parse(text.replace("$NS", "ns").replace("<rand>", "abcde").as_bytes()).unwrap();
    let whole = golden.get(before).and_then(|it| it.get("body")).unwrap();
    let mut old = pod(whole.as_map().unwrap());
    mount_service_ca(&mut old);
    let mut new = old.clone();
    edit(&mut old, &mut new);
    let mut errors = Errors::new();
    check(&new, &old, &mut errors);
    let refused = golden.get(refusal).and_then(|it| it.get("body")).unwrap();
    assert_eq!(shown(&errors), causes(refused));
}

/// The recorded cluster gave every pod one more file, which was masked; it counts in the lines of differences.
fn mount_service_ca(pod: &mut Object) {
    let file = value::value!({ "configMap": { "name": "service-ca", "items": [{ "key": "service-ca.crt", "path": "service-ca.crt" }] } });
    pod.body.edit_map("spec", |spec| {
        spec.edit_maps("volumes", |it| {
            it.edit_map("projected", |projected| {
                let sources = projected.get("sources").and_then(Value::as_list).cloned().unwrap_or_default();
                projected.insert("sources", sources.pushed(file.clone()));
            });
        });
    });
}

fn set_in_first_container(pod: &mut Object, path: &str, value: Value) {
    pod.body.edit_map("spec", |spec| {
        spec.edit_maps("containers", |it| *it = Value::from(&*it).with(path, &value).as_map().unwrap().clone())
    });
}

#[test]
fn a_refused_update_shows_the_difference_of_the_specs() {
    check_change(
        "sub-resize",
        "get-pod",
        |_, new| set_in_first_container(new, "resources.requests.cpu", "120m".into()),
        super::KIND.strategy.validate_update,
        "through-main",
    );
    check_change(
        "adm-priority",
        "resolved",
        |_, new| new.set("spec.priorityClassName", "ns-low"),
        super::KIND.strategy.validate_update,
        "change-class",
    );
    check_change(
        "sub-ephemeral-containers",
        "get",
        |old, new| {
            old.remove("spec.ephemeralContainers");
            new.set(
                "spec.ephemeralContainers",
                value::value!([{
                    "name": "debug", "image": "busybox:1.36", "resources": {}, "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
                }]),
            );
        },
        super::KIND.strategy.validate_update,
        "through-main",
    );
}

#[test]
fn a_refused_resize_says_why() {
    check_change(
        "sub-resize",
        "get-pod",
        |_, new| set_in_first_container(new, "resources.limits.ephemeral-storage", "1Gi".into()),
        super::validate_resize,
        "other-resource",
    );
    check_change(
        "sub-resize",
        "get-pod",
        |_, new| set_in_first_container(new, "resources", Value::map()),
        super::validate_resize,
        "quality-of-service-changes",
    );
    check_change(
        "sub-resize",
        "get-pod",
        |_, new| set_in_first_container(new, "resources.requests.cpu", "900m".into()),
        super::validate_resize,
        "request-over-limit",
    );
}

#[test]
fn ephemeral_containers_stay_as_they_are() {
    let check = |edit, refusal| {
        check_change("sub-ephemeral-containers", "add", edit, super::validate_ephemeral_containers, refusal)
    };
    check(
        |_, new| {
            new.body.edit_map("spec", |spec| {
                spec.edit_maps("ephemeralContainers", |it| {
                    if it.get("name").and_then(Value::as_str) == Some("debug") {
                        it.insert("image", "busybox:1.37");
                    }
                });
            });
        },
        "change",
    );
    check(
        |_, new| {
            let rest: Vec<Value> = new
                .list_at("spec.ephemeralContainers")
                .iter()
                .filter(|it| it.str_at("name") != Some("debug"))
                .cloned()
                .collect();
            new.set("spec.ephemeralContainers", rest);
        },
        "remove",
    );
}

//! What users and accidents do to a cluster, drawn by chance.

use cluster::Duration;
use sim::Rng;
use tests::session::Session;
use value::{Value, json};

const MACHINES: &str = "/apis/sim.drydock.dev/v1alpha1/machines";
const COMPONENTS: &str = "/apis/sim.drydock.dev/v1alpha1/components";

/// Components that are stopped now and then; everything goes on as before when they are back.
const STOPPABLE: &[&str] =
    &["daemonset", "deployment", "garbage-collector", "job", "replicaset", "scheduler", "statefulset"];

/// A kind, and what stands in the `spec` of its objects beside the selector and the template.
struct Workload {
    path: &'static str,
    api_version: &'static str,
    kind: &'static str,
    specs: &'static [&'static str],
    /// What its pods do.
    command: &'static str,
    restart: &'static str,
}

const SLEEPS: &str = "sleep 1000000";

const WORKLOADS: &[Workload] = &[
    Workload {
        path: "/apis/apps/v1/namespaces/default/daemonsets",
        api_version: "apps/v1",
        kind: "DaemonSet",
        specs: &[
            "",
            r#""updateStrategy": {"type": "OnDelete"}"#,
            r#""minReadySeconds": 3, "updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}"#,
        ],
        command: SLEEPS,
        restart: "Always",
    },
    Workload {
        path: "/apis/apps/v1/namespaces/default/deployments",
        api_version: "apps/v1",
        kind: "Deployment",
        specs: &[
            r#""replicas": 3"#,
            r#""replicas": 2, "strategy": {"type": "Recreate"}"#,
            r#""replicas": 5, "minReadySeconds": 2, "revisionHistoryLimit": 1"#,
        ],
        command: SLEEPS,
        restart: "Always",
    },
    Workload {
        path: "/apis/apps/v1/namespaces/default/statefulsets",
        api_version: "apps/v1",
        kind: "StatefulSet",
        specs: &[r#""replicas": 3, "serviceName": "s""#, r#""replicas": 2, "podManagementPolicy": "Parallel""#],
        command: SLEEPS,
        restart: "Always",
    },
    Workload {
        path: "/apis/batch/v1/namespaces/default/jobs",
        api_version: "batch/v1",
        kind: "Job",
        specs: &[
            r#""completions": 4, "parallelism": 2"#,
            r#""completions": 3, "completionMode": "Indexed""#,
            r#""completions": 2, "backoffLimit": 1, "ttlSecondsAfterFinished": 60"#,
        ],
        command: "sleep 4",
        restart: "Never",
    },
    Workload {
        path: "/apis/batch/v1/namespaces/default/jobs",
        api_version: "batch/v1",
        kind: "Job",
        specs: &[r#""completions": 1, "backoffLimit": 2"#],
        command: "sleep 1; exit 3",
        restart: "OnFailure",
    },
    Workload {
        path: "/apis/batch/v1/namespaces/default/cronjobs",
        api_version: "batch/v1",
        kind: "CronJob",
        specs: &[
            r#""schedule": "* * * * *", "concurrencyPolicy": "Forbid""#,
            r#""schedule": "*/2 * * * *", "concurrencyPolicy": "Replace", "successfulJobsHistoryLimit": 1"#,
        ],
        command: "sleep 90",
        restart: "Never",
    },
];

fn pick<'a, T>(rng: &mut Rng, list: &'a [T]) -> Option<&'a T> {
    list.get(usize::try_from(rng.below(list.len().max(1) as u64)).unwrap_or(0))
}

/// Does something; answers what and with which code it ended.
pub fn one(rng: &mut Rng, session: &mut Session) -> String {
    let node = format!("node-{}", 1 + rng.below(3));
    match rng.below(17) {
        0..=4 => create(rng, session),
        5 => on_workload(rng, session, &mut delete),
        6 | 7 => on_workload(rng, session, &mut change),
        8 => on_workload(rng, session, &mut scale),
        9 | 10 => delete_pod(rng, session),
        11 => {
            let unschedulable = rng.below(2) == 0;
            send(
                session,
                "PATCH",
                &format!("/api/v1/nodes/{node}"),
                &format!(r#"{{"spec": {{"unschedulable": {unschedulable}}}}}"#),
            )
        }
        12 => {
            let taints = if rng.below(2) == 0 { "null" } else { r#"[{"key": "out", "effect": "NoExecute"}]"# };
            send(session, "PATCH", &format!("/api/v1/nodes/{node}"), &format!(r#"{{"spec": {{"taints": {taints}}}}}"#))
        }
        13 => {
            let state = if rng.below(2) == 0 { "Running" } else { "Stopped" };
            let name = pick(rng, STOPPABLE).copied().unwrap_or_default();
            send(session, "PATCH", &format!("{COMPONENTS}/{name}"), &format!(r#"{{"spec": {{"state": "{state}"}}}}"#))
        }
        14 => {
            session.cluster.restart();
            "everybody begins anew".to_owned()
        }
        _ => {
            let spec = match rng.below(4) {
                0 => r#"{"power": "Off"}"#,
                1 => r#"{"network": "Partitioned"}"#,
                _ => r#"{"power": "On", "network": "Connected"}"#,
            };
            send(session, "PATCH", &format!("{MACHINES}/{node}"), &format!(r#"{{"spec": {spec}}}"#))
        }
    }
}

fn send(session: &mut Session, method: &str, path: &str, body: &str) -> String {
    let (code, _) = session.send(method, path, body);
    format!("{method} {path} {body}: {code}")
}

fn create(rng: &mut Rng, session: &mut Session) -> String {
    let Some(workload) = pick(rng, WORKLOADS) else { return String::new() };
    let spec = pick(rng, workload.specs).copied().unwrap_or_default();
    let comma = if spec.is_empty() { "" } else { ", " };
    let name = format!("{}-{}", workload.kind.to_lowercase(), rng.below(3));
    let cpu = if rng.below(5) == 0 { "1500m" } else { "100m" };
    let template = format!(
        r#"{{"metadata": {{"labels": {{"app": "{name}"}}}}, "spec": {{"restartPolicy": "{}", "terminationGracePeriodSeconds": {},
            "containers": [{{"name": "main", "image": "busybox:1", "command": ["sh", "-c", "{}"], "resources": {{"requests": {{"cpu": "{cpu}"}}}}}}]}}}}"#,
        workload.restart,
        rng.below(40),
        workload.command,
    );
    let spec = match workload.kind {
        "Job" => format!(r#"{{"template": {template}{comma}{spec}}}"#),
        "CronJob" => format!(r#"{{"jobTemplate": {{"spec": {{"template": {template}}}}}{comma}{spec}}}"#),
        _ => format!(r#"{{"selector": {{"matchLabels": {{"app": "{name}"}}}}, "template": {template}{comma}{spec}}}"#),
    };
    let body = format!(
        r#"{{"apiVersion": "{}", "kind": "{}", "metadata": {{"name": "{name}"}}, "spec": {spec}}}"#,
        workload.api_version, workload.kind
    );
    send(session, "POST", workload.path, &body)
}

fn names(session: &mut Session, path: &str) -> Vec<String> {
    let (_, body) = session.send("GET", path, "");
    let list = json::parse(body.as_bytes()).unwrap_or_default();
    list.list_at("items").iter().filter_map(|it| it.str_at("metadata.name")).map(str::to_owned).collect()
}

type Operation<'a> = &'a mut dyn FnMut(&mut Rng, &mut Session, &Workload, &str) -> String;

/// Does it to an object of some workload's kind, if there is one.
fn on_workload(rng: &mut Rng, session: &mut Session, operation: Operation<'_>) -> String {
    let Some(workload) = pick(rng, WORKLOADS) else { return String::new() };
    let names = names(session, workload.path);
    match pick(rng, &names) {
        Some(name) => operation(rng, session, workload, &format!("{}/{name}", workload.path)),
        None => format!("no {}", workload.kind),
    }
}

fn delete(rng: &mut Rng, session: &mut Session, _: &Workload, path: &str) -> String {
    let policy = ["Background", "Foreground", "Orphan"][rng.below(3) as usize];
    send(session, "DELETE", &format!("{path}?propagationPolicy={policy}"), "")
}

fn change(rng: &mut Rng, session: &mut Session, workload: &Workload, path: &str) -> String {
    let n = rng.below(9);
    let template = format!(r#"{{"metadata": {{"annotations": {{"n": "{n}"}}}}}}"#);
    let body = match workload.kind {
        "Job" => format!(r#"{{"spec": {{"suspend": {}}}}}"#, n < 3),
        "CronJob" => {
            format!(r#"{{"spec": {{"suspend": {}, "jobTemplate": {{"spec": {{"template": {template}}}}}}}}}"#, n < 2)
        }
        _ => format!(r#"{{"spec": {{"template": {template}}}}}"#),
    };
    send(session, "PATCH", path, &body)
}

fn scale(rng: &mut Rng, session: &mut Session, workload: &Workload, path: &str) -> String {
    let n = rng.below(7);
    match workload.kind {
        "Deployment" | "StatefulSet" => {
            send(session, "PATCH", &format!("{path}/scale"), &format!(r#"{{"spec": {{"replicas": {n}}}}}"#))
        }
        "Job" => send(session, "PATCH", path, &format!(r#"{{"spec": {{"parallelism": {n}}}}}"#)),
        kind => format!("no scale of {kind}"),
    }
}

fn delete_pod(rng: &mut Rng, session: &mut Session) -> String {
    let path = "/api/v1/namespaces/default/pods";
    let names = names(session, path);
    let Some(name) = pick(rng, &names) else { return "no pod".to_owned() };
    match rng.below(3) {
        0 => send(session, "DELETE", &format!("{path}/{name}?gracePeriodSeconds=0"), ""),
        1 => {
            let body =
                format!(r#"{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{name}"}}}}"#);
            send(session, "POST", &format!("{path}/{name}/eviction"), &body)
        }
        _ => send(session, "DELETE", &format!("{path}/{name}"), ""),
    }
}

/// Everything runs again, nothing new begins, and there is room for all.
pub fn calm_down(session: &mut Session) {
    for name in STOPPABLE {
        session.send("PATCH", &format!("{COMPONENTS}/{name}"), r#"{"spec": {"state": "Running"}}"#);
    }
    for idx in 1..=3 {
        let on = r#"{"spec": {"power": "On", "network": "Connected"}}"#;
        session.send("PATCH", &format!("{MACHINES}/node-{idx}"), on);
    }
    // Taints of silent machines go when these are heard again; ours must go by hand.
    session.wait(Duration::from_secs(120));
    for idx in 1..=3 {
        let plain = r#"{"spec": {"unschedulable": null, "taints": null}}"#;
        session.send("PATCH", &format!("/api/v1/nodes/node-{idx}"), plain);
    }
    for name in names(session, "/apis/batch/v1/cronjobs") {
        let path = format!("/apis/batch/v1/namespaces/default/cronjobs/{name}");
        session.send("PATCH", &path, r#"{"spec": {"suspend": true}}"#);
    }
    delete_large(session);
    delete_orphans(session);
}

/// Deletes pods that nobody controls: some crash for ever.
fn delete_orphans(session: &mut Session) {
    let path = "/api/v1/namespaces/default/pods";
    let (_, body) = session.send("GET", path, "");
    let list = json::parse(body.as_bytes()).unwrap_or_default();
    let orphans = list.list_at("items").iter().filter(|it| it.list_at("metadata.ownerReferences").is_empty());
    for name in orphans.filter_map(|it| it.str_at("metadata.name")) {
        session.send("DELETE", &format!("{path}/{name}"), "");
    }
}

/// Deletes what requests so much that it may keep others from running.
fn delete_large(session: &mut Session) {
    for workload in WORKLOADS {
        let (_, body) = session.send("GET", workload.path, "");
        let list = json::parse(body.as_bytes()).unwrap_or_default();
        let cpu = |it: &Value| {
            let template = if workload.kind == "CronJob" { "spec.jobTemplate.spec.template" } else { "spec.template" };
            let containers = it.at(template).map_or(&[][..], |it| it.list_at("spec.containers"));
            containers.iter().any(|it| it.str_at("resources.requests.cpu") == Some("1500m"))
        };
        for name in list.list_at("items").iter().filter(|it| cpu(it)).filter_map(|it| it.str_at("metadata.name")) {
            session.send("DELETE", &format!("{}/{name}?propagationPolicy=Background", workload.path), "");
        }
    }
}

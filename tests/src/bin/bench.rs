//! Measures the engine: lines of name, value, unit and target, with tabs between.
//!
//! Writes are commits of the store, by its revision: the events that a component records in one turn are one commit,
//! and so are the events of a lease when it ends. Every other object is a commit of its own.
//!
//! `bench NAME…` runs only the measures of these names (see [`MEASURES`]); `bench list` prints the names of those that
//! are run without a name. Each is best run in a process of its own: an earlier one leaves memory behind, and in wasm
//! compiled code.

use cluster::{Config, Duration};
use tests::{host, session::Session};

const HOST: &str = if cfg!(target_arch = "wasm32") { "wasm" } else { "native" };
/// Milliseconds until a DaemonSet runs on [`MANY`] machines.
const READY_MS_TARGET: u64 = if cfg!(target_arch = "wasm32") { 4_000 } else { 2_000 };
const MANY: u32 = 5_000;
const SOME: u32 = 1_000;

const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";
const DAEMON_SET: &str = r#"{
    "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "labels": {"app": "agent"}},
    "spec": {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {
                "containers": [{
                    "name": "agent", "image": "agent:1",
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                    "volumeMounts": [{"name": "varlog", "mountPath": "/var/log"}]
                }],
                "volumes": [{"name": "varlog", "hostPath": {"path": "/var/log"}}]
            }
        }
    }
}"#;

const DEPLOYMENTS_MS_TARGET: u64 = if cfg!(target_arch = "wasm32") { 6_000 } else { 3_000 };

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const DEPLOYMENT: &str = r#"{
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "NAME"},
    "spec": {
        "replicas": 200, "selector": {"matchLabels": {"app": "NAME"}},
        "template": {
            "metadata": {"labels": {"app": "NAME"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1", "resources": {"requests": {"cpu": "50m"}}}]}
        }
    }
}"#;

const CRON_JOBS: &str = "/apis/batch/v1/namespaces/default/cronjobs";
const CRON_JOB: &str = r#"{
    "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "hello"},
    "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {
        "restartPolicy": "OnFailure",
        "containers": [{"name": "hello", "image": "busybox:1.28", "command": ["/bin/sh", "-c", "date; echo Hello"]}]
    }}}}}
}"#;

const MEASURES: &[(&str, fn())] = &[
    ("daemonset_on_5000", daemon_set_on_many),
    ("idle_hour", idle_hour),
    ("cpu_per_pod", cpu_per_pod),
    ("deployments_10000", deployments),
    ("cronjob_year", cron_job_year),
];
/// The measure that takes too long in wasm.
const NATIVE_ONLY: &str = "cronjob_year";

fn main() {
    let names = host::args();
    let is_list = names.iter().any(|it| it == "list");
    for (name, measure) in MEASURES {
        let wanted = if names.is_empty() || is_list {
            HOST == "native" || *name != NATIVE_ONLY
        } else {
            names.iter().any(|it| it == name)
        };
        match wanted {
            true if is_list => host::print(name),
            true => measure(),
            false => (),
        }
    }
}

/// Of the first run of the process, and the median of later ones: a browser compiles what runs, and again what runs
/// often, while it runs.
fn cpu_per_pod() {
    const N_LATER: usize = 5;
    let micros = |run: &Run| run.nanos / 1_000 / u64::from(SOME);
    let run = run_everywhere(SOME);
    line("cpu_per_pod_first", micros(&run), "us", 100);
    let mut later: [u64; N_LATER] = std::array::from_fn(|_| micros(&run_everywhere(SOME)));
    later.sort_unstable();
    line("cpu_per_pod", later[N_LATER / 2], "us", 100);
    line_tenths("writes_per_pod", run.n_writes * 10 / u64::from(SOME), "writes", 6);
}

fn daemon_set_on_many() {
    let run = run_everywhere(MANY);
    line("daemonset_on_5000", run.nanos / 1_000_000, "ms", READY_MS_TARGET);
    line_tenths("memory_per_pod", run.bytes * 10 / 1_024 / u64::from(MANY), "KB", 4);
}

/// Pods of Deployments, 200 each, on as many nodes as the target names.
fn deployments() {
    const SETS: u64 = 50;
    const PODS: u64 = 200;
    let mut session = Session::new(&Config { n_nodes: 500, ..Config::default() });
    session.wait(Duration::from_secs(60));
    let (nanos, revision) = (host::nanos(), session.cluster.revision().0);
    for number in 0..SETS {
        let name = format!("web-{number}");
        let (code, answer) = session.send("POST", DEPLOYMENTS, &DEPLOYMENT.replace("NAME", &name));
        assert_eq!(code, 201, "{answer}");
    }
    session.wait(Duration::from_secs(300));
    for number in 0..SETS {
        let (_, it) = session.send("GET", &format!("{DEPLOYMENTS}/web-{number}"), "");
        assert!(it.contains(&format!("\"readyReplicas\":{PODS},")), "not all are ready: {it}");
    }
    line("deployments_10000", (host::nanos() - nanos) / 1_000_000, "ms", DEPLOYMENTS_MS_TARGET);
    let n_writes = session.cluster.revision().0 - revision;
    line_tenths("deployment_writes_per_pod", n_writes * 10 / (SETS * PODS), "writes", 8);
}

/// A CronJob of every minute over a year.
fn cron_job_year() {
    let mut session = Session::new(&Config::default());
    let (code, answer) = session.send("POST", CRON_JOBS, CRON_JOB);
    assert_eq!(code, 201, "{answer}");
    let nanos = host::nanos();
    session.wait(Duration::from_secs(365 * 86_400));
    line("cronjob_year", (host::nanos() - nanos) / 1_000_000, "ms", 60_000);
    let (_, it) = session.send("GET", &format!("{CRON_JOBS}/hello"), "");
    assert!(it.contains("lastSuccessfulTime"), "it never ran: {it}");
}

/// What it took until a DaemonSet's pods were ready on all nodes.
struct Run {
    nanos: u64,
    bytes: u64,
    n_writes: u64,
}

fn run_everywhere(n_nodes: u32) -> Run {
    let mut session = Session::new(&Config { n_nodes, ..Config::default() });
    session.wait(Duration::from_secs(60));
    let (nanos, bytes, revision) = (host::nanos(), host::memory_bytes(), session.cluster.revision().0);
    session.send("POST", DAEMON_SETS, DAEMON_SET);
    session.wait(Duration::from_secs(60));
    let (_, set) = session.send("GET", &format!("{DAEMON_SETS}/agent"), "");
    assert!(set.contains(&format!("\"numberReady\":{n_nodes},")), "not all are ready: {set}");
    Run {
        nanos: host::nanos() - nanos,
        bytes: host::memory_bytes().saturating_sub(bytes),
        n_writes: session.cluster.revision().0 - revision,
    }
}

/// What would change nothing must not be written.
fn idle_hour() {
    let mut session = Session::new(&Config::default());
    session.send("POST", DAEMON_SETS, DAEMON_SET);
    // Until the events of the beginning have had their hour.
    session.wait(Duration::from_secs(7_200));
    let before = session.cluster.revision().0;
    session.wait(Duration::from_secs(3_600));
    line("idle_hour", session.cluster.revision().0 - before, "writes", 0);
}

fn line(name: &str, value: u64, unit: &str, target: u64) {
    host::print(&format!("{HOST}.{name}\t{value}\t{unit}\t{target}"));
}

/// The same for a value in tenths.
fn line_tenths(name: &str, tenths: u64, unit: &str, target: u64) {
    host::print(&format!("{HOST}.{name}\t{}.{}\t{unit}\t{target}", tenths / 10, tenths % 10));
}

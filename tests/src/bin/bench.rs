//! Measures the engine: lines of name, value, unit and target, with tabs between.

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

fn main() {
    idle_hour();
    let run = run_everywhere(SOME);
    line("cpu_per_pod", run.nanos / 1_000 / u64::from(SOME), "us", 100);
    line_tenths("writes_per_pod", run.n_writes * 10 / u64::from(SOME), "writes", 6);
    let run = run_everywhere(MANY);
    line("daemonset_on_5000", run.nanos / 1_000_000, "ms", READY_MS_TARGET);
    line_tenths("memory_per_pod", run.bytes * 10 / 1_024 / u64::from(MANY), "KB", 4);
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
    session.wait(Duration::from_secs(600));
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

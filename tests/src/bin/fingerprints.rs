//! Prints the fingerprints of some sessions: natively and in wasm they must be the same.

use cluster::{Config, Duration};
use tests::{host, session::Session};

const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";
const DAEMON_SET: &str = r#"{
    "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
    "spec": {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"containers": [{"name": "agent", "image": "agent:1", "resources": {"requests": {"cpu": "100m"}}}]}
        }
    }
}"#;
const NEW_IMAGE: &str = r#"{"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": "agent:2"}]}}}}"#;

/// A session by name; it prints after each step.
type Play = fn(&mut Session, &mut dyn FnMut(&Session, &str));

// tidy: sorted
const PLAYS: &[(&str, Play)] = &[("idle", idle), ("roll out", roll_out), ("unplug", unplug)];

fn main() {
    host::be_splittable();
    for seed in [1, 2] {
        for (name, play) in PLAYS {
            let mut session = Session::new(&Config { seed, ..Config::default() });
            play(&mut session, &mut |session, step| {
                let (revision, fingerprint) = (session.cluster.revision().0, session.cluster.fingerprint());
                host::print(&format!("{name}, seed {seed}, {step}: revision {revision}, {fingerprint:016x}"));
            });
        }
    }
}

fn idle(session: &mut Session, done: &mut dyn FnMut(&Session, &str)) {
    done(session, "at first");
    session.wait(Duration::from_secs(3_600));
    done(session, "after an hour");
}

fn roll_out(session: &mut Session, done: &mut dyn FnMut(&Session, &str)) {
    session.wait(Duration::from_secs(10));
    let (code, _) = session.send("POST", DAEMON_SETS, DAEMON_SET);
    session.wait(Duration::from_secs(60));
    done(session, &format!("created with {code}"));
    let (code, _) = session.send("PATCH", &format!("{DAEMON_SETS}/agent"), NEW_IMAGE);
    session.wait(Duration::from_secs(600));
    done(session, &format!("changed with {code}"));
    let (code, _) = session.send("DELETE", &format!("{DAEMON_SETS}/agent"), "");
    session.wait(Duration::from_secs(60));
    done(session, &format!("deleted with {code}"));
}

fn unplug(session: &mut Session, done: &mut dyn FnMut(&Session, &str)) {
    session.wait(Duration::from_secs(10));
    session.send("POST", DAEMON_SETS, DAEMON_SET);
    session.wait(Duration::from_secs(60));
    let machine = "/apis/sim.drydock.dev/v1alpha1/machines/node-2";
    let (code, _) = session.send("PATCH", machine, r#"{"spec": {"power": "Off"}}"#);
    session.wait(Duration::from_secs(600));
    done(session, &format!("off with {code}"));
    let (code, _) = session.send("PATCH", machine, r#"{"spec": {"power": "On"}}"#);
    session.wait(Duration::from_secs(60));
    done(session, &format!("on again with {code}"));
}

mod addresses;
mod edges;
mod scheduling;
mod steps;
mod topology;

use apiserver::{Caller, calls};
use expect_test::{Expect, expect};
use kinds::{DAEMON_SET, POD};
use meta::{Key, KindId, Metadata, Object};
use sim::{Duration, Instant, Rng};
use value::{Map, map, value};

use crate::{Cluster, Config, KubeletMode};

mod controllers;
mod failures;
mod nodes;
mod runs;

const BUDGET: u32 = 1_000_000;

fn user() -> Caller {
    Caller::component("tests", "tests")
}

fn config(kubelet: KubeletMode) -> Config {
    Config { kubelet, ..Config::default() }
}

fn create(cluster: &mut Cluster, kind: KindId, namespace: &str, name: &str, body: Map) {
    let meta = Metadata::new(namespace, name);
    let now = cluster.now();
    calls::create(&mut cluster.api, now, &user(), Object { kind, meta, body }).expect("the object is valid");
}

fn daemon_set() -> Map {
    map!({ "spec": {
        "selector": { "matchLabels": { "app": "agent" } },
        "template": {
            "metadata": { "labels": { "app": "agent" } },
            "spec": { "containers": [{ "image": "agent:1", "name": "agent" }] },
        },
    } })
}

fn pass(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.now() + Duration::from_secs(seconds);
    assert!(cluster.advance(until, BUDGET).done, "the cluster comes to rest");
}

/// One line for each pod: where it is and how it is.
fn pods(cluster: &Cluster) -> String {
    let line = |pod: &Object| {
        let ready =
            pod.list_at("status.containerStatuses").iter().filter(|it| it.bool_at("ready") == Some(true)).count();
        let restarts: i64 =
            pod.list_at("status.containerStatuses").iter().filter_map(|it| it.i64_at("restartCount")).sum();
        let (node, phase) = (pod.str_at("spec.nodeName").unwrap_or("-"), pod.str_at("status.phase").unwrap_or("-"));
        format!("{node} {phase} ready {ready} restarts {restarts}\n")
    };
    let mut lines: Vec<String> = cluster.api.store().list(POD, None).map(|it| line(it)).collect();
    lines.sort();
    lines.concat()
}

#[track_caller]
fn check(cluster: &Cluster, expect: Expect) {
    expect.assert_eq(&pods(cluster));
}

fn with_daemon_set(kubelet: KubeletMode) -> Cluster {
    let mut cluster = Cluster::new(&config(kubelet));
    pass(&mut cluster, 1);
    create(&mut cluster, DAEMON_SET, "default", "agent", daemon_set());
    cluster
}

#[test]
fn a_daemon_set_runs_on_every_node() {
    for mode in [KubeletMode::Fast, KubeletMode::Real] {
        let mut cluster = with_daemon_set(mode);
        pass(&mut cluster, 10);
        check(
            &cluster,
            expect![[r#"
            node-1 Running ready 1 restarts 0
            node-2 Running ready 1 restarts 0
            node-3 Running ready 1 restarts 0
        "#]],
        );
        let set = cluster.api.store().get(DAEMON_SET, &Key::new("default", "agent")).expect("it was created");
        let status = set.map_at("status").expect("its controller wrote it").clone();
        let wanted = map!({
            "currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberAvailable": 3, "numberMisscheduled": 0, "numberReady": 3,
            "observedGeneration": 1, "updatedNumberScheduled": 3,
        });
        assert_eq!(status, wanted);
    }
}

#[test]
fn many_small_advances_equal_one_large_one() {
    let mut rng = Rng::new(5);
    let run = |steps: &mut dyn FnMut() -> u64| {
        let mut cluster = with_daemon_set(KubeletMode::Real);
        let end = cluster.now() + Duration::from_secs(100);
        while cluster.now() < end {
            let until = (cluster.now() + Duration::from_millis(steps())).min(end);
            while !cluster.advance(until, 3).done {}
        }
        cluster.fingerprint()
    };
    let large = run(&mut || 100_000);
    for _ in 0..3 {
        assert_eq!(run(&mut || 1 + rng.below(1_500)), large);
    }
}

#[test]
fn an_idle_hour_writes_nothing() {
    let mut cluster = with_daemon_set(KubeletMode::Real);
    // Events have gone after an hour.
    pass(&mut cluster, 4_000);
    let before = (cluster.revision(), cluster.n_turns());
    pass(&mut cluster, 3_600);
    assert_eq!((cluster.revision(), cluster.n_turns()), before);
}

#[test]
fn a_snapshot_goes_on_as_before() {
    let mut cluster = with_daemon_set(KubeletMode::Real);
    pass(&mut cluster, 1);
    let mut again = Cluster::restore(&cluster.snapshot()).expect("a snapshot can be read");
    assert_eq!(again.fingerprint(), cluster.fingerprint());
    pass(&mut again, 60);
    pass(&mut cluster, 60);
    assert_eq!(pods(&again), pods(&cluster));
}

#[test]
fn a_checkpoint_changes_nothing_that_rests() {
    let mut cluster = with_daemon_set(KubeletMode::Real);
    pass(&mut cluster, 4_000);
    let (before, decisions) = (cluster.revision(), cluster.saved_actors().get("scheduler").cloned());
    let again = Cluster::restore(&cluster.checkpoint()).expect("a snapshot can be read");
    pass(&mut cluster, 3_600);
    assert_eq!(cluster.revision(), before);
    assert_eq!(again.saved_actors().get("scheduler").cloned(), decisions);
    assert_eq!(decisions.as_ref().and_then(|it| it.as_list()).map(|it| it.len()), Some(3));
}

#[test]
fn a_dry_run_that_is_looked_at_leaves_no_trace() {
    let mut clusters = [(); 2].map(|_| with_daemon_set(KubeletMode::Real));
    let request = http::Request::post("/api/v1/namespaces/default/pods?dryRun=All").body(
        br#"{"metadata": {"generateName": "x-"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}"#.to_vec(),
    );
    let answer = clusters[0].look(request.expect("it is a request"));
    assert_eq!(answer.status(), 201);
    let ends = clusters.each_mut().map(|it| {
        create(it, DAEMON_SET, "default", "second", daemon_set());
        pass(it, 60);
        (it.fingerprint(), it.recording())
    });
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn a_cluster_with_a_log_of_four_changes_comes_to_the_same() {
    let mut cluster = Cluster::new(&Config { log_changes_max: 4, ..config(KubeletMode::Fast) });
    pass(&mut cluster, 1);
    create(&mut cluster, DAEMON_SET, "default", "agent", daemon_set());
    pass(&mut cluster, 60);
    check(
        &cluster,
        expect![[r#"
        node-1 Running ready 1 restarts 0
        node-2 Running ready 1 restarts 0
        node-3 Running ready 1 restarts 0
    "#]],
    );
}

#[test]
fn a_container_that_crashes_backs_off() {
    let mut cluster = Cluster::new(&config(KubeletMode::Real));
    pass(&mut cluster, 1);
    let body = map!({ "spec": { "containers": [{
        "command": ["sh", "-c", "echo trying; sleep 1; exit 1"], "image": "busybox", "name": "main",
    }] } });
    create(&mut cluster, POD, "default", "crash", body);
    let mut seen = Vec::new();
    for _ in 0..100 {
        pass(&mut cluster, 1);
        let pod = cluster.api.store().get(POD, &Key::new("default", "crash")).expect("it stays");
        let status = &pod.list_at("status.containerStatuses")[0];
        let reason = status.str_at("state.waiting.reason").or(status.str_at("state.terminated.reason"));
        let now = (status.i64_at("restartCount").unwrap_or(0), reason.unwrap_or("Running").to_owned());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    expect![[r#"
        0 ContainerCreating
        0 Running
        0 Error
        1 Running
        1 CrashLoopBackOff
        2 Running
        2 CrashLoopBackOff
        3 Running
        3 CrashLoopBackOff
        4 Running
        4 CrashLoopBackOff
    "#]]
    .assert_eq(&seen.iter().map(|(restarts, state)| format!("{restarts} {state}\n")).collect::<String>());
    let log = kubelet::log(
        &cluster.view(),
        &Key::new("default", "crash"),
        &kubelet::LogOptions::default(),
        crate::exec::client,
    );
    assert_eq!(
        log.map(|it| it.iter().map(|it| it.text.to_string()).collect::<Vec<_>>()),
        Ok(vec!["trying".to_owned()])
    );
}

#[test]
fn a_machine_without_power_loses_its_pods_and_gets_them_back() {
    let mut cluster = with_daemon_set(KubeletMode::Real);
    pass(&mut cluster, 10);
    let (key, now) = (Key::cluster("node-2"), cluster.now());
    let off = value!({ "spec": { "power": "Off" } });
    calls::patch_merge(&mut cluster.api, now, &user(), kinds::MACHINE, &key, &off)
        .expect("a machine can be switched off");
    pass(&mut cluster, 100);
    let node = cluster.api.store().get(kinds::NODE, &key).expect("the node stays").clone();
    let taints: Vec<&str> = node.list_at("spec.taints").iter().filter_map(|it| it.str_at("key")).collect();
    assert_eq!(taints, ["node.kubernetes.io/unreachable", "node.kubernetes.io/unreachable"]);
    let on = value!({ "spec": { "power": "On" } });
    let now = cluster.now();
    calls::patch_merge(&mut cluster.api, now, &user(), kinds::MACHINE, &key, &on).expect("and on again");
    pass(&mut cluster, 30);
    check(
        &cluster,
        expect![[r#"
        node-1 Running ready 1 restarts 0
        node-2 Running ready 1 restarts 1
        node-3 Running ready 1 restarts 0
    "#]],
    );
}

/// Everything that must hold at any time.
fn check_invariants(cluster: &Cluster) {
    let store = cluster.api.store();
    for pod in store.list(POD, None) {
        if let Some(owner) = pod.meta.controller() {
            let set = store.get(DAEMON_SET, &Key::new(pod.namespace(), &owner.name));
            assert!(
                set.is_some_and(|it| it.meta.uid == owner.uid) || pod.meta.is_deleted(),
                "{} has an owner",
                pod.name()
            );
        }
    }
    for set in store.list(DAEMON_SET, None) {
        assert!(set.i64_at("status.observedGeneration").unwrap_or(0) <= set.meta.generation);
    }
}

#[test]
fn whatever_happens_the_invariants_hold() {
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        let mut cluster = Cluster::new(&Config { seed, ..config(KubeletMode::Fast) });
        for _ in 0..30 {
            let now: Instant = cluster.now();
            let name = format!("set-{}", rng.below(3));
            let key = Key::new("default", name.as_str());
            let machine = Key::cluster(format!("node-{}", 1 + rng.below(3)));
            match rng.below(6) {
                0 | 1 if cluster.api.store().get(DAEMON_SET, &key).is_none() => {
                    let label = value!({ "app": name.as_str() });
                    let mut body = daemon_set();
                    body.edit("spec", |it| it.set("selector.matchLabels", label.clone()));
                    body.edit("spec", |it| it.set("template.metadata.labels", label));
                    create(&mut cluster, DAEMON_SET, "default", &name, body);
                }
                2 => {
                    let options = apiserver::DeleteOptions::default();
                    calls::delete(&mut cluster.api, now, &user(), DAEMON_SET, &key, &options).ok();
                }
                3 => {
                    let power = if rng.below(2) == 0 { "Off" } else { "On" };
                    let patch = value!({ "spec": { "power": power } });
                    calls::patch_merge(&mut cluster.api, now, &user(), kinds::MACHINE, &machine, &patch).ok();
                }
                4 => {
                    let patch = value!({ "spec": { "template": { "spec": { "containers": [{ "image": format!("agent:{}", rng.below(9)), "name": "agent" }] } } } });
                    calls::patch_strategic(&mut cluster.api, now, &user(), DAEMON_SET, &key, &patch).ok();
                }
                _ => {
                    let pods: Vec<Key> = cluster.api.store().list(POD, None).map(|it| it.key()).collect();
                    if let Some(pod) = pods.get(rng.below(pods.len() as u64) as usize) {
                        let options = apiserver::DeleteOptions::default();
                        calls::delete(&mut cluster.api, now, &user(), POD, pod, &options).ok();
                    }
                }
            }
            let passed = 1 + rng.below(40);
            pass(&mut cluster, passed);
            check_invariants(&cluster);
        }
    }
}

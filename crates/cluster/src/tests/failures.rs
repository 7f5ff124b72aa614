//! What kubelets say when something fails.

use std::sync::Arc;

use expect_test::{Expect, expect};
use kinds::{EVENT, POD};
use meta::{Key, Object};
use sim::Duration;
use value::{Value, json, yaml};

use super::controllers::step;
use super::{BUDGET, pass};
use crate::{Cluster, Config, KubeletMode};

/// Plays `steps` on a cluster of one node and compares what they print: those of the tests of controllers, and
/// - `pod NAME`: its phase and its containers
/// - `resize OBJECT`: a patch of its resources
/// - `story NAME`: its events by when they came first, with their counts
///
/// The same steps with checkpoints in between must come to the same on the cluster that runs on and on the restored one.
#[track_caller]
pub(super) fn check(steps: &[&str], expect: Expect) {
    let mut cluster = begin();
    let mut printed = String::new();
    for it in steps {
        printed += &play(&mut cluster, it);
    }
    for pod in cluster.api.store().list(POD, None) {
        printed = printed.replace(&*pod.meta.uid, &format!("${}", pod.name()));
    }
    let (mut on, mut printed_on) = (begin(), String::new());
    for it in steps {
        let Some(seconds) = it.strip_prefix("wait ") else {
            printed_on += &play(&mut on, it);
            continue;
        };
        let millis: u64 = seconds.parse::<u64>().expect("it is a number") * 1_000;
        let (first, rest) = (Duration::from_millis(millis * 3 / 7), Duration::from_millis(millis - millis * 3 / 7));
        let until = on.now() + first;
        assert!(on.advance(until, BUDGET).done, "the cluster comes to rest");
        let mut again = Cluster::restore(&on.checkpoint()).expect("a checkpoint can be read");
        let until = on.now() + rest;
        for it in [&mut on, &mut again] {
            assert!(it.advance(until, BUDGET).done, "the cluster comes to rest");
        }
        assert_eq!(on.fingerprint(), again.fingerprint(), "after {it}");
    }
    expect.assert_eq(&printed);
}

pub(super) fn begin() -> Cluster {
    let mut cluster = Cluster::new(&Config { n_nodes: 1, kubelet: KubeletMode::Real, ..Config::default() });
    pass(&mut cluster, 10);
    cluster
}

pub(super) fn play(cluster: &mut Cluster, it: &str) -> String {
    match it.split_once(' ') {
        Some(("pod", name)) => pod(cluster, name),
        Some(("story", name)) => story(cluster, name),
        Some(("resize", patch)) => resize(cluster, patch),
        _ => step(cluster, it).unwrap_or_else(|status| format!("{}: {}\n", status.code, status.message)),
    }
}

fn resize(cluster: &mut Cluster, patch: &str) -> String {
    let patch = yaml::parse_documents(patch).expect("the text is YAML").remove(0).value;
    let name = patch.str_at("metadata.name").expect("it has a name");
    let request = http::Request::patch(format!("/api/v1/namespaces/default/pods/{name}/resize"))
        .header("content-type", "application/strategic-merge-patch+json")
        .body(json::to_string(&patch).into_bytes())
        .expect("it is a request");
    format!("{}\n", cluster.handle(request).status())
}

fn pod(cluster: &Cluster, name: &str) -> String {
    let Some(pod) = cluster.api.store().get(POD, &Key::new("default", name)) else { return format!("{name}: gone\n") };
    let at = |path: &'static str| pod.str_at(path).map(|it| format!(" {it}")).unwrap_or_default();
    let mut res = format!("{name}: {}{}\n", at("status.phase").trim(), at("status.reason") + &at("status.message"));
    let lists = ["status.initContainerStatuses", "status.containerStatuses"];
    for it in lists.iter().flat_map(|it| pod.list_at(it)) {
        let ready = if it.bool_at("ready") == Some(true) { "ready " } else { "" };
        let name = it.str_at("name").unwrap_or("-");
        let restarts = it.i64_at("restartCount").unwrap_or(0);
        let (state, last) = (state(it.get("state")), state(it.get("lastState")));
        let last = if last.is_empty() { last } else { format!(", before {last}") };
        res += &format!("  {name} {ready}restarts {restarts} {state}{last}\n");
    }
    res
}

fn state(it: Option<&Value>) -> String {
    let Some((kind, it)) = it.and_then(Value::as_map).and_then(|it| it.iter().next()) else { return String::new() };
    let code = it.i64_at("exitCode").map(|it| format!(" {it}")).unwrap_or_default();
    let at = |path: &'static str| it.str_at(path).map(|it| format!(" {it}")).unwrap_or_default();
    format!("{kind}{code}{}{}", at("reason"), at("message"))
}

fn story(cluster: &Cluster, name: &str) -> String {
    let all = cluster.api.store().list(EVENT, None).filter(|it| it.str_at("involvedObject.name") == Some(name));
    let mut all: Vec<&Arc<Object>> = all.filter(|it| it.str_at("source.component") == Some("kubelet")).collect();
    all.sort_by_key(|it| it.name().to_owned());
    let line = |it: &&Arc<Object>| {
        let at = |path: &'static str| it.str_at(path).unwrap_or("-").trim().to_owned();
        format!("{} {} x{}: {}\n", at("type"), at("reason"), it.i64_at("count").unwrap_or(1), at("message"))
    };
    all.iter().map(line).collect()
}

#[test]
fn a_variable_without_a_source_keeps_a_container_from_being_created() {
    check(
        &[
            "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: 'web:1', envFrom: \
             [{configMapRef: {name: none, optional: true}}], env: [{name: MODE, valueFrom: \
             {configMapKeyRef: {name: settings, key: mode}}}]}]}}",
            "wait 30",
            "pod web",
            "story web",
            "{kind: ConfigMap, metadata: {name: settings}, data: {other: x}}",
            "wait 20",
            "pod web",
            "{kind: ConfigMap, metadata: {name: settings}, data: {mode: quick}}",
            "wait 20",
            "pod web",
            "{kind: Pod, metadata: {name: db}, spec: {containers: [{name: db, image: 'db:1', envFrom: \
             [{secretRef: {name: password}}]}]}}",
            "wait 5",
            "pod db",
        ],
        expect![[r#"
            web: Pending
              web restarts 0 waiting CreateContainerConfigError configmap "settings" not found
            Normal Pulling x1: Pulling image "web:1"
            Normal Pulled x1: Successfully pulled image "web:1" in 800ms (800ms including waiting). Image size: 49363648 bytes.
            Warning Failed x3: Error: configmap "settings" not found
            Normal Pulled x2: Container image "web:1" already present on machine and can be accessed by the pod
            web: Pending
              web restarts 0 waiting CreateContainerConfigError couldn't find key mode in ConfigMap default/settings
            web: Running
              web ready restarts 0 running
            db: Pending
              db restarts 0 waiting CreateContainerConfigError secret "password" not found
        "#]],
    );
}

#[test]
fn a_volume_that_cannot_be_mounted_keeps_a_pod_from_beginning() {
    check(
        &[
            "{kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: 'web:1'}], volumes: [{name: conf, \
             configMap: {name: settings, items: [{key: a, path: a}]}}, {name: all, projected: {sources: \
             [{secret: {name: one}}, {configMap: {name: settings}}]}}]}}",
            "wait 20",
            "pod web",
            "show Pod web status.podIP",
            "{kind: ConfigMap, metadata: {name: settings}, data: {b: x}}",
            "wait 120",
            "story web",
            "{kind: ConfigMap, metadata: {name: settings}, data: {a: x}}",
            "{kind: Secret, metadata: {name: one}}",
            "wait 130",
            "pod web",
        ],
        expect![[r#"
            web: Pending
              web restarts 0 waiting ContainerCreating
            web: none
            Warning FailedMount x6: MountVolume.SetUp failed for volume "conf" : configmap "settings" not found
            Warning FailedMount x6: MountVolume.SetUp failed for volume "all" : [secret "one" not found, configmap "settings" not found]
            Warning FailedMount x3: MountVolume.SetUp failed for volume "conf" : configmap references non-existent config key: a
            Warning FailedMount x3: MountVolume.SetUp failed for volume "all" : secret "one" not found
            web: Running
              web ready restarts 0 running
        "#]],
    );
}

#[test]
fn images_have_names_and_are_pulled_or_not() {
    check(
        &[
            "{kind: Pod, metadata: {name: odd}, spec: {containers: [{name: odd, image: 'Web:1'}]}}",
            "{kind: Pod, metadata: {name: absent}, spec: {containers: [{name: absent, image: 'web:1', \
             imagePullPolicy: Never}]}}",
            "wait 20",
            "pod odd",
            "story odd",
            "pod absent",
            "story absent",
            "{kind: Pod, metadata: {name: puller}, spec: {containers: [{name: puller, image: 'docker.io/library/web:1'}]}}",
            "wait 20",
            "pod absent",
            "show Pod puller status.containerStatuses",
        ],
        expect![[r#"
            odd: Pending
              odd restarts 0 waiting InvalidImageName Failed to apply default image tag "Web:1": couldn't parse image name "Web:1": invalid reference format: repository name (library/Web) must be lowercase
            Warning InspectFailed x2: Failed to apply default image tag "Web:1": couldn't parse image name "Web:1": invalid reference format: repository name (library/Web) must be lowercase
            Warning Failed x2: Error: InvalidImageName
            absent: Pending
              absent restarts 0 waiting ErrImageNeverPull Container image "web:1" is not present with pull policy of Never
            Warning ErrImageNeverPull x2: Container image "web:1" is not present with pull policy of Never
            Warning Failed x2: Error: ErrImageNeverPull
            absent: Running
              absent ready restarts 0 running
            puller: [{"containerID":"drydock://4166acc07152d5274166abc07152d3744166aec07152d88d4166adc07152d6da","image":"docker.io/library/web:1","imageID":"docker.io/library/web@sha256:651f021f8be29633651f011f8be29480651f041f8be29999651f031f8be297e6","lastState":{},"name":"puller","ready":true,"resources":{},"restartCount":0,"started":true,"state":{"running":{"startedAt":"2026-01-01T09:00:31Z"}},"volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-257lf","readOnly":true,"recursiveReadOnly":"Disabled"}]}]
        "#]],
    );
}

#[test]
fn root_may_be_forbidden() {
    check(
        &[
            "{kind: Pod, metadata: {name: web}, spec: {securityContext: {runAsNonRoot: true}, initContainers: \
             [{name: first, image: busybox, securityContext: {runAsUser: 5}}], containers: [{name: web, image: nginx}]}}",
            "wait 1",
            "pod web",
            "wait 10",
            "pod web",
        ],
        expect![[r#"
            web: Pending
              first restarts 0 waiting PodInitializing
              web restarts 0 waiting PodInitializing
            web: Pending
              first ready restarts 0 terminated 0 Completed
              web restarts 0 waiting CreateContainerConfigError container has runAsNonRoot and image will run as root (pod: "web_default($web)", container: web)
        "#]],
    );
}

#[test]
fn a_machine_refuses_pods_that_nobody_scheduled_and_that_do_not_fit() {
    let pod = |name: &str, spec: &str| {
        format!("{{kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: node-1, {spec}}}}}")
    };
    let asks = |what: &str| format!("containers: [{{name: main, image: 'web:1', {what}}}]");
    check(
        &[
            &pod("a-fits", &asks("ports: [{containerPort: 80, hostPort: 80}], resources: {requests: {cpu: 1500m}}")),
            &pod("cpu", &asks("resources: {requests: {cpu: 3, memory: 100Gi}}")),
            &pod("memory", &asks("resources: {requests: {memory: 100Gi}}")),
            &pod("port", &asks("ports: [{containerPort: 8080, hostPort: 80}]")),
            &pod("selects", &format!("nodeSelector: {{disk: ssd}}, {}", asks(""))),
            "wait 5",
            "pod a-fits",
            "pod cpu",
            "show Pod cpu status",
            "story cpu",
            "pod memory",
            "pod port",
            "pod selects",
        ],
        expect![[r#"
            a-fits: Running
              main ready restarts 0 running
            cpu: Failed OutOfcpu Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 1500, capacity: 4000
            cpu: {"message":"Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 1500, capacity: 4000","observedGeneration":1,"phase":"Failed","qosClass":"Burstable","reason":"OutOfcpu","startTime":"2026-01-01T09:00:10Z"}
            Warning OutOfcpu x1: Node didn't have enough resource: cpu, requested: 3000, used: 1500, capacity: 4000
            memory: Failed OutOfmemory Pod was rejected: Node didn't have enough resource: memory, requested: 107374182400, used: 0, capacity: 8589934592
            port: Failed NodePorts Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports
            selects: Failed NodeAffinity Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector
        "#]],
    );
}

//! Commands that wait for the cluster.

use expect_test::expect;

use super::fake::Fake;
use crate::{Input, Progress, Run};

fn daemon_set(updated: u32, available: u32) -> String {
    format!(
        r#"{{"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {{"name": "web", "namespace": "default", "generation": 1}}, "spec": {{"updateStrategy": {{"type": "RollingUpdate"}}}}, "status": {{"observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": {updated}, "numberAvailable": {available}}}}}"#
    )
}

fn list(item: &str) -> String {
    format!(r#"{{"kind": "DaemonSetList", "metadata": {{"resourceVersion": "5"}}, "items": [{item}]}}"#)
}

fn event(kind: &str, object: &str) -> String {
    format!(r#"{{"type": "{kind}", "object": {object}}}"#)
}

const COLLECTION: &str = "/apis/apps/v1/namespaces/default/daemonsets";

fn server() -> Fake {
    Fake::default()
        .answer("GET /apis/apps/v1/namespaces/default/daemonsets/web", 200, &daemon_set(0, 0))
        .answer("GET /apis/apps/v1/namespaces/default/daemonsets", 200, &list(&daemon_set(0, 0)))
        .answer("DELETE /apis/apps/v1/namespaces/default/daemonsets/web", 200, &daemon_set(0, 0))
}

#[test]
fn a_rollout_is_followed_to_its_end() {
    let events = [event("MODIFIED", &daemon_set(1, 0)), String::new(), event("MODIFIED", &daemon_set(2, 2))];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    expect![[r#"
        > GET /apis/apps/v1/namespaces/default/daemonsets/web
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb&resourceVersion=5&watch=true
        Waiting for daemon set "web" rollout to finish: 0 out of 2 new pods have been updated...
        Waiting for daemon set "web" rollout to finish: 1 out of 2 new pods have been updated...
        daemon set "web" successfully rolled out
    "#]]
    .assert_eq(&server().watch(COLLECTION, &events).play("rollout status ds/web", ""));
}

#[test]
fn a_wait_ends_when_time_is_up() {
    let nothing = [""; 40];
    expect![[r#"
        > GET /apis/apps/v1/namespaces/default/daemonsets/web
        > GET /apis/apps/v1/namespaces/default/daemonsets/web
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb&resourceVersion=5&watch=true
        error: timed out waiting for the condition on daemonsets/web
        [exit 1]
    "#]]
    .assert_eq(&server().watch(COLLECTION, &nothing).play("wait ds/web --for=condition=Ready --timeout=3s", ""));
}

#[test]
fn a_deletion_is_waited_for() {
    let events = [event("DELETED", &daemon_set(2, 2))];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    expect![[r#"
        > DELETE /apis/apps/v1/namespaces/default/daemonsets/web {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}
        > GET /apis/apps/v1/namespaces/default/daemonsets/web
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb
        > GET /apis/apps/v1/namespaces/default/daemonsets?fieldSelector=metadata.name%3Dweb&resourceVersion=5&watch=true
        daemonset.apps "web" deleted from default namespace
    "#]].assert_eq(&server().watch(COLLECTION, &events).play("delete ds web", ""));
}

#[test]
fn an_edit_asks_for_the_text() {
    let mut server = server();
    let mut run = Run::new(&["edit", "ds", "web"], Input::default());
    let Progress::Edit(text) = run.poll(&mut server) else { panic!("no text to edit") };
    assert!(text.contains("kind: DaemonSet\n"), "{text}");
    run.edited(text);
    assert_eq!(run.poll(&mut server), Progress::Done(0));
    let printed: String = run.take_output().into_iter().map(|it| it.text).collect();
    assert_eq!(printed, "Edit cancelled, no changes made.\n");
}

#[test]
fn an_interrupt_ends_a_watch() {
    let mut server = server().watch(COLLECTION, &["", "", ""]);
    let mut run = Run::new(&["get", "ds", "--watch-only"], Input::default());
    assert_eq!(run.poll(&mut server), Progress::Waiting);
    run.interrupt(&mut server);
    assert_eq!(run.poll(&mut server), Progress::Done(130));
}

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c"}]}, "status": {"phase": "Running"}}"#;

/// What a command in a container is asked when these lines are typed, and the last progress.
fn session(line: &str, typed: &[Option<&str>]) -> String {
    let mut server = Fake::default().answer("GET /api/v1/namespaces/default/pods/p", 200, POD).answer(
        "POST /api/v1/namespaces/default/pods/p/exec",
        200,
        "{}",
    );
    let words: Vec<&str> = line.split(' ').collect();
    let mut run = Run::new(&words, Input { is_typed: true, stdin: b"kind: Pod".to_vec(), ..Input::default() });
    let mut said = vec![format!("{:?}", run.poll(&mut server))];
    for line in typed {
        run.typed(*line);
        said.push(format!("{:?}", run.poll(&mut server)));
    }
    let asked = server.requests.iter().filter(|it| it.starts_with("POST")).map(|it| {
        let query = it.split_once("exec?").map_or("", |(_, it)| it);
        format!("{query:?}")
    });
    asked.chain(said).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_shell_in_a_container_reads_what_is_typed() {
    expect![[r##"
        "command=sh&container=c&stdin=true&stdout=true&stderr=true cd /etc"
        "command=sh&container=c&stdin=true&stdout=true&stderr=true cd /etc\nX=1"
        Input("# ")
        Input("# ")
        Input("# ")
        Input("# ")
        Done(0)"##]]
    .assert_eq(&session("exec -it p -- sh", &[Some("cd /etc"), Some(""), Some("X=1"), Some("exit")]));
}

#[test]
fn a_filter_reads_to_the_end_and_others_read_nothing() {
    expect![[r#"
        "command=cat&container=c&stdin=true&stdout=true&stderr=true a\nb"
        Input("")
        Input("")
        Input("")
        Done(0)"#]]
    .assert_eq(&session("exec -i p -- cat", &[Some("a"), Some("b"), None]));
    expect![[r#"
        "command=ls&container=c&stdin=true&stdout=true&stderr=true"
        Done(0)"#]]
    .assert_eq(&session("exec -it p -- ls", &[]));
}

use expect_test::{Expect, expect};
use kinds::{CRON_JOB, DAEMON_SET, DEPLOYMENT, NODE, POD, REPLICA_SET, Registry, SERVICE};
use meta::{Key, KindId, Object};
use store::Store;
use value::{Value, value};

use super::Screen;
use crate::model::Update;

struct World {
    store: Store,
    screen: Screen,
}

fn world() -> World {
    let registry = Registry::builtin();
    let store = Store::new(registry.ids().count(), 64);
    let screen = Screen::new(&store, &registry);
    World { store, screen }
}

impl World {
    fn put(&mut self, kind: KindId, tree: &Value) {
        let object = Object::from_map(kind, tree.as_map().expect("the tests give maps"));
        if self.store.get(kind, &object.key()).is_some() {
            self.store.update(object, None).expect("it is there");
        } else {
            self.store.create(object).expect("it is not there");
        }
    }

    fn delete(&mut self, kind: KindId, namespace: &str, name: &str) {
        self.store.delete(kind, &Key::new(namespace, name), None).expect("it is there");
    }

    fn update(&mut self) -> Update {
        self.screen.observe(&self.store, 0);
        self.screen.take_update()
    }
}

fn node(name: &str, ready: &str) -> Value {
    value!({
        "metadata": { "name": name, "uid": format!("uid-{name}") },
        "status": { "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" }, "conditions": [{ "status": ready, "type": "Ready" }] },
    })
}

fn pod(name: &str, node: &str, owner: &str) -> Value {
    let owners: Vec<Value> = if owner.is_empty() {
        Vec::new()
    } else {
        vec![
            value!({ "apiVersion": "apps/v1", "controller": true, "kind": "DaemonSet", "name": owner, "uid": format!("uid-{owner}") }),
        ]
    };
    value!({
        "metadata": { "name": name, "namespace": "default", "ownerReferences": owners, "uid": format!("uid-{name}") },
        "spec": { "containers": [{ "resources": { "requests": { "cpu": "100m", "memory": "1Mi" } } }], "nodeName": node },
        "status": { "phase": "Pending" },
    })
}

fn shown(update: &Update) -> String {
    let mut lines = Vec::new();
    for it in &update.nodes {
        lines.push(format!("node {} #{} {} cpu {} pods {}", it.name, it.order, it.word, it.cpu.used, it.pods.used));
    }
    for it in &update.pods {
        lines.push(format!("pod {} on {:?} {:?} workload {}", it.name, it.node, it.look, it.workload));
    }
    lines.extend(update.nodes_gone.iter().chain(&update.pods_gone).map(|it| format!("gone {it}")));
    for it in update.workloads.iter().flatten() {
        lines.push(format!("workload {} {} {}/{}", it.id, it.target, it.n_ready, it.n_desired));
    }
    for it in &update.watch {
        lines
            .push(format!("{} {} {} {}", it.revision, char::from(it.letter), it.object, it.what).trim_end().to_owned());
    }
    lines.join("\n")
}

#[track_caller]
fn check(update: &Update, expect: Expect) {
    expect.assert_eq(&shown(update));
}

#[test]
fn a_pod_lands_and_leaves() {
    let mut world = world();
    world.put(NODE, &node("n1", "True"));
    world.put(POD, &pod("a", "", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 0 pods 0
        pod a on "" Pending workload 0
        2 A Node n1
        3 A Pod default/a"#]],
    );
    world.put(POD, &pod("a", "n1", ""));
    world.put(POD, &pod("b", "n1", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 200 pods 2
        pod a on "n1" Creating workload 0
        pod b on "n1" Creating workload 0
        4 M Pod default/a spec.nodeName  → n1
        5 A Pod default/b"#]],
    );
    world.delete(POD, "default", "a");
    world.put(POD, &pod("c", "n1", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 200 pods 2
        pod c on "n1" Creating workload 0
        gone uid-a
        6 D Pod default/a
        7 A Pod default/c"#]],
    );
}

#[test]
fn pods_know_their_workload_and_a_lost_node_greys_them() {
    let mut world = world();
    world.put(NODE, &node("n1", "True"));
    world.put(
        DAEMON_SET,
        &value!({
            "metadata": { "name": "ds", "namespace": "default", "uid": "uid-ds" },
            "status": { "desiredNumberScheduled": 1, "numberReady": 0 },
        }),
    );
    world.put(POD, &pod("a", "n1", "ds"));
    world.update();
    world.put(NODE, &node("n1", "Unknown"));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 NotReady cpu 100 pods 1
        pod a on "n1" Lost workload 1
        5 M Node n1 status.conditions[Ready].status True → Unknown"#]],
    );
}

#[test]
fn a_log_that_is_too_short_means_the_whole_again() {
    let mut world = world();
    world.put(NODE, &node("n1", "True"));
    world.update();
    for _ in 0..70 {
        world.put(POD, &pod("a", "n1", ""));
        world.delete(POD, "default", "a");
    }
    world.put(POD, &pod("b", "n1", ""));
    let update = world.update();
    assert!(update.is_whole);
    assert_eq!(update.pods.len(), 1);
    assert_eq!(update.nodes.len(), 1);
}

fn owned(name: &str, owner: (&str, &str), revision: &str) -> Value {
    let (kind, owner) = owner;
    value!({
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("uid-{name}"), "annotations": { "deployment.kubernetes.io/revision": revision },
            "ownerReferences": [{ "apiVersion": "v1", "controller": true, "kind": kind, "name": owner, "uid": format!("uid-{owner}") }],
        },
        "spec": { "replicas": 1 },
    })
}

#[track_caller]
fn check_tree(world: &mut World, closed: &[&str], expect: Expect) {
    world.update();
    let closed = closed.iter().map(|it| (*it).to_owned()).collect();
    let rows = crate::tree::rows(&world.screen, &world.store, &closed, 1_767_258_000);
    let lines = rows.iter().map(|it| {
        let sign = match (it.n_children, it.is_open) {
            (0, _) => " ",
            (_, true) => "▾",
            (_, false) => "▸",
        };
        let indent = "  ".repeat(it.level as usize - 1);
        format!("{indent}{sign} {} {}/{} {} {}", it.target, it.position, it.n_siblings, it.count, it.text)
    });
    expect.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn owners_stand_above_what_they_own() {
    let mut world = world();
    let plain = |name: &str, spec: Value| value!({ "metadata": { "name": name, "namespace": "default", "uid": format!("uid-{name}") }, "spec": spec });
    world.put(DEPLOYMENT, &plain("d", value!({ "replicas": 1 })));
    world.put(REPLICA_SET, &owned("d-1", ("Deployment", "d"), "1"));
    world.put(REPLICA_SET, &owned("d-2", ("Deployment", "d"), "2"));
    let mut pod = owned("d-2-x", ("ReplicaSet", "d-2"), "");
    pod.set("spec", value!({ "containers": [{}], "nodeName": "n1" }));
    world.put(POD, &pod);
    world.put(CRON_JOB, &plain("c", value!({ "schedule": "*/5 * * * *" })));
    world.put(POD, &plain("bare", value!({ "containers": [{}] })));
    world.put(SERVICE, &plain("web", value!({ "type": "ClusterIP" })));
    check_tree(
        &mut world,
        &[],
        expect![[r#"
            ▾ Deployment default/d 1/4 0/1 rolling out, 0 of 1 updated
              ▾ ReplicaSet default/d-2 1/2 0/1 revision 2: waits for 1 pod
                  Pod default/d-2-x 1/1 0/1 Pending on n1
                ReplicaSet default/d-1 2/2 0/1 revision 1: waits for 1 pod
              CronJob default/c 2/4  next 09:05:00
              Pod default/bare 3/4 0/1 Pending, waits for a node
              Service default/web 4/4 0/0 no endpoints"#]],
    );
    check_tree(
        &mut world,
        &["uid-d"],
        expect![[r#"
            ▸ Deployment default/d 1/4 0/1 rolling out, 0 of 1 updated
              CronJob default/c 2/4  next 09:05:00
              Pod default/bare 3/4 0/1 Pending, waits for a node
              Service default/web 4/4 0/0 no endpoints"#]],
    );
}

#[test]
fn of_very_many_pods_the_rest_is_counted() {
    let mut world = world();
    world.put(
        REPLICA_SET,
        &value!({ "metadata": { "name": "r", "namespace": "default", "uid": "uid-r" }, "spec": { "replicas": 103 } }),
    );
    for n in 0..103 {
        world.put(POD, &owned(&format!("r-{n:03}"), ("ReplicaSet", "r"), ""));
    }
    world.update();
    let rows = crate::tree::rows(&world.screen, &world.store, &Default::default(), 0);
    assert_eq!(rows.len(), 102);
    assert_eq!(rows.last().map(|it| it.text.as_str()), Some("and 3 more"));
}

#[test]
fn very_many_pods_come_one_update_after_another() {
    let mut world = world();
    world.put(NODE, &node("n1", "True"));
    for n in 0..250 {
        world.put(POD, &pod(&format!("p{n:03}"), "n1", ""));
    }
    let sizes: Vec<usize> = std::iter::from_fn(|| Some(world.update().pods.len()).filter(|it| *it > 0)).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert!(!world.screen.has_news());
}

#[test]
fn nodes_that_come_together_stand_by_number() {
    let mut world = world();
    world.put(NODE, &node("old-3", "True"));
    world.update();
    for name in ["rack-1", "rack-10", "rack-2", "a"] {
        world.put(NODE, &node(name, "True"));
    }
    world.update();
    let names = |screen: &Screen| screen.nodes().iter().map(|it| it.name.clone()).collect::<Vec<_>>().join(" ");
    expect!["old-3 a rack-1 rack-2 rack-10"].assert_eq(&names(&world.screen));
}

#[test]
fn no_two_workloads_wear_one_hue_while_there_are_others() {
    let mut world = world();
    // The first two fall on the same hue by their names.
    for name in ["first", "second", "third"] {
        let uid = format!("uid-{name}");
        world.put(DAEMON_SET, &value!({ "metadata": { "name": name, "namespace": "default", "uid": uid } }));
    }
    let hues = |update: &Update| update.workloads.iter().flatten().map(|it| it.hue).collect::<Vec<_>>();
    let shown = hues(&world.update());
    expect!["[14, 15, 13]"].assert_eq(&format!("{shown:?}"));
    // Who comes back keeps its own.
    let mut again = Screen::new(&world.store, &Registry::builtin());
    assert_eq!(hues(&again.take_update()), shown);
}

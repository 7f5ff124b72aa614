use expect_test::{Expect, expect};
use kinds::{DAEMON_SET, NODE, POD, Registry};
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
        lines.push(format!("pod {} on {:?} slot {} {:?} workload {}", it.name, it.node, it.slot, it.look, it.workload));
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
fn a_pod_lands_keeps_its_slot_and_leaves() {
    let mut world = world();
    world.put(NODE, &node("n1", "True"));
    world.put(POD, &pod("a", "", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 0 pods 0
        pod a on "" slot 0 Pending workload 0
        2 A Node n1
        3 A Pod default/a"#]],
    );
    world.put(POD, &pod("a", "n1", ""));
    world.put(POD, &pod("b", "n1", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 200 pods 2
        pod a on "n1" slot 0 Creating workload 0
        pod b on "n1" slot 1 Creating workload 0
        4 M Pod default/a spec.nodeName  → n1
        5 A Pod default/b"#]],
    );
    world.delete(POD, "default", "a");
    world.put(POD, &pod("c", "n1", ""));
    check(
        &world.update(),
        expect![[r#"
        node n1 #0 Ready cpu 200 pods 2
        pod c on "n1" slot 0 Creating workload 0
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
        pod a on "n1" slot 0 Lost workload 1
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

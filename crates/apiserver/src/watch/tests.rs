use expect_test::{Expect, expect};
use meta::{Key, KindId, Metadata, Object};
use sim::{Duration, Instant};
use value::{Map, json, map};

use super::Subject;
use crate::ApiServer;
use crate::list::selection;
use crate::negotiate::Shape;
use crate::options::ListOptions;
use crate::query::Query;
use crate::server::Config;
use crate::table::Include;

const KIND: KindId = kinds::CONFIG_MAP;

/// A server and what happens to it.
struct World {
    api: ApiServer,
    now: Instant,
}

impl World {
    /// `a` was made at revision 2.
    fn new() -> World {
        let mut world =
            World { api: ApiServer::new(Config { seed: 1, log_changes_max: 4 }), now: Instant::from_secs(1000) };
        world.put("a", "x");
        world
    }

    fn put(&mut self, name: &str, label: &str) {
        let meta = Metadata {
            identity: meta::Identity { name: name.into(), namespace: "n".into(), ..Default::default() }.into(),
            labels: map!({ "l": label }),
            ..Metadata::default()
        };
        let object = Object { kind: KIND, meta, body: Map::new() };
        if self.api.store.get(KIND, &Key::new("n", name)).is_some() {
            self.api.store.update(object, None).unwrap();
        } else {
            self.api.store.create(object).unwrap();
        }
    }

    fn delete(&mut self, name: &str) {
        self.api.store.delete(KIND, &Key::new("n", name), None).unwrap();
    }

    fn open_as(&mut self, query: &str, shape: Shape) {
        let options = ListOptions::read(&Query::parse(query), true).unwrap();
        let kind = self.api.registry.get(KIND).unwrap();
        let selection = selection(&kinds::ServedKind { kind, served: None }, &options, None).unwrap();
        let subject = Subject {
            kind: KIND,
            served: None,
            namespace: None,
            selection,
            shape,
            include: Include::None,
            binary: false,
        };
        self.api.open_watch(self.now, subject, &options).unwrap();
    }

    fn open(&mut self, query: &str) {
        self.open_as(query, Shape::Whole);
    }

    /// What all streams get now, one line an event.
    fn pump(&mut self) -> String {
        let mut text = String::new();
        loop {
            let chunks = self.api.pump(self.now, 1);
            if chunks.is_empty() {
                return text;
            }
            for (id, chunk) in chunks {
                for line in chunk.bytes.split(|it| *it == b'\n').filter(|it| !it.is_empty()) {
                    text.push_str(&format!("{}: {}\n", id.0, summary(&json::parse(line).unwrap())));
                }
                if chunk.last {
                    text.push_str(&format!("{}: end\n", id.0));
                }
            }
        }
    }
}

fn summary(event: &value::Value) -> String {
    let object = event.get("object").unwrap();
    let word = |path: &'static str| object.str_at(path).unwrap_or("-").to_owned();
    let mut text = format!(
        "{} {} {} at {}",
        event.str_at("type").unwrap(),
        word("kind"),
        word("metadata.name"),
        word("metadata.resourceVersion")
    );
    if word("kind") == "Status" {
        text.push_str(&format!(" {}", word("message")));
    }
    if let Some(annotations) = object.at("metadata.annotations") {
        text.push_str(&format!(" {}", json::to_string(annotations)));
    }
    if word("kind") == "Table" {
        let columns = object.list_at("columnDefinitions").len();
        let cells = object.list_at("rows").first().map(|it| json::to_string(it.get("cells").unwrap()));
        text.push_str(&format!(" {columns} columns {}", cells.unwrap_or_default()));
    }
    text
}

#[track_caller]
fn check(text: String, expect: Expect) {
    expect.assert_eq(&text);
}

#[test]
fn watches_go_on_from_their_revision() {
    let mut world = World::new();
    world.put("b", "x");
    world.open("resourceVersion=2");
    world.open("");
    world.open("resourceVersion=100");
    check(
        world.pump(),
        expect![[r#"
        1: ADDED ConfigMap b at 3
        2: ADDED ConfigMap a at 2
        2: ADDED ConfigMap b at 3
    "#]],
    );
    world.put("a", "y");
    world.delete("b");
    check(
        world.pump(),
        expect![[r#"
        1: MODIFIED ConfigMap a at 4
        1: DELETED ConfigMap b at 5
        2: MODIFIED ConfigMap a at 4
        2: DELETED ConfigMap b at 5
    "#]],
    );
}

#[test]
fn objects_enter_and_leave_a_selection() {
    let mut world = World::new();
    world.open("resourceVersion=2&labelSelector=l%3Dx");
    world.open("resourceVersion=2&fieldSelector=metadata.name%3Db");
    world.put("a", "y");
    world.put("a", "z");
    world.put("a", "x");
    world.put("b", "x");
    check(
        world.pump(),
        expect![[r#"
        1: DELETED ConfigMap a at 3
        1: ADDED ConfigMap a at 5
        1: ADDED ConfigMap b at 6
        2: ADDED ConfigMap b at 6
    "#]],
    );
}

#[test]
fn a_watch_that_is_too_old_is_told_to_list_again() {
    let mut world = World::new();
    world.open("resourceVersion=2");
    for label in ["1", "2", "3", "4", "5"] {
        world.put("a", label);
    }
    world.open("resourceVersion=1");
    check(
        world.pump(),
        expect![[r#"
        1: ERROR Status - at - too old resource version: 2 (3)
        1: end
        2: ERROR Status - at - too old resource version: 1 (3)
        2: end
    "#]],
    );
    check(world.pump(), expect![]);
}

#[test]
fn bookmarks_tell_the_end_of_the_beginning_and_news() {
    let mut world = World::new();
    world.open("allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    check(
        world.pump(),
        expect![[r#"
        1: ADDED ConfigMap a at 2
        1: BOOKMARK ConfigMap - at 2 {"k8s.io/initial-events-end":"true"}
    "#]],
    );
    world.now = world.now + Duration::from_secs(61);
    check(world.pump(), expect![]);
    let meta = Metadata {
        identity: meta::Identity { name: "other".into(), ..Default::default() }.into(),
        ..Metadata::default()
    };
    world.api.store.create(Object { kind: kinds::NODE, meta, body: Map::new() }).unwrap();
    check(world.pump(), expect![]);
    world.now = world.now + Duration::from_secs(61);
    check(
        world.pump(),
        expect![[r#"
        1: BOOKMARK ConfigMap - at 3
    "#]],
    );
}

#[test]
fn tables_have_columns_once() {
    let mut world = World::new();
    world.open_as("", Shape::Table("v1"));
    world.open_as("resourceVersion=2", Shape::Table("v1"));
    check(
        world.pump(),
        expect![[r#"
            1: ADDED Table - at 2 3 columns ["a",0,"\u003cunknown\u003e"]
        "#]],
    );
    world.put("b", "x");
    check(
        world.pump(),
        expect![[r#"
            1: ADDED Table - at 3 0 columns ["b",0,"\u003cunknown\u003e"]
            2: ADDED Table - at 3 3 columns ["b",0,"\u003cunknown\u003e"]
        "#]],
    );
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let mut world = World::new();
    world.open("resourceVersion=2&timeoutSeconds=5");
    check(world.pump(), expect![]);
    world.now = world.now + Duration::from_secs(5);
    check(
        world.pump(),
        expect![[r#"
        1: end
    "#]],
    );
    assert!(!world.api.has_watch(KIND));
}

use meta::{Metadata, Object};
use sim::Instant;
use value::{Map, map};

use super::{Form, Recorded, is_v1};
use crate::{ApiServer, Caller, Config, calls};

const NOW: Instant = Instant::from_secs(1_700_000_000);

fn server() -> ApiServer {
    let mut api = ApiServer::new(Config { seed: 1, log_changes_max: 64 });
    for name in ["default", "n"] {
        let meta = Metadata {
            identity: meta::Identity { name: name.into(), ..Default::default() }.into(),
            ..Metadata::default()
        };
        let namespace = Object { kind: kinds::NAMESPACE, meta, body: Map::new() };
        calls::create(&mut api, NOW, &caller(), namespace).unwrap();
    }
    api
}

/// As a recorder gives it to be stored.
fn recorded(event: Object) -> Recorded {
    let is_short = event.str_at("message").is_some_and(|it| it.len() <= 1024);
    let form = is_short.then(|| Form {
        is_v1: is_v1(&event),
        has_host: event.at("source.host").is_some(),
        has_namespace: event.at("involvedObject.namespace").is_some(),
        has_revision: event.at("involvedObject.resourceVersion").is_some(),
        has_field_path: event.at("involvedObject.fieldPath").is_some(),
    });
    Recorded { event, form, cause: None }
}

fn caller() -> Caller {
    Caller::component("kubelet", "kubelet")
}

fn event(name: &str, namespace: &str, body: Map) -> Object {
    let meta = Metadata {
        identity: meta::Identity { name: name.into(), namespace: namespace.into(), ..Default::default() }.into(),
        ..Metadata::default()
    };
    Object { kind: kinds::EVENT, meta, body }
}

/// An event of the core group and one of events.k8s.io, with or without a namespace, a host and a part of the object.
fn events() -> Vec<Object> {
    let mut events = Vec::new();
    for (number, namespace) in ["n", "n", ""].into_iter().enumerate() {
        let mut about = map!({ "apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "1", "resourceVersion": "2" });
        if !namespace.is_empty() {
            about.insert("namespace", namespace);
        }
        let home = if namespace.is_empty() { "default" } else { namespace };
        let v1 = map!({
            "action": "Binding", "eventTime": "2023-11-14T22:13:20.000000Z", "firstTimestamp": null, "lastTimestamp": null,
            "involvedObject": &about, "message": "m", "reason": "Scheduled", "reportingComponent": "default-scheduler",
            "reportingInstance": "default-scheduler-vm", "source": {}, "type": "Normal",
        });
        events.push(event(&format!("v1.{number}"), home, v1));
        let (mut host, mut source) = ("", map!({ "component": "kubelet" }));
        if number == 0 {
            about.insert("fieldPath", "spec.containers{web}");
            host = "node-1";
            source.insert("host", host);
        }
        let core = map!({
            "count": 1, "eventTime": null, "firstTimestamp": "2023-11-14T22:13:20Z", "lastTimestamp": "2023-11-14T22:13:20Z",
            "involvedObject": about, "message": "m", "reason": "Started", "reportingComponent": "kubelet",
            "reportingInstance": host, "source": source, "type": "Normal",
        });
        events.push(event(&format!("core.{number}"), home, core));
    }
    events
}

#[test]
fn events_stored_together_are_as_the_write_path_makes_them() {
    let mut single = server();
    for event in events() {
        let create = if is_v1(&event) { calls::create_event } else { calls::create };
        create(&mut single, NOW, &caller(), event).unwrap();
    }
    let mut together = server();
    // Twice: forms that are known, in another second, are as good as new ones.
    let mut earlier: Vec<Recorded> = events().into_iter().map(|event| recorded(renamed(event))).collect();
    calls::create_events(&mut together, Instant::from_secs(1_600_000_000), &mut caller(), &mut earlier);
    let before = together.store().revision();
    let mut events: Vec<Recorded> = events().into_iter().map(recorded).collect();
    calls::create_events(&mut together, NOW, &mut caller(), &mut events);
    assert_eq!(together.store().revision().0, before.0 + 1, "it is one commit");
    for object in single.store().list(kinds::EVENT, None) {
        let mut expected = Object::clone(object);
        let stored = together.store().get(kinds::EVENT, &object.key()).expect("it is stored");
        expected.meta.uid = stored.meta.uid.clone();
        expected.meta.revision = stored.meta.revision;
        assert_eq!(**stored, expected);
    }
}

fn renamed(mut event: Object) -> Object {
    event.meta.name = format!("{}.before", event.meta.name).into();
    event
}

#[test]
fn what_may_be_refused_is_left_to_the_write_path() {
    let mut api = server();
    let mut long = events().remove(0);
    long.body.insert("message", "m".repeat(1025));
    let mut events = vec![recorded(long), recorded(event("lost", "nowhere", events()[1].body.clone()))];
    calls::create_events(&mut api, NOW, &mut caller(), &mut events);
    assert_eq!(api.store().len(kinds::EVENT), 0);
    let codes: Vec<u16> = api.requests().iter().rev().take(2).map(|it| it.code).collect();
    assert_eq!(codes, [404, 422]);
}

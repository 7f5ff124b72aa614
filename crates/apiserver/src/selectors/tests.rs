use kinds::Registry;
use meta::selector::{FieldSelector, LabelSelector};
use meta::{Metadata, Object};
use value::map;

use super::{Selection, stored_fields};

#[track_caller]
fn check((group, version, resource): (&str, &str, &str), fields: &str, expect: &str) {
    let registry = Registry::builtin();
    let served = registry.by_resource(group, version, resource).expect("it is built in");
    let fields = FieldSelector::parse(fields).expect("it can be read");
    let answer = match stored_fields(&served, &fields) {
        Ok(it) => it.terms.iter().map(|it| it.field.to_string()).collect::<Vec<_>>().join(" "),
        Err(status) => format!("{}: {}", status.code, status.message),
    };
    assert_eq!(answer, expect);
}

const PODS: (&str, &str, &str) = ("", "v1", "pods");

#[test]
fn kinds_tell_unknown_fields_in_their_own_words() {
    check(PODS, "metadata.name=a,metadata.namespace=b,status.phase!=", "metadata.name metadata.namespace status.phase");
    check(PODS, "spec.x=1", "400: field label not supported: spec.x");
    check(("", "v1", "nodes"), "metadata.namespace=a", "400: field label not supported: metadata.namespace");
    let plain = "is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    check(("apps", "v1", "daemonsets"), "spec.x=1", &format!("400: \"spec.x\" {plain}"));
    check(("", "v1", "persistentvolumes"), "name=a", &format!("400: \"name\" {plain}"));
    check(("batch", "v1", "jobs"), "spec.x=1", "400: field label \"spec.x\" not supported for Job");
    check(PODS, "spec.host=a", "spec.nodeName");
}

#[test]
fn a_field_has_the_name_of_its_version() {
    check(("events.k8s.io", "v1", "events"), "regarding.name=x,type=y", "involvedObject.name type");
    check(
        ("events.k8s.io", "v1", "events"),
        "involvedObject.name=x",
        "400: field label not supported: involvedObject.name",
    );
    check(("", "v1", "events"), "regarding.name=x", "400: field label not supported: regarding.name");
}

#[test]
fn a_selection_looks_at_labels_and_fields() {
    let registry = Registry::builtin();
    let kind = registry.get(kinds::POD).expect("it is built in");
    let pod = Object {
        kind: kinds::POD,
        meta: Metadata { labels: map!({ "app": "x" }), ..Metadata::new("n", "a") },
        body: map!({ "spec": { "nodeName": "node-1" } }),
    };
    let matches = |labels: &str, fields: &str| {
        let labels = LabelSelector::parse(labels).expect("it can be read");
        let fields = FieldSelector::parse(fields).expect("it can be read");
        Selection { labels, fields }.matches(kind, &pod)
    };
    assert!(matches("", ""));
    assert!(matches("app in (x, y)", "spec.nodeName=node-1,metadata.namespace=n"));
    assert!(!matches("app!=x", ""));
    assert!(!matches("app=x", "metadata.name=b"));
}

#[test]
fn a_name_in_the_path_allows_no_other_in_the_selector() {
    let selection = |fields: &str| {
        let fields = FieldSelector::parse(fields).expect("it can be read");
        Selection { fields, ..Selection::default() }
    };
    let mut same = selection("metadata.name=a");
    assert!(same.narrow("a").is_ok());
    assert_eq!(
        selection("metadata.name=b").narrow("a").map_err(|it| it.message),
        Err("fieldSelector metadata.name doesn't match requested name".to_owned())
    );
}

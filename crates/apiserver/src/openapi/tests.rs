use expect_test::{Expect, expect};
use kinds::Registry;
use schema::Schema;
use value::{Value, json};

use super::{document, index, whole, whole_binary};
use crate::discovery::Cache;

struct World {
    cache: Cache,
    registry: Registry,
    schema: Schema,
}

impl World {
    fn new() -> World {
        World { cache: Cache::default(), registry: Registry::builtin(), schema: Schema::load() }
    }

    fn document(&mut self, name: &str) -> Value {
        let document = document(&mut self.cache, &self.registry, &self.schema, name).expect("there is one");
        json::parse(&document.bytes).expect("it is JSON")
    }
}

/// Every `$ref` below.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Map(map) => map.iter().for_each(|(key, value)| match value.as_str() {
            Some(text) if key == "$ref" => found.push(text.to_owned()),
            _ => references(value, found),
        }),
        Value::List(list) => list.iter().for_each(|it| references(it, found)),
        _ => (),
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut world = World::new();
    let index = index(&mut world.cache, &world.registry, &world.schema);
    let index = json::parse(&index.bytes).expect("it is JSON");
    let names: Vec<String> = index.map_at("paths").unwrap().keys().map(|it| it.to_string()).collect();
    assert!(names.contains(&"apis/apps/v1".to_owned()) && names.contains(&"version".to_owned()));
    let whole = whole(&mut world.cache, &world.registry, &world.schema);
    let mut documents = vec![json::parse(&whole.bytes).expect("it is JSON")];
    documents.extend(names.iter().map(|it| world.document(it)));
    let mut n_found = 0;
    for it in &documents {
        let mut found = Vec::new();
        references(it, &mut found);
        n_found += found.len();
        for reference in found {
            let steps = reference.trim_start_matches("#/").split('/');
            let target = { steps }.try_fold(it, |it, step| it.get(step));
            assert!(target.is_some(), "{reference}");
        }
    }
    assert!(n_found > 1000, "{n_found}");
}

#[track_caller]
fn check(name: &str, pick: fn(&Value) -> String, expect: Expect) {
    expect.assert_eq(&pick(&World::new().document(name)));
}

#[test]
fn operations_are_named_as_upstream_names_them() {
    let pick = |it: &Value| {
        let mut lines = Vec::new();
        for (path, item) in it.map_at("paths").unwrap().iter() {
            for (method, operation) in item.as_map().unwrap().iter().filter(|(key, _)| *key != "parameters") {
                let n_parameters = operation.list_at("parameters").len() + item.list_at("parameters").len();
                lines.push(format!("{path} {method} {} {n_parameters}", operation.str_at("operationId").unwrap()));
            }
        }
        lines.join("\n")
    };
    check(
        "apis/scheduling.k8s.io/v1",
        pick,
        expect![[r#"
        /apis/scheduling.k8s.io/v1/ get getSchedulingV1APIResources 0
        /apis/scheduling.k8s.io/v1/priorityclasses delete deleteSchedulingV1CollectionPriorityClass 15
        /apis/scheduling.k8s.io/v1/priorityclasses get listSchedulingV1PriorityClass 12
        /apis/scheduling.k8s.io/v1/priorityclasses post createSchedulingV1PriorityClass 4
        /apis/scheduling.k8s.io/v1/priorityclasses/{name} delete deleteSchedulingV1PriorityClass 7
        /apis/scheduling.k8s.io/v1/priorityclasses/{name} get readSchedulingV1PriorityClass 2
        /apis/scheduling.k8s.io/v1/priorityclasses/{name} patch patchSchedulingV1PriorityClass 6
        /apis/scheduling.k8s.io/v1/priorityclasses/{name} put replaceSchedulingV1PriorityClass 5
        /apis/scheduling.k8s.io/v1/watch/priorityclasses get watchSchedulingV1PriorityClassList 12
        /apis/scheduling.k8s.io/v1/watch/priorityclasses/{name} get watchSchedulingV1PriorityClass 13"#]],
    );
}

#[test]
fn definitions_say_more_than_types() {
    let pick = |it: &Value| {
        let definition = |name: &str| {
            let it = it.map_at("components.schemas").unwrap().get(name).unwrap();
            json::to_string(it)
        };
        [definition("io.k8s.api.apps.v1.DeploymentStrategy"), definition("io.k8s.api.core.v1.TopologySpreadConstraint")]
            .join("\n")
    };
    check(
        "apis/apps/v1",
        pick,
        expect![[r##"
            {"description":"RollingUpdate, with 25% of surge and 25% unavailable, if nothing else is said.","properties":{"rollingUpdate":{"allOf":[{"$ref":"#/components/schemas/io.k8s.api.apps.v1.RollingUpdateDeployment"}],"description":"Limits of a rolling update; only for type RollingUpdate."},"type":{"description":"RollingUpdate replaces pods step by step; Recreate ends all old ones first. RollingUpdate if unset.","enum":["Recreate","RollingUpdate"],"type":"string"}},"type":"object"}
            {"description":"Pods are counted for each value of topologyKey, over all nodes that count.","properties":{"labelSelector":{"allOf":[{"$ref":"#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"}],"description":"Labels of the pods that are counted, in the pod's namespace; none if unset."},"matchLabelKeys":{"description":"Labels whose values on this pod are added to the selector, such as pod-template-hash.","items":{"type":"string"},"type":"array","x-kubernetes-list-type":"atomic"},"maxSkew":{"default":0,"description":"By how many pods a domain may be ahead of the emptiest one; at least 1.","format":"int32","type":"integer"},"minDomains":{"description":"How many domains there must be, or the emptiest counts as 0; only with DoNotSchedule, 1 if unset.","format":"int32","type":"integer"},"nodeAffinityPolicy":{"description":"Honor counts only nodes that fit the pod's affinity and selector, Ignore all; Honor if unset.","enum":["Honor","Ignore"],"type":"string"},"nodeTaintsPolicy":{"description":"Honor counts only nodes whose taints are tolerated, Ignore all; Ignore if unset.","enum":["Honor","Ignore"],"type":"string"},"topologyKey":{"default":"","description":"The node label whose values are the domains, such as topology.kubernetes.io/zone.","type":"string"},"whenUnsatisfiable":{"default":"","description":"DoNotSchedule makes the pod wait; ScheduleAnyway only prefers the emptier domains.","enum":["DoNotSchedule","ScheduleAnyway"],"type":"string"}},"required":["maxSkew","topologyKey","whenUnsatisfiable"],"type":"object"}"##]],
    );
}

#[test]
fn the_binary_form_has_every_definition() {
    let mut world = World::new();
    let binary = whole_binary(&mut world.cache, &world.registry, &world.schema);
    let text = String::from_utf8_lossy(&binary.bytes).into_owned();
    let whole = whole(&mut world.cache, &world.registry, &world.schema);
    let whole = json::parse(&whole.bytes).expect("it is JSON");
    for name in whole.map_at("definitions").unwrap().keys() {
        assert!(text.contains(name.as_str()), "{name}");
    }
    // `swagger`, the first field.
    assert!(binary.bytes.starts_with(b"\x0a\x032.0"));
}

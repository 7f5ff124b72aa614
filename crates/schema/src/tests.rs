use value::json;

use crate::{ListKind, Schema, Type};

#[track_caller]
fn check(definition: &str, text: &str, expected: &str) {
    let schema = Schema::load();
    let ty = schema.definition(definition).unwrap();
    let shown = match schema.decode(ty, &json::parse(text.as_bytes()).unwrap()) {
        Ok(it) => format!(
            "{}{}",
            json::to_string(&it.value),
            it.unknown.iter().map(|it| format!(" ?{it}")).collect::<String>()
        ),
        Err(it) => it.0,
    };
    assert_eq!(shown, expected);
}

const POD: &str = "io.k8s.api.core.v1.Pod";
const CONFIG_MAP: &str = "io.k8s.api.core.v1.ConfigMap";

#[test]
fn zero_values_are_left_out_or_written_as_go_does() {
    check(
        POD,
        r#"{"metadata":{"name":"a","labels":{}},"spec":{"hostNetwork":false,"priority":0,"nodeName":null,"containers":[{"name":"c","image":""}]}}"#,
        r#"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","resources":{}}],"priority":0},"status":{}}"#,
    );
    check(POD, r#"{"spec":{}}"#, r#"{"metadata":{},"spec":{"containers":null},"status":{}}"#);
}

#[test]
fn quantities_and_times_become_canonical() {
    check(
        "io.k8s.api.core.v1.ResourceRequirements",
        r#"{"limits":{"cpu":"1000m","memory":1024},"requests":{"cpu":0.5}}"#,
        r#"{"limits":{"cpu":"1","memory":"1024"},"requests":{"cpu":"500m"}}"#,
    );
    check(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        r#"{"creationTimestamp":"2026-01-01T02:00:00.5+02:00"}"#,
        r#"{"creationTimestamp":"2026-01-01T00:00:00Z"}"#,
    );
}

#[test]
fn wrong_types_are_told_in_go_words() {
    let prefix = "json: cannot unmarshal";
    check(
        CONFIG_MAP,
        r#"{"data":{"a":1}}"#,
        &format!("{prefix} number into Go struct field ConfigMap.data of type string"),
    );
    check(
        CONFIG_MAP,
        r#"{"metadata":{"labels":[]}}"#,
        &format!("{prefix} array into Go struct field ObjectMeta.metadata.labels of type map[string]string"),
    );
    check(
        POD,
        r#"{"spec":{"containers":["x"]}}"#,
        &format!("{prefix} string into Go struct field PodSpec.spec.containers of type v1.Container"),
    );
    check(
        POD,
        r#"{"spec":{"containers":[{"env":[{"value":true}]}]}}"#,
        &format!("{prefix} bool into Go struct field EnvVar.spec.containers.env.value of type string"),
    );
    check(
        "io.k8s.api.apps.v1.DaemonSet",
        r#"{"spec":{"minReadySeconds":1.5}}"#,
        &format!("{prefix} number 1.5 into Go struct field DaemonSetSpec.spec.minReadySeconds of type int32"),
    );
    check(
        POD,
        r#"{"spec":{"restartPolicy":1}}"#,
        &format!("{prefix} number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"),
    );
    check(
        "io.k8s.api.core.v1.PersistentVolumeClaim",
        r#"{"spec":{"accessModes":"x"}}"#,
        &format!(
            "{prefix} string into Go struct field PersistentVolumeClaimSpec.spec.accessModes of type []v1.PersistentVolumeAccessMode"
        ),
    );
    check(
        CONFIG_MAP,
        r#"{"metadata":{"creationTimestamp":"yesterday"}}"#,
        "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\"",
    );
}

#[test]
fn unknown_fields_are_dropped_and_listed() {
    check(
        POD,
        r#"{"spec":{"containers":[{"name":"a","imag":"x"}],"foo":1}}"#,
        r#"{"metadata":{},"spec":{"containers":[{"name":"a","resources":{}}]},"status":{}} ?spec.containers[0].imag ?spec.foo"#,
    );
}

#[test]
fn what_needs_no_change_is_shared() {
    let schema = Schema::load();
    let ty = schema.definition(POD).unwrap();
    let before = value::value!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "resources": {}}]}, "status": {}});
    let after = schema.decode(ty, &before).unwrap().value;
    assert!(after.same(&before));
}

#[test]
fn every_reference_of_the_tables_is_known_and_fields_are_sorted() {
    let schema = Schema::load();
    for (name, id) in schema.definitions() {
        let Type::Struct(it) = schema.ty(id) else { panic!("{name} is no struct") };
        assert!(it.fields.is_sorted_by(|a, b| a.name < b.name), "{name}");
        for field in &it.fields {
            if let Type::List(list) = schema.ty(field.ty)
                && let (ListKind::Map(keys), Type::Struct(item)) = (&list.kind, schema.ty(list.item))
            {
                assert!(keys.iter().all(|key| item.field(key).is_some()), "{name}.{}: keys {keys:?}", field.name);
            }
        }
    }
    let spec = schema.child(schema.definition(POD).unwrap(), "spec").unwrap();
    assert_eq!(schema.child(spec, "nodeName").map(|it| schema.ty(it)), Some(&Type::Str));
}

#[test]
fn a_reference_can_be_granular_at_one_place() {
    let schema = Schema::load();
    let atomic = |definition: &str, field: &str| {
        let ty = schema.child(schema.definition(definition).unwrap(), field).unwrap();
        matches!(schema.ty(ty), Type::Struct(it) if it.atomic && it.field("uid").is_some())
    };
    assert!(!atomic("io.k8s.api.core.v1.PersistentVolumeSpec", "claimRef"));
    assert!(atomic("io.k8s.api.core.v1.Event", "involvedObject"));
}

#[test]
fn empty_lists_come_back_from_storage_as_null() {
    let schema = Schema::load();
    let stored = |definition: &str, text: &str| {
        let value = json::parse(text.as_bytes()).unwrap();
        json::to_string(&schema.stored(schema.definition(definition).unwrap(), &value))
    };
    assert_eq!(stored("io.k8s.api.core.v1.LimitRange", r#"{"spec":{"limits":[]}}"#), r#"{"spec":{"limits":null}}"#);
    let pod = r#"{"spec":{"containers":[{"args":[],"name":"c"}],"volumes":[]}}"#;
    assert_eq!(stored(POD, pod), r#"{"spec":{"containers":[{"name":"c"}]}}"#);
}

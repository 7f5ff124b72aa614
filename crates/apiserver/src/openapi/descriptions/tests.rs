use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use kinds::Registry;
use schema::{Schema, StructType, Type, TypeId};

use super::{DESCRIPTIONS, description, short};

/// Definitions without fields, which are no structs.
const PLAIN: [&str; 4] = [
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "meta.v1.MicroTime",
    "meta.v1.Time",
];

fn keys() -> impl Iterator<Item = &'static str> {
    DESCRIPTIONS.lines().filter(|it| !it.starts_with('#')).filter_map(|it| Some(it.split_once(' ')?.0))
}

#[test]
fn every_line_is_a_sentence_of_something_that_exists() {
    let schema = Schema::load();
    let structs = schema.definitions().filter_map(|(name, ty)| Some((short(name), structure(&schema, ty)?)));
    let structs: BTreeMap<&str, &StructType> = structs.collect();
    for line in DESCRIPTIONS.lines().skip(1) {
        let (key, text) = line.split_once(' ').expect(line);
        let exists = match key.rsplit_once('.') {
            _ if PLAIN.contains(&key) => true,
            Some((definition, field)) if definition.starts_with('*') => {
                structs.values().any(|it| it.name.ends_with(&definition[1..]) && it.field(field).is_some())
            }
            Some((definition, field)) => {
                structs.contains_key(key) || structs.get(definition).is_some_and(|it| it.field(field).is_some())
            }
            None => false,
        };
        assert!(exists, "{line}");
        assert!(text.ends_with('.') && (20..=115).contains(&text.chars().count()), "{line}");
    }
}

#[test]
fn lines_are_sorted_and_each_is_found() {
    let keys: Vec<&str> = keys().collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "{:?}", keys.windows(2).find(|it| it[0] >= it[1]));
    for (line, key) in DESCRIPTIONS.lines().skip(1).zip(keys) {
        let text = line.split_once(' ').map(|(_, it)| it);
        let found = [Some((key, "")), key.rsplit_once('.')].into_iter().flatten();
        assert!({ found }.any(|(definition, field)| description(definition, field) == text), "{key}");
    }
    assert_eq!(description("io.k8s.api.core.v1.Nothing", "nothing"), None);
    assert_eq!(description("", ""), None);
    assert_eq!(description("zzz", ""), None);
}

fn structure(schema: &Schema, ty: TypeId) -> Option<&StructType> {
    match schema.ty(ty) {
        Type::Struct(it) => Some(it),
        Type::Map(it) => structure(schema, it.item),
        Type::List(it) => structure(schema, it.item),
        _ => None,
    }
}

/// The structs below a kind and their fields: those without a description, and the number of the others.
fn missing(schema: &Schema, definition: &str) -> (Vec<String>, usize) {
    let begin = schema.definition(definition).and_then(|it| structure(schema, it));
    let mut waiting: Vec<&StructType> = begin.into_iter().collect();
    let mut seen = BTreeSet::new();
    let (mut missing, mut n_found) = (Vec::new(), 0);
    while let Some(it) = waiting.pop() {
        if !seen.insert(it.name.clone()) {
            continue;
        }
        for field in std::iter::once("").chain(it.fields.iter().map(|it| it.name.as_str())) {
            match description(&it.name, field) {
                Some(_) => n_found += 1,
                None => missing.push(format!("{}.{field}", short(&it.name))),
            }
        }
        waiting.extend(it.fields.iter().filter_map(|it| structure(schema, it.ty)));
    }
    (missing, n_found)
}

#[track_caller]
fn check(pick: fn(&str) -> bool, expect: Expect) {
    let schema = Schema::load();
    let mut lines = BTreeSet::new();
    for it in Registry::builtin().served().filter(|it| pick(it.definition())) {
        let (missing, n_found) = missing(&schema, it.definition());
        lines.insert(format!("{} {n_found}", short(it.definition())));
        lines.extend(missing.into_iter().map(|it| format!("none: {it}")));
    }
    expect.assert_eq(&lines.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_field_of_every_served_kind_is_described() {
    check(
        |_| true,
        expect![[r#"
        admissionregistration.v1.MutatingAdmissionPolicy 81
        admissionregistration.v1.MutatingAdmissionPolicyBinding 65
        admissionregistration.v1.MutatingWebhookConfiguration 74
        admissionregistration.v1.ValidatingAdmissionPolicy 98
        admissionregistration.v1.ValidatingAdmissionPolicyBinding 66
        admissionregistration.v1.ValidatingWebhookConfiguration 73
        apiextensions.v1.CustomResourceDefinition 161
        apiregistration.v1.APIService 57
        apps.v1.ControllerRevision 37
        apps.v1.DaemonSet 661
        apps.v1.Deployment 664
        apps.v1.ReplicaSet 651
        apps.v1.StatefulSet 697
        authentication.v1.SelfSubjectReview 43
        authentication.v1.TokenReview 50
        authorization.v1.LocalSubjectAccessReview 76
        authorization.v1.SelfSubjectAccessReview 72
        authorization.v1.SelfSubjectRulesReview 52
        authorization.v1.SubjectAccessReview 76
        autoscaling.v1.HorizontalPodAutoscaler 52
        autoscaling.v2.HorizontalPodAutoscaler 139
        batch.v1.CronJob 691
        batch.v1.Job 689
        certificates.v1.CertificateSigningRequest 56
        coordination.v1.Lease 44
        core.v1.Binding 44
        core.v1.ComponentStatus 41
        core.v1.ConfigMap 38
        core.v1.Endpoints 58
        core.v1.Event 63
        core.v1.LimitRange 45
        core.v1.Namespace 48
        core.v1.Node 120
        core.v1.PersistentVolume 228
        core.v1.PersistentVolumeClaim 85
        core.v1.Pod 733
        core.v1.PodTemplate 631
        core.v1.ReplicationController 650
        core.v1.ResourceQuota 50
        core.v1.Secret 39
        core.v1.Service 90
        core.v1.ServiceAccount 48
        dev.drydock.sim.v1alpha1.APIRequest 50
        dev.drydock.sim.v1alpha1.Clock 44
        dev.drydock.sim.v1alpha1.Component 56
        dev.drydock.sim.v1alpha1.ImageBehavior 59
        dev.drydock.sim.v1alpha1.Machine 64
        dev.drydock.sim.v1alpha1.MachinePool 63
        dev.drydock.sim.v1alpha1.NetworkRequest 46
        dev.drydock.sim.v1alpha1.PlacementDecision 36
        dev.drydock.sim.v1alpha1.SchedulingDecision 36
        discovery.v1.EndpointSlice 71
        events.v1.Event 63
        flowcontrol.v1.FlowSchema 79
        flowcontrol.v1.PriorityLevelConfiguration 64
        networking.v1.IPAddress 43
        networking.v1.Ingress 79
        networking.v1.IngressClass 45
        networking.v1.NetworkPolicy 65
        networking.v1.ServiceCIDR 48
        node.v1.RuntimeClass 49
        policy.v1.PodDisruptionBudget 64
        rbac.v1.ClusterRole 52
        rbac.v1.ClusterRoleBinding 46
        rbac.v1.Role 42
        rbac.v1.RoleBinding 46
        scheduling.v1.PriorityClass 39
        storage.v1.CSIDriver 51
        storage.v1.CSINode 45
        storage.v1.CSIStorageCapacity 46
        storage.v1.StorageClass 47
        storage.v1.VolumeAttachment 239
        storage.v1.VolumeAttributesClass 37"#]],
    );
}

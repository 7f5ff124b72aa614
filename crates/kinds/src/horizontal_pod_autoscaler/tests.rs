use expect_test::{Expect, expect};
use meta::{KindId, Object};
use value::json;

use super::version_1;

/// The first version of an autoscaler, from which the same autoscaler comes back.
fn check(autoscaler: &str, expect: Expect) {
    let value = json::parse(autoscaler.as_bytes()).expect("JSON");
    let it = Object::from_map(KindId(0), value.as_map().expect("an object"));
    let old = version_1::to(&it);
    let notes: Vec<String> =
        old.meta.annotations.iter().map(|(key, it)| format!("{key}: {}\n", it.as_str().unwrap_or(""))).collect();
    let body = json::to_string(&old.body.clone().into());
    expect.assert_eq(&format!("{body}\n{}", notes.concat()));
    let back = version_1::from(&old);
    assert_eq!((back.body, back.meta.annotations), (it.body, it.meta.annotations));
}

#[test]
fn a_target_of_cpu_has_a_field_of_its_own() {
    check(
        r#"{"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]},
            "status": {"currentMetrics": null, "desiredReplicas": 0}}"#,
        expect![[r#"
            {"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"targetCPUUtilizationPercentage":50},"status":{"currentReplicas":0,"desiredReplicas":0}}
        "#]],
    );
}

#[test]
fn what_the_first_version_lacks_is_noted() {
    check(
        r#"{"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
            "metrics": [{"type": "Pods", "pods": {"metric": {"name": "rps", "selector": {"matchLabels": {"a": "b"}}},
                         "target": {"type": "AverageValue", "averageValue": "1k"}}}],
            "behavior": {"scaleDown": {"selectPolicy": "Disabled", "tolerance": "100m"}}},
            "status": {"currentMetrics": null, "currentReplicas": 2, "desiredReplicas": 3,
            "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}"#,
        expect![[r#"
            {"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}},"status":{"currentReplicas":2,"desiredReplicas":3}}
            autoscaling.alpha.kubernetes.io/behavior: {"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Disabled","Policies":null,"Tolerance":"100m"}}
            autoscaling.alpha.kubernetes.io/conditions: [{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"ReadyForNewScale"}]
            autoscaling.alpha.kubernetes.io/metrics: [{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"1k","selector":{"matchLabels":{"a":"b"}}}}]
        "#]],
    );
}

use expect_test::{Expect, expect};
use meta::{Errors, Metadata, Object};
use value::{Value, map, value};

use super::{KIND, validate_ephemeral_containers, validate_resize};
use crate::POD;

/// A pod that waits for its node, with one container that somebody looks into.
fn pod() -> Object {
    let spec = value!({
        "containers": [{
            "image": "nginx", "imagePullPolicy": "Always", "name": "c",
            "resources": {
                "limits": { "cpu": "200m", "memory": "100Mi" }, "requests": { "cpu": "100m", "memory": "64Mi" },
            },
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }],
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true,
        "ephemeralContainers": [debug("busybox:1.36")],
        "preemptionPolicy": "PreemptLowerPriority", "priority": 0, "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "serviceAccount": "default",
        "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
    });
    let status = value!({ "phase": "Pending", "qosClass": "Burstable" });
    Object { kind: POD, meta: Metadata::new("n", "p"), body: map!({ "spec": spec, "status": status }) }
}

fn debug(image: &str) -> Value {
    value!({
        "image": image, "imagePullPolicy": "IfNotPresent", "name": "debug", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    })
}

/// What a check of a pod with a new value at a path, against the pod before, says.
#[track_caller]
fn check(validate: fn(&Object, &Object, &mut Errors), path: &str, new: Value, expect: Expect) {
    let old = pod();
    let mut changed = old.clone();
    match path.strip_prefix("container.") {
        Some(path) => changed.body.edit_map("spec", |spec| {
            spec.edit_maps("containers", |it| {
                let container = Value::from(&*it).with(path, &new);
                *it = container.as_map().cloned().unwrap_or_default();
            });
        }),
        None => changed.set(path, new),
    }
    let mut errors = Errors::new();
    validate(&changed, &old, &mut errors);
    let texts: Vec<String> = errors.list.iter().map(ToString::to_string).collect();
    expect.assert_eq(&texts.join("\n"));
}

#[test]
fn a_refused_update_shows_the_difference_of_the_specs() {
    let update = KIND.strategy.validate_update;
    check(
        update,
        "container.resources.requests.cpu",
        "120m".into(),
        expect![[r#"
        spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
        @@ -17,7 +17,7 @@
              "memory": "100Mi"
             },
             "Requests": {
        -     "cpu": "100m",
        +     "cpu": "120m",
              "memory": "64Mi"
             },
             "Claims": null
    "#]],
    );
    check(
        update,
        "spec.priorityClassName",
        "low".into(),
        expect![[r#"
        spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
        @@ -110,7 +110,7 @@
          "SchedulerName": "default-scheduler",
          "Tolerations": null,
          "HostAliases": null,
        - "PriorityClassName": "",
        + "PriorityClassName": "low",
          "Priority": 0,
          "PreemptionPolicy": "PreemptLowerPriority",
          "DNSConfig": null,
    "#]],
    );
}

#[test]
fn a_refused_resize_says_why() {
    check(validate_resize, "container.resources.requests.cpu", "120m".into(), expect![""]);
    check(
        validate_resize,
        "container.resources.limits.ephemeral-storage",
        "1Gi".into(),
        expect!["spec: Forbidden: only cpu and memory resources are mutable"],
    );
    check(
        validate_resize,
        "container.resources",
        Value::map(),
        expect![[r#"
        spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing
        spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed
        spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"#]],
    );
    check(
        validate_resize,
        "container.resources.requests.cpu",
        "900m".into(),
        expect![[
            r#"spec.containers[0].resources.requests: Invalid value: "900m": must be less than or equal to cpu limit of 200m"#
        ]],
    );
}

#[test]
fn ephemeral_containers_stay_as_they_are() {
    let check = |new: Vec<Value>, expect| {
        check(validate_ephemeral_containers, "spec.ephemeralContainers", new.into(), expect);
    };
    check(
        vec![debug("busybox:1.37")],
        expect![[r#"
        spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed
        @@ -1,6 +1,6 @@
         {
          "Name": "debug",
        - "Image": "busybox:1.36",
        + "Image": "busybox:1.37",
          "Command": null,
          "Args": null,
          "WorkingDir": "",
    "#]],
    );
    check(
        Vec::new(),
        expect![[r#"
        spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed
    "#]],
    );
    check(vec![debug("busybox:1.36"), debug("busybox:1.36").with("name", "more")], expect![""]);
}

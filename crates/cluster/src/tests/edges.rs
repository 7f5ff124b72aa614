use expect_test::expect;

use super::steps::check;

const TEMPLATE: &str = "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}";

#[test]
fn the_last_revision_is_followed_by_the_first_negative_one() {
    for (plural, revisions) in
        [("deployments", "replicasets"), ("statefulsets", "controllerrevisions"), ("daemonsets", "controllerrevisions")]
    {
        let kind = match plural {
            "deployments" => "Deployment",
            "statefulsets" => "StatefulSet",
            _ => "DaemonSet",
        };
        let number = r#"{"revision": 9223372036854775807, "metadata": {"annotations": {"deployment.kubernetes.io/revision": "9223372036854775807"}}}"#;
        let steps = format!(
            "POST /apis/apps/v1/namespaces/default/{plural} {{apiVersion: apps/v1, kind: {kind}, metadata: {{name: web}}, spec: {{{TEMPLATE}}}}}
            wait 10
            PATCH /apis/apps/v1/namespaces/default/{revisions}/* {number}
            PATCH /apis/apps/v1/namespaces/default/{plural}/web {{\"spec\": {{\"template\": {{\"metadata\": {{\"labels\": {{\"c\": \"d\"}}}}}}}}}}
            wait 10
            GET /apis/apps/v1/namespaces/default/{plural}/web deployment.kubernetes.io/revision
            GET /apis/apps/v1/namespaces/default/{revisions}/* revision"
        );
        match plural {
            "deployments" => check(
                &steps,
                expect![[r#"

                none
            "#]],
            ),
            _ => check(&steps, expect!["none\n9223372036854775807\n"]),
        }
    }
}

#[test]
fn a_generation_of_templates_that_would_wrap_is_refused() {
    check(
        &format!(
            r#"POST /apis/apps/v1/namespaces/default/daemonsets {{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: web, annotations: {{deprecated.daemonset.template.generation: "9223372036854775807"}}}}, spec: {{{TEMPLATE}}}}}
            PATCH /apis/apps/v1/namespaces/default/daemonsets/web {{"spec": {{"template": {{"metadata": {{"labels": {{"c": "d"}}}}}}}}}}"#
        ),
        expect![[r#"
            DaemonSet.apps "web" is invalid: [spec.templateGeneration: Invalid value: -9223372036854775808: must not be decremented, spec.templateGeneration: Invalid value: -9223372036854775808: must be greater than or equal to 0]
        "#]],
    );
}

#[test]
fn a_generation_wraps_where_its_creator_chose_it() {
    check(
        "POST /api/v1/namespaces/default/configmaps {apiVersion: v1, kind: ConfigMap, metadata: {name: a, generation: 9223372036854775807, finalizers: [x.io/y]}}
        DELETE /api/v1/namespaces/default/configmaps/a
        GET /api/v1/namespaces/default/configmaps/a metadata.generation",
        expect![[r#"
            -9223372036854775808
        "#]],
    );
}

#[test]
fn a_grace_period_is_as_long_as_a_duration_of_upstream() {
    check(
        "POST /api/v1/namespaces/default/resourcequotas {apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 5}}}
        POST /api/v1/namespaces/default/pods {apiVersion: v1, kind: Pod, metadata: {name: a, finalizers: [x.io/y]}, spec: {nodeName: node-1, terminationGracePeriodSeconds: 9223372036854775807, containers: [{name: c, image: nginx}]}}
        wait 10
        DELETE /api/v1/namespaces/default/pods/a
        GET /api/v1/namespaces/default/pods/a metadata.deletionGracePeriodSeconds
        GET /api/v1/namespaces/default/pods/a metadata.deletionTimestamp
        wait 10
        GET /api/v1/namespaces/default/resourcequotas/q status.used.pods",
        expect![[r#"
            9223372036854775807
            2026-01-01T09:00:09Z
            0
        "#]],
    );
}

#[test]
fn amounts_beyond_64_bits_count_as_the_most_there_is() {
    check(
        "POST /api/v1/namespaces/default/pods {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: node-1, containers: [{name: c, image: nginx, resources: {requests: {cpu: '9223372036854775807', memory: 8Ei}}}]}}
        POST /api/v1/namespaces/default/pods {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {nodeName: node-1, containers: [{name: c, image: nginx, resources: {requests: {cpu: '9223372036854775807', memory: 8Ei}}}]}}
        POST /api/v1/namespaces/default/pods {apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {containers: [{name: c, image: nginx}]}}
        wait 30
        GET /api/v1/namespaces/default/pods/c status.phase",
        expect![[r#"
            Running
        "#]],
    );
}

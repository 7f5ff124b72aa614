//! What commands ask the server for, and what they print.

use expect_test::{Expect, expect};

use super::fake::Fake;

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default",
    "labels": {"app": "web"}, "uid": "u1", "resourceVersion": "7"}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}"#;

const TABLE: &str = r#"{"kind": "Table", "metadata": {"resourceVersion": "9"},
    "columnDefinitions": [{"name": "Name", "format": "name", "priority": 0}, {"name": "Ready", "priority": 0}, {"name": "IP", "priority": 1}],
    "rows": [{"cells": ["web", "1/1", "10.0.0.1"], "object": {"metadata": {"name": "web", "labels": {"app": "web"}}}}]}"#;

fn server() -> Fake {
    Fake::default()
        .answer("GET /api/v1/namespaces/default/pods/web", 200, POD)
        .answer("PATCH /api/v1/namespaces/default/pods/web", 200, POD)
        .answer("DELETE /api/v1/namespaces/default/pods/web", 200, POD)
}

fn check(line: &str, stdin: &str, expected: Expect) {
    expected.assert_eq(&server().play(line, stdin));
}

#[test]
fn get() {
    let tables = || Fake::default().answer("GET /api/v1/namespaces/default/pods", 200, TABLE);
    let check = |line: &str, expected: Expect| expected.assert_eq(&tables().play(line, ""));
    check(
        "get pods",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods?limit=500
        NAME   READY
        web    1/1
    "#]],
    );
    check(
        "get po -o wide --show-labels -l app=web",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods?labelSelector=app%3Dweb&limit=500
        NAME   READY   IP         LABELS
        web    1/1     10.0.0.1   app=web
    "#]],
    );
    check(
        "get pods,ds",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods?limit=500
        > GET /apis/apps/v1/namespaces/default/daemonsets?limit=500
        NAME   READY
        web    1/1
        Error from server (NotFound): Unable to list "apps/v1, Resource=daemonsets": things "daemonsets" not found
        [exit 1]
    "#]],
    );
    check(
        "get nothing",
        expect![[r#"
        error: the server doesn't have a resource type "nothing"
        [exit 1]
    "#]],
    );
    check(
        "get pods web ds/agent",
        expect![[r#"
        error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'
        [exit 1]
    "#]],
    );
    check(
        "get pods -o odd",
        expect![[r#"
        error: unable to match a printer suitable for the output format "odd", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml
        [exit 1]
    "#]],
    );
}

#[test]
fn one_object_in_other_forms() {
    check(
        "get pod web -o yaml",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        apiVersion: v1
        kind: Pod
        metadata:
          labels:
            app: web
          name: web
          namespace: default
          resourceVersion: "7"
          uid: u1
        spec:
          containers:
          - image: web:1
            name: main
    "#]],
    );
    check(
        "get pod/web -o jsonpath={.spec.containers[*].image}",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        web:1"#]],
    );
    check(
        "get pod web -o name",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        pod/web
    "#]],
    );
}

const MANIFEST: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: main\n    image: web:2\n";

#[test]
fn apply() {
    check(
        "apply -f - --server-side",
        MANIFEST,
        expect![[r#"
        > PATCH /api/v1/namespaces/default/pods/web?force=false&fieldManager=kubectl&fieldValidation=Strict {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},"spec":{"containers":[{"image":"web:2","name":"main"}]}}
        pod/web serverside-applied
    "#]],
    );
    check(
        "apply -f - --dry-run=client",
        MANIFEST,
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        > GET /openapi/v3/api/v1
        pod/web configured (dry run)
        Warning: resource pods/web is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.
    "#]],
    );
    check(
        "apply -f -",
        "kind: Pod\n",
        expect![[r#"
        error: error validating "STDIN": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false
        [exit 1]
    "#]],
    );
    check(
        "apply -f -",
        "a: [\n",
        expect![[r#"
        error: error parsing STDIN: error converting YAML to JSON: yaml: line 1: did not find expected node content
        [exit 1]
    "#]],
    );
    check(
        "apply",
        "",
        expect![[r#"
        error: must specify one of -f and -k
        [exit 1]
    "#]],
    );
}

#[test]
fn changes() {
    check(
        "label pod web app- tier=front",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        > PATCH /api/v1/namespaces/default/pods/web?fieldManager=kubectl-label {"metadata":{"labels":{"app":null,"tier":"front"}}}
        pod/web modified
    "#]],
    );
    check(
        "label pod web app=other",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        error: 'app' already has a value (web), and --overwrite is false
        [exit 1]
    "#]],
    );
    check(
        "annotate pod web note=1 --dry-run=client",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        pod/web annotated (dry run)
    "#]],
    );
    check(
        "patch pod web -p {\"spec\":{\"x\":1}} --type=merge",
        "",
        expect![[r#"
        > GET /api/v1/namespaces/default/pods/web
        > PATCH /api/v1/namespaces/default/pods/web?fieldManager=kubectl-patch {"spec":{"x":1}}
        pod/web patched (no change)
    "#]],
    );
    check(
        "delete pod web --grace-period=5 --wait=false",
        "",
        expect![[r#"
        > DELETE /api/v1/namespaces/default/pods/web {"apiVersion":"v1","gracePeriodSeconds":5,"kind":"DeleteOptions","propagationPolicy":"Background"}
        pod "web" deleted from default namespace
    "#]],
    );
    check(
        "delete pod none --ignore-not-found",
        "",
        expect![[r#"
        > DELETE /api/v1/namespaces/default/pods/none {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}
    "#]],
    );
}

#[test]
fn mistakes() {
    check(
        "gett pods",
        "",
        expect![[r#"
        error: unknown command "gett" for "kubectl"

        Did you mean this?
        	set
        	get
        [exit 1]
    "#]],
    );
    check(
        "get",
        "",
        expect![[r#"
        You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.

        error: Required resource not specified.
        Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
        See 'kubectl get -h' for help and examples
        [exit 1]
    "#]],
    );
    check(
        "get pods --nothing",
        "",
        expect![[r#"
        error: unknown flag: --nothing
        See 'kubectl get --help' for usage.
        [exit 1]
    "#]],
    );
    check(
        "delete pods",
        "",
        expect![[r#"
        error: resource(s) were provided, but no name was specified
        [exit 1]
    "#]],
    );
    check(
        "rollout bounce ds/web",
        "",
        expect![[r#"
        error: unknown command "bounce ds/web"
        See 'kubectl rollout -h' for help and examples
        [exit 1]
    "#]],
    );
    check(
        "create configmap",
        "",
        expect![[r#"
        error: exactly one NAME is required, got 0
        See 'kubectl create configmap -h' for help and examples
        [exit 1]
    "#]],
    );
    check(
        "scale pods",
        "",
        expect![[r#"
        error: required flag(s) "replicas" not set
        [exit 1]
    "#]],
    );
}

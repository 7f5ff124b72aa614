use expect_test::{Expect, expect};
use http::Request;
use meta::{Metadata, Object};
use sim::{Duration, Instant, Rng};
use value::{Map, json};

use crate::{ApiServer, Body, Caller, Config, calls};

const NOW: Instant = Instant::from_secs(1_700_000_000);

/// A server with the namespace `n` and its default service account.
fn server() -> ApiServer {
    let mut api = ApiServer::new(Config { seed: 1, log_changes_max: 64 });
    let caller = Caller::component("test", "test");
    for (kind, namespace, name) in [(kinds::NAMESPACE, "", "n"), (kinds::SERVICE_ACCOUNT, "n", "default")] {
        let meta = Metadata::new(namespace, name);
        calls::create(&mut api, NOW, &caller, Object { kind, meta, body: Map::new() }).unwrap();
    }
    api
}

/// `METHOD PATH [TYPE] BODY`; the type is the end of a media type.
fn send(api: &mut ApiServer, line: &str) -> String {
    let mut parts = line.splitn(3, ' ');
    let (method, path, rest) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or(""));
    let (content_type, body) = match rest.strip_prefix('[').and_then(|it| it.split_once("] ")) {
        Some((content_type, body)) => (format!("application/{content_type}"), body),
        None => ("application/json".to_owned(), rest),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .header("user-agent", "test/1")
        .body(body.replace("\\n", "\n").into_bytes())
        .unwrap();
    let response = api.handle(NOW, request);
    let mut text = response.status().as_u16().to_string();
    if let Body::Bytes(bytes) = response.body()
        && let Ok(value) = json::parse(bytes)
    {
        for path in ["message", "metadata.generation", "metadata.deletionTimestamp", "data.k", "spec.nodeName"] {
            if let Some(it) = value.at(path) {
                let name = path.rsplit('.').next().unwrap();
                let it = it.as_str().map_or_else(|| json::to_string(it), str::to_owned);
                text.push_str(&if path == "message" { format!(" {it}") } else { format!(" {name}={it}") });
            }
        }
    }
    for warning in response.headers().get_all("warning") {
        text.push_str(&format!("\n    {}", warning.to_str().unwrap()));
    }
    text
}

#[track_caller]
fn check(requests: &[&str], expect: Expect) {
    let mut api = server();
    let answers: Vec<String> = requests.iter().map(|it| send(&mut api, it)).collect();
    expect.assert_eq(&answers.join("\n"));
}

const MAPS: &str = "/api/v1/namespaces/n/configmaps";
const PODS: &str = "/api/v1/namespaces/n/pods";

#[test]
fn objects_are_made_changed_and_deleted() {
    check(
        &[
            &format!("POST {MAPS} {{\"metadata\":{{\"name\":\"a\"}},\"data\":{{\"k\":\"1\"}}}}"),
            &format!("POST {MAPS} {{\"metadata\":{{\"name\":\"a\"}}}}"),
            &format!("POST {MAPS} {{\"metadata\":{{\"name\":\"a\",\"namespace\":\"o\"}}}}"),
            &format!("GET {MAPS}/a"),
            &format!("PUT {MAPS}/a {{\"metadata\":{{\"name\":\"a\"}},\"data\":{{\"k\":\"2\"}}}}"),
            &format!("PUT {MAPS}/a {{\"metadata\":{{\"name\":\"a\",\"resourceVersion\":\"1\"}}}}"),
            &format!("PUT {MAPS}/a {{\"metadata\":{{\"name\":\"b\"}}}}"),
            &format!("PATCH {MAPS}/a [merge-patch+json] {{\"data\":{{\"k\":\"3\"}}}}"),
            &format!("PATCH {MAPS}/a [json-patch+json] [{{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"4\"}}]"),
            &format!("PATCH {MAPS}/a [strategic-merge-patch+json] {{\"data\":{{\"k\":\"5\"}}}}"),
            &format!("DELETE {MAPS}/a?dryRun=All"),
            &format!("DELETE {MAPS}/a"),
            &format!("DELETE {MAPS}/a"),
        ],
        expect![[r#"
            201 k=1
            409 configmaps "a" already exists
            400 the namespace of the provided object does not match the namespace sent on the request
            200 k=1
            200 k=2
            409 Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
            400 the name of the object (b) does not match the name on the URL (a)
            200 k=3
            200 k=4
            200 k=5
            200
            200
            404 configmaps "a" not found"#]],
    );
}

#[test]
fn what_does_not_fit_is_told_in_the_order_of_the_text() {
    let body = r#"{"z":1,"metadata":{"name":"a","x":1},"data":{"k":"1","k":"2"},"a":1}"#;
    check(
        &[
            &format!("POST {MAPS}?fieldValidation=Strict {body}"),
            &format!("POST {MAPS} {body}"),
            &format!("POST {MAPS} [yaml] metadata: {{name: b}}\\nmetadata: {{name: c}}"),
            &format!("POST {MAPS} {{\"data\":{{\"k\":1}}}}"),
            &format!("POST {MAPS} {{\"kind\":\"Secret\",\"apiVersion\":\"v1\"}}"),
            &format!("POST {MAPS} {{\"kind\":\"Nope\",\"apiVersion\":\"v1\"}}"),
            &format!("POST {MAPS} [xml] <a/>"),
            &format!("POST {MAPS} nope"),
        ],
        expect![[r#"
            400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "z", unknown field "metadata.x", duplicate field "data.k", unknown field "a"
            201 k=2
                299 - "unknown field \"z\""
                299 - "unknown field \"metadata.x\""
                299 - "duplicate field \"data.k\""
                299 - "unknown field \"a\""
            201
                299 - "line 2: key \"metadata\" already set in map"
            400 ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string
            400 Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion
            400 Nope in version "v1" cannot be handled as a ConfigMap: no kind "Nope" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"
            415 the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf
            400 the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u') (6e6f7065)"#]],
    );
}

#[test]
fn paths_and_verbs_are_those_of_the_real_server() {
    check(
        &[
            "GET /api/v1/namespaces/n/nopes",
            "GET /apis/nope/v1/things",
            "GET /api/v1/namespaces/n/nodes",
            "GET /api/v1/configmaps/a",
            "POST /api/v1/configmaps {}",
            "DELETE /api/v1/namespaces",
            "PUT /api/v1/namespaces/n/configmaps {}",
            "PATCH /api/v1/namespaces/n/configmaps/a [json] {}",
            "GET /api/v1/namespaces/n/pods/p/binding",
            "GET /api/v1/namespaces/n/pods/p/nope",
            "GET /api/v1/namespaces/n/pods/p/status/more",
        ],
        expect![[r#"
            404 the server could not find the requested resource
            404
            404 the server could not find the requested resource
            404 the server could not find the requested resource
            405 the server does not allow this method on the requested resource
            405 the server does not allow this method on the requested resource
            405 the server does not allow this method on the requested resource
            415 415: Unsupported Media Type
            405 the server does not allow this method on the requested resource
            404 the server could not find the requested resource
            404 the server could not find the requested resource"#]],
    );
}

const POD: &str = r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#;

#[test]
fn pods_are_bound_once_and_evicted() {
    let binding = r#"{"metadata":{"name":"p"},"target":{"kind":"Node","name":"m"}}"#;
    check(
        &[
            &format!("POST {PODS} {POD}"),
            &format!("POST {PODS}/p/binding {binding}"),
            &format!("POST {PODS}/p/binding {binding}"),
            &format!("POST {PODS}/p/eviction {{\"metadata\":{{\"name\":\"q\"}}}}"),
            &format!(
                "POST {PODS}/p/eviction {{\"metadata\":{{\"name\":\"p\"}},\"deleteOptions\":{{\"ignoreStoreReadErrorWithClusterBreakingPotential\":true}}}}"
            ),
            &format!("POST {PODS}/p/eviction {{\"metadata\":{{\"name\":\"p\"}}}}"),
            &format!("GET {PODS}/p"),
        ],
        expect![[r#"
            201 generation=1
            201
            409 Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "m"
            400 name in URL does not match name in Eviction object
            422 Eviction.policy "p" is invalid: deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential: Invalid value: true: can not be set for pod eviction, try after removing the option
            201
            200 generation=2 deletionTimestamp=2023-11-14T22:13:50Z nodeName=m"#]],
    );
}

#[test]
fn nodes_decide_what_their_pods_carry_and_become() {
    let node = r#"{"metadata":{"name":"m","labels":{"topology.kubernetes.io/zone":"z"}},"status":{"allocatable":{"cpu":"4","memory":"1Gi"}}}"#;
    let pod = |name: &str, node: &str| {
        let asked = r#""resources":{"requests":{"cpu":"1"}}"#;
        format!(
            r#"POST {PODS} {{"metadata":{{"name":"{name}"}},"spec":{{"nodeName":"{node}","resources":{{"requests":{{"cpu":"2"}}}},"initContainers":[{{"name":"i","image":"x",{asked}}}],"containers":[{{"name":"c","image":"x",{asked}}}]}}}}"#
        )
    };
    let resize =
        |name: &str, spec: &str| format!("PATCH {PODS}/{name}/resize [strategic-merge-patch+json] {{\"spec\":{spec}}}");
    let asks = |cpu: &str| format!(r#"{{"requests":{{"cpu":"{cpu}"}}}}"#);
    check(
        &[
            &format!("POST /api/v1/nodes {node}"),
            &pod("born", "m"),
            &pod("bound", ""),
            &format!(r#"POST {PODS}/bound/binding {{"target":{{"kind":"Node","name":"m"}}}}"#),
            &pod("lost", "nowhere"),
            &format!("DELETE {PODS}?labelSelector=topology.kubernetes.io/zone%21%3Dz"),
            &format!("DELETE {PODS}/lost?dryRun=All"),
            &resize("born", &format!(r#"{{"containers":[{{"name":"c","resources":{}}}]}}"#, asks("2"))),
            &resize("born", &format!(r#"{{"resources":{}}}"#, asks("3"))),
            &resize("born", &format!(r#"{{"initContainers":[{{"name":"i","resources":{}}}]}}"#, asks("2"))),
            r#"PATCH /api/v1/nodes/m/status [merge-patch+json] {"status":{"declaredFeatures":["InPlacePodLevelResourcesVerticalScaling"]}}"#,
            &resize("born", &format!(r#"{{"resources":{}}}"#, asks("3"))),
            &resize("born", &format!(r#"{{"resources":{}}}"#, asks("5"))),
        ],
        expect![[r#"
            201
            201 generation=1 nodeName=m
            201 generation=1
            400 name in URL does not match name in Binding object
            201 generation=1 nodeName=nowhere
            200
            200 generation=2 deletionTimestamp=2023-11-14T22:13:50Z nodeName=nowhere
            200 generation=2 nodeName=m
            403 pods "born" is forbidden: pod update requires features InPlacePodLevelResourcesVerticalScaling which are not available on node "m"
            403 pods "born" is forbidden: pod update requires features InPlacePodVerticalScalingInitContainers which are not available on node "m"
            200
            200 generation=3 nodeName=m
            403 pods "born" is forbidden: node didn't have enough allocatable resources: cpu, requested: 5000, allocatable: 4000"#]],
    );
}

#[test]
fn features_of_nodes_are_sorted_and_labels_may_get_their_new_names() {
    let features = |list: &str| {
        format!(r#"PATCH /api/v1/nodes/m/status [merge-patch+json] {{"status":{{"declaredFeatures":{list}}}}}"#)
    };
    let affinity = |key: &str| {
        format!(
            r#""nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[{{"key":"{key}","operator":"In","values":["a"]}}]}}]}}}}"#
        )
    };
    let volume = format!(
        r#"{{"metadata":{{"name":"v"}},"spec":{{"capacity":{{"storage":"1Gi"}},"accessModes":["ReadWriteOnce"],"hostPath":{{"path":"/x"}},{}}}}}"#,
        affinity("beta.kubernetes.io/os")
    );
    let rename =
        |key: &str| format!(r#"PATCH /api/v1/persistentvolumes/v [merge-patch+json] {{"spec":{{{}}}}}"#, affinity(key));
    check(
        &[
            r#"POST /api/v1/nodes {"metadata":{"name":"m"}}"#,
            &features(r#"["A/b","B"]"#),
            &features(r#"["B","A","A","b","C//d"]"#),
            &format!("POST /api/v1/persistentvolumes {volume}"),
            &rename("kubernetes.io/arch"),
            &rename("kubernetes.io/os"),
        ],
        expect![[r#"
            201
            200
            422 Node "m" is invalid: [status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically, status.declaredFeatures[2]: Duplicate value: "A", status.declaredFeatures[3]: Invalid value: "b": invalid feature name "b": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes, status.declaredFeatures[4]: Invalid value: "C//d": list must be sorted alphabetically, status.declaredFeatures[4]: Invalid value: "C//d": invalid feature name "C//d": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes]
            201
                299 - "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use \"kubernetes.io/os\" instead"
            422 PersistentVolume "v" is invalid: nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"kubernetes.io/arch","Operator":"In","Values":["a"]}],"MatchFields":null}]}}: field is immutable, except for updating from beta label to GA
            200"#]],
    );
}

#[test]
fn certificates_are_asked_for_in_order() {
    // Of the organization system:masters.
    let masters = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIak1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVF3d0NnWURWUVFEREFObApkbVV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVNLSzlWbzVyd3VBVzVZTjd3aGpTbUdmNm9pCnBOVVpDYWNwc04rQVlDQVJsbmhpSnNFcTRQZ0ttbmtJblZPOHBnMmRWVjhzRVNmSW9DSmRacjFnalRkZG9BQXcKQ2dZSUtvWkl6ajBFQXdJRFNRQXdSZ0loQUtObXM4WVNpV2syZHIyNUpXb0tGREZTb2w2ZUJ0L25vY2piUVpFVAp5V0hFQWlFQWxWNG9zdDBRVWoyTi95Z2pKWVNTeUNja0JTVERkazdRbE5WNXpkRnFsQW89Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";
    let ask = |name: &str, signer: &str| {
        format!(
            r#"POST /apis/certificates.k8s.io/v1/certificatesigningrequests {{"metadata":{{"name":"{name}"}},"spec":{{"request":"{masters}","signerName":"{signer}","usages":["client auth"]}}}}"#
        )
    };
    let status = |certificate: &str| {
        format!(
            r#"PATCH /apis/certificates.k8s.io/v1/certificatesigningrequests/a/status [merge-patch+json] {{"status":{{"certificate":"{certificate}"}}}}"#
        )
    };
    check(
        &[
            &ask("a", "kubernetes.io/kube-apiserver-client"),
            &ask("a", "kubernetes.io/legacy-unknown"),
            &ask("a", "example.com/own"),
            &status("eA=="),
            &status("LS0tLS1CRUdJTiBLRVktLS0tLQo="),
            &status("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="),
            &status("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCi0K"),
        ],
        expect![[r#"
            403 certificatesigningrequests.certificates.k8s.io "a" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed
            422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version
            201
            422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block
            422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "KEY"
            200
            422 CertificateSigningRequest.certificates.k8s.io "a" is invalid: status.certificate: Forbidden: updates may not modify existing certificate content"#]],
    );
}

#[test]
fn admission_asks_other_objects() {
    let with = |spec: &str| POD.replace("\"spec\":{", &format!("\"spec\":{{{spec},"));
    check(
        &[
            "POST /api/v1/namespaces/o/configmaps {\"metadata\":{\"name\":\"a\"}}",
            &format!("POST {PODS} {}", with("\"serviceAccountName\":\"x\"")),
            &format!("POST {PODS} {}", with("\"priorityClassName\":\"x\"")),
            &format!("POST {PODS} {}", with("\"priority\":7")),
            "PATCH /api/v1/namespaces/n [merge-patch+json] {\"metadata\":{\"labels\":{\"pod-security.kubernetes.io/enforce\":\"baseline\"}}}",
            &format!("POST {PODS} {}", with("\"hostNetwork\":true")),
            "DELETE /api/v1/namespaces/n",
            &format!("POST {PODS} {POD}"),
        ],
        expect![[r#"
            404 namespaces "o" not found
            403 pods "p" is forbidden: error looking up service account n/x: serviceaccount "x" not found
            403 pods "p" is forbidden: no PriorityClass with name x was found
            403 pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name
            200
            403 pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)
            200 deletionTimestamp=2023-11-14T22:13:20Z
            403 pods "p" is forbidden: unable to create new content in namespace n because it is being terminated"#]],
    );
}

#[test]
fn appliers_learn_who_owns_what_they_want() {
    let apply = |manager: &str, data: &str| {
        format!(
            "PATCH {MAPS}/a?fieldManager={manager} [apply-patch+yaml] {{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {data}}}"
        )
    };
    check(
        &[
            &apply("one", "{k: '1'}"),
            &apply("two", "{k: '2'}"),
            &apply("two", "{k: '2'}").replace("Manager=two", "Manager=two&force=true"),
            &apply("one", "{j: '2'}"),
            &apply("", "{}"),
        ],
        expect![[r#"
            201 k=1
            409 Apply failed with 1 conflict: conflict with "one": .data.k
            200 k=2
            200 k=2
            422 PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#]],
    );
}

#[test]
fn patches_keep_the_type_and_versions_are_numbers() {
    let patch = |how: &str, body: &str| format!("PATCH {MAPS}/a [{how}-patch+json] {body}");
    check(
        &[
            &format!(r#"POST {MAPS} {{"metadata":{{"name":"a"}}}}"#),
            &patch("merge", r#"{"kind":"Pod"}"#),
            &patch("merge", r#"{"kind":"Nope"}"#),
            &patch("json", r#"[{"op":"replace","path":"/apiVersion","value":"v2"}]"#),
            &patch("merge", r#"{"kind":null}"#),
            &patch("merge", r#"{"apiVersion":null}"#),
            &patch("strategic-merge", r#"{"kind":"Pod"}"#),
            &patch("merge", r#"{"metadata":{"resourceVersion":"x"}}"#),
            &format!(r#"PUT {MAPS}/a {{"metadata":{{"name":"a","resourceVersion":"99999999999999999999"}}}}"#),
            &format!(
                "PATCH {MAPS}/b?fieldManager=m [apply-patch+yaml] {{apiVersion: v1, kind: ConfigMap, metadata: {{uid: x}}}}"
            ),
            &format!(
                "PATCH {MAPS}/b?fieldManager=m [apply-patch+yaml] {{apiVersion: v1, kind: ConfigMap, metadata: {{name: b, resourceVersion: '5'}}}}"
            ),
        ],
        expect![[r#"
            201
            422  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"33787e6b-6f3d-46cb-a58d-600e45ef225a\",\"resourceVersion\":\"4\",\"creationTimestamp\":\"2023-11-14T22:13:20Z\"}}": converting (v1.Pod) to (core.ConfigMap): unknown conversion
            422  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"kind\":\"Nope\",\"metadata\":{\"creationTimestamp\":\"2023-11-14T22:13:20Z\",\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"4\",\"uid\":\"33787e6b-6f3d-46cb-a58d-600e45ef225a\"}}": no kind "Nope" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"
            422  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v2\",\"kind\":\"ConfigMap\",\"metadata\":{\"creationTimestamp\":\"2023-11-14T22:13:20Z\",\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"4\",\"uid\":\"33787e6b-6f3d-46cb-a58d-600e45ef225a\"}}": no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"
            200
            400 the name of the object (a based on URL) was undeterminable: name must be provided
            200
            500 strconv.ParseUint: parsing "x": invalid syntax
            500 strconv.ParseUint: parsing "99999999999999999999": value out of range
            409 Operation cannot be fulfilled on configmaps "b": uid mismatch: the provided object specified uid x, and no existing object was found
            201"#]],
    );
}

#[test]
fn jobs_are_deleted_without_their_pods_only_with_a_warning() {
    const JOBS: &str = "/apis/batch/v1/namespaces/n/jobs";
    const CRON: &str = "/apis/batch/v1/namespaces/n/cronjobs";
    let template = r#"{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"x"}]}}"#;
    let job = format!(r#"{{"metadata":{{"name":"j"}},"spec":{{"template":{template}}}}}"#);
    let cron = format!(
        r#"{{"metadata":{{"name":"c"}},"spec":{{"schedule":"0 0 1 1 *","jobTemplate":{{"spec":{{"template":{template}}}}}}}}}"#
    );
    check(
        &[
            &format!("POST {JOBS} {job}"),
            &format!("DELETE {JOBS}/j"),
            &format!("GET {JOBS}/j"),
            &format!("POST {CRON} {cron}"),
            &format!("DELETE {CRON}/c"),
            &format!("GET {CRON}/c"),
            &format!("DELETE {JOBS}/j?propagationPolicy=Background"),
            &format!("DELETE {JOBS}"),
            &format!("DELETE {JOBS} {{\"kind\":\"DeleteOptions\",\"orphanDependents\":false}}"),
        ],
        expect![[r#"
            201 generation=1
            200 generation=2 deletionTimestamp=2023-11-14T22:13:20Z
                299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"
            200 generation=2 deletionTimestamp=2023-11-14T22:13:20Z
            201 generation=1
            200
            404 cronjobs.batch "c" not found
            200
            200
                299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"
            200"#]],
    );
}

/// Words of requests, good and bad.
const WORDS: &[&str] = &[
    "",
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "n",
    "pods",
    "p",
    "configmaps",
    "status",
    "binding",
    "log",
    "watch",
    "scale",
    "deployments",
    "%zz",
    "..",
    "?",
    "&",
    "=",
    "dryRun",
    "All",
    "limit",
    "-1",
    "continue",
    "labelSelector",
    "a in (",
    "\u{e4}",
    "fieldManager",
    "x",
    "eviction",
    "token",
    "proxy",
    "batch",
    "cronjobs",
];

#[test]
fn whatever_comes_is_answered() {
    let mut api = server();
    let mut rng = Rng::new(7);
    let bodies = [
        POD,
        "{}",
        "null",
        "[]",
        "{\"spec\":{\"containers\":null}}",
        "{\"metadata\":{\"name\":null}}",
        "\u{0}k8s",
        "a: [b",
    ];
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "NOPE"];
    let types = [
        "json",
        "yaml",
        "json-patch+json",
        "merge-patch+json",
        "strategic-merge-patch+json",
        "apply-patch+yaml",
        "nope",
    ];
    let mut pick = |n: usize| usize::try_from(rng.below(n as u64)).unwrap();
    for _ in 0..4_000 {
        let mut path = String::new();
        for _ in 0..1 + pick(8) {
            path.push('/');
            path.push_str(WORDS[pick(WORDS.len())]);
        }
        let mut body = bodies[pick(bodies.len())].as_bytes().to_vec();
        if pick(3) == 0 && !body.is_empty() {
            let at = pick(body.len());
            body[at] = pick(256) as u8;
        }
        let content_type = format!("application/{}", types[pick(types.len())]);
        let request =
            Request::builder().method(methods[pick(methods.len())]).uri(path).header("content-type", content_type);
        let Ok(request) = request.body(body) else { continue };
        let response = api.handle(NOW, request);
        assert!((200..600).contains(&response.status().as_u16()));
        let is_json =
            response.headers().get("content-type").is_some_and(|it| it.as_bytes().starts_with(b"application/json"));
        if let Body::Bytes(bytes) = response.body()
            && is_json
        {
            assert!(json::parse(bytes).is_ok(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}

/// Everything that discovery lists has a route. The cluster itself lets time pass.
#[test]
fn every_verb_that_is_listed_is_answered() {
    let mut api = server();
    let registry = api.registry;
    for it in registry.served() {
        let (group, kind) = (it.group(), it.kind);
        let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        let namespace = if kind.is_namespaced() { "/namespaces/n" } else { "" };
        let path = format!("{root}/{}{namespace}/{}", it.version(), kind.plural);
        let own = kind.verbs.names().iter().map(|verb| ("", *verb));
        let parts = kind.subresources.iter().filter(|it| it.name != "advance");
        let parts = parts.flat_map(|part| part.verbs.iter().map(|verb| (part.name, *verb)));
        for (sub, verb) in own.chain(parts) {
            let (method, suffix, named) = match verb {
                "create" => ("POST", "", !sub.is_empty()),
                "delete" => ("DELETE", "", true),
                "deletecollection" => ("DELETE", "", false),
                "get" => ("GET", "", true),
                "list" => ("GET", "", false),
                "patch" => ("PATCH", "", true),
                "update" => ("PUT", "", true),
                "watch" => ("GET", "?watch=1", false),
                other => panic!("{other} is no verb"),
            };
            let name = match (named, sub) {
                (false, _) => String::new(),
                (true, "") => "/x".to_owned(),
                (true, sub) => format!("/x/{sub}"),
            };
            let line = format!("{method} {path}{name}{suffix} [merge-patch+json] {{}}");
            let line = if method == "PATCH" { line } else { line.replace("[merge-patch+json] ", "") };
            let answer = send(&mut api, &line);
            let is_routed =
                !answer.contains("does not allow this method") && !answer.contains("could not find the requested");
            assert!(is_routed, "{line}: {answer}");
        }
    }
}

#[test]
fn a_long_history_is_kept_for_five_minutes_and_no_longer_than_ten() {
    let mut api = ApiServer::new(Config { seed: 1, log_changes_max: 10_000 });
    let mut compacted = Vec::new();
    for minutes in 0..13 {
        for n in 0..1_000 {
            let meta = Metadata::new("n", format!("{minutes}-{n}"));
            api.store.create(Object { kind: kinds::CONFIG_MAP, meta, body: Map::new() }).unwrap();
        }
        api.let_pass(NOW + Duration::from_secs(60 * minutes));
        compacted.push(api.store.compacted(kinds::CONFIG_MAP).0 / 1_000);
    }
    assert_eq!(compacted, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 6, 6, 6]);
}

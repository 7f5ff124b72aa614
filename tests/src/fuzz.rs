//! Requests made by chance: near enough to valid ones to reach deep, and broken in every way.

use sim::Rng;
use value::{Value, json};

/// A method, and how often it is taken.
const METHODS: &[&str] = &[
    "GET", "GET", "GET", "POST", "POST", "POST", "POST", "PUT", "PUT", "PATCH", "PATCH", "PATCH", "DELETE", "OPTIONS",
];

/// Resources with their paths' beginnings.
const RESOURCES: &[&str] = &[
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/serviceaccounts",
    "/api/v1/namespaces/default/events",
    "/api/v1/namespaces/default/services",
    "/api/v1/pods",
    "/apis/apps/v1/namespaces/default/daemonsets",
    "/apis/apps/v1/namespaces/default/daemonsets",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    "/apis/batch/v1/namespaces/default/jobs",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "/apis/events.k8s.io/v1/namespaces/default/events",
    "/apis/sim.drydock.dev/v1alpha1/machines",
    "/apis/sim.drydock.dev/v1alpha1/machinepools",
    "/apis/sim.drydock.dev/v1alpha1/imagebehaviors",
    "/apis/sim.drydock.dev/v1alpha1/clocks",
    "/apis/sim.drydock.dev/v1alpha1/components",
    "/apis/sim.drydock.dev/v1alpha1/namespaces/default/schedulingdecisions",
    "/apis/sim.drydock.dev/v1alpha1/apirequests",
];

const PLAIN: &[&str] = &[
    "/",
    "/api",
    "/apis",
    "/apis/apps",
    "/api/v1",
    "/apis/apps/v1",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/api/v1",
    "/version",
    "/healthz",
    "/readyz?verbose",
    "/metrics",
    "//",
    "/api/v1/",
    "/apis/%zz",
    "/api/v1/namespaces/%2e%2e/pods",
];

const NAMES: &[&str] = &["a", "web", "node-1", "node-2", "default", "cluster", "A_b", "x.y", "", "%41", "daemonset"];

const SUBS: &[&str] = &[
    "status",
    "scale",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "binding",
    "eviction",
    "finalize",
    "resize",
    "ephemeralcontainers",
    "token",
    "advance",
    "nothing",
    "proxy/a/b",
];

const QUERIES: &[&str] = &[
    "watch=true",
    "watch=1&resourceVersion=1",
    "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    "limit=1",
    "limit=-1",
    "limit=x",
    "continue=abc",
    "resourceVersion=0",
    "resourceVersion=999999",
    "resourceVersion=x",
    "resourceVersion=3&resourceVersionMatch=Exact",
    "labelSelector=app%3Dagent",
    "labelSelector=a+in+(b",
    "labelSelector=!",
    "fieldSelector=metadata.name%3Da",
    "fieldSelector=spec.nodeName%3Dnode-1",
    "fieldSelector=x",
    "dryRun=All",
    "dryRun=x",
    "fieldValidation=Strict",
    "fieldValidation=Warn",
    "fieldManager=me",
    "fieldManager=%00",
    "fieldManager=me&force=true",
    "pretty=true",
    "gracePeriodSeconds=0",
    "gracePeriodSeconds=-5",
    "gracePeriodSeconds=9223372036854775807",
    "timeoutSeconds=9223372036854775807",
    "limit=9223372036854775807",
    "sinceSeconds=9223372036854775807&tailLines=9223372036854775807",
    "propagationPolicy=Foreground",
    "propagationPolicy=Orphan",
    "timeoutSeconds=1",
    "container=agent&tailLines=3&follow=true",
    "command=ls&container=agent",
    "&&==&%",
    "orphanDependents=true",
];

const ACCEPTS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf,application/json",
    "text/html",
    "*/*",
    ";;,=",
    "application/cbor",
];

const TYPES: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
    "",
];

/// Objects, and where they are made.
const OBJECTS: &[(&str, &str)] = &[
    (
        "/apis/apps/v1/namespaces/default/daemonsets",
        r#"{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"web","labels":{"app":"agent"}},"spec":{"selector":{"matchLabels":{"app":"agent"}},"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"50%"}},"template":{"metadata":{"labels":{"app":"agent"}},"spec":{"nodeSelector":{"kubernetes.io/os":"linux"},"tolerations":[{"operator":"Exists"}],"containers":[{"name":"agent","image":"agent:1","resources":{"requests":{"cpu":"100m","memory":"64Mi"}},"ports":[{"containerPort":80,"hostPort":8080}],"env":[{"name":"A","value":"b"}],"livenessProbe":{"httpGet":{"path":"/","port":80}},"volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v","hostPath":{"path":"/v"}}]}}}}"#,
    ),
    (
        "/api/v1/namespaces/default/pods",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","finalizers":["x.io/y"]},"spec":{"priorityClassName":"system-node-critical","terminationGracePeriodSeconds":3,"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1"]}]}]}}},"initContainers":[{"name":"i","image":"busybox","command":["sh","-c","exit 1"]}],"containers":[{"name":"agent","image":"busybox:1.36","command":["sh","-c","echo hi; sleep 5; exit 3"],"resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}"#,
    ),
    (
        "/api/v1/nodes",
        r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-1","labels":{"a":"b"}},"spec":{"unschedulable":true,"taints":[{"key":"a","value":"b","effect":"NoExecute"}]}}"#,
    ),
    (
        "/api/v1/namespaces/default/configmaps",
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a-"},"data":{"a":"b"},"binaryData":{"c":"AAAA"},"immutable":true}"#,
    ),
    (
        "/api/v1/namespaces/default/secrets",
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"type":"kubernetes.io/basic-auth","stringData":{"username":"b"}}"#,
    ),
    (
        "/api/v1/namespaces",
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"web"},"spec":{"finalizers":["kubernetes"]}}"#,
    ),
    (
        "/api/v1/nodes",
        r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"a"},"target":{"kind":"Node","name":"node-2"}}"#,
    ),
    (
        "/api/v1/namespaces/default/pods/a/eviction",
        r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"a"},"deleteOptions":{"gracePeriodSeconds":0}}"#,
    ),
    (
        "/api/v1/namespaces/default/services",
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"agent"},"ports":[{"port":80}],"type":"NodePort"}}"#,
    ),
    (
        "/apis/apps/v1/namespaces/default/deployments",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"w"}},"template":{"metadata":{"labels":{"app":"w"}},"spec":{"containers":[{"name":"w","image":"nginx"}]}}}}"#,
    ),
    (
        "/apis/batch/v1/namespaces/default/jobs",
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"web"},"spec":{"completions":2,"parallelism":2,"backoffLimit":1,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"w","image":"perl","command":["false"]}]}}}}"#,
    ),
    (
        "/apis/batch/v1/namespaces/default/cronjobs",
        r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"web"},"spec":{"schedule":"*/1 * * * *","timeZone":"Etc/UTC","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"OnFailure","containers":[{"name":"w","image":"busybox"}]}}}}}}"#,
    ),
    (
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"a"},"value":1000,"preemptionPolicy":"Never"}"#,
    ),
    (
        "/apis/apps/v1/namespaces/default/statefulsets",
        r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"web"},"spec":{"replicas":2,"serviceName":"web","selector":{"matchLabels":{"app":"s"}},"template":{"metadata":{"labels":{"app":"s"}},"spec":{"terminationGracePeriodSeconds":30,"containers":[{"name":"s","image":"nginx","resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}}}"#,
    ),
    (
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web"},"spec":{"minReplicas":1,"maxReplicas":5,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"StatefulSet","name":"web"},"behavior":{"scaleUp":{"tolerance":"0.1","policies":[{"type":"Percent","value":100,"periodSeconds":15}]},"scaleDown":{"tolerance":"1"}},"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":5}}}]}}"#,
    ),
    (
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        r#"{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"web"},"spec":{"maxUnavailable":"50%","selector":{"matchLabels":{"app":"s"}}}}"#,
    ),
    (
        "/api/v1/namespaces/default/configmaps",
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","generation":5,"finalizers":["x.io/y"]}}"#,
    ),
    (
        "/apis/sim.drydock.dev/v1alpha1/machines",
        r#"{"apiVersion":"sim.drydock.dev/v1alpha1","kind":"Machine","metadata":{"name":"a"},"spec":{"power":"Off","network":"Partitioned","capacity":{"cpu":"2","pods":"3"},"pressure":{"disk":true}}}"#,
    ),
    (
        "/apis/sim.drydock.dev/v1alpha1/machinepools",
        r#"{"apiVersion":"sim.drydock.dev/v1alpha1","kind":"MachinePool","metadata":{"name":"web"},"spec":{"replicas":2,"namePrefix":"m-"}}"#,
    ),
    (
        "/apis/sim.drydock.dev/v1alpha1/imagebehaviors",
        r#"{"apiVersion":"sim.drydock.dev/v1alpha1","kind":"ImageBehavior","metadata":{"name":"a"},"spec":{"image":"*","exit":{"afterSeconds":2,"code":1},"pull":{"error":"no"}}}"#,
    ),
    (
        "/apis/sim.drydock.dev/v1alpha1/components",
        r#"{"apiVersion":"sim.drydock.dev/v1alpha1","kind":"Component","metadata":{"name":"daemonset"},"spec":{"state":"Stopped","delay":3}}"#,
    ),
];

/// Lists whose objects are put back with a number at its edge.
const LIVE: &[&str] = &[
    "/api/v1/configmaps",
    "/api/v1/nodes",
    "/api/v1/pods",
    "/api/v1/services",
    "/apis/apps/v1/controllerrevisions",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/statefulsets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/batch/v1/cronjobs",
    "/apis/batch/v1/jobs",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/sim.drydock.dev/v1alpha1/imagebehaviors",
    "/apis/sim.drydock.dev/v1alpha1/machines",
];

/// Annotations whose numbers somebody reads.
const NUMBERED: &[&str] = &[
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.daemonset.template.generation",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-index-failure-count",
    "controller.kubernetes.io/pod-deletion-cost",
    "sim.drydock.dev/load.cpu",
];

/// Where numbers of 32 and of 64 bits end.
const EDGES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "2147483647",
    "-2147483648",
    "2147483648",
    "4294967295",
    "18446744073709551615",
    "0",
    "-1",
];

/// Bodies that are no objects, or not only that.
const BODIES: &[&str] = &[
    r#"{"apiVersion":"meta.k8s.io/v1","kind":"DeleteOptions","propagationPolicy":"Foreground","preconditions":{"resourceVersion":"1"}}"#,
    r#"[{"op":"replace","path":"/spec/replicas","value":2},{"op":"remove","path":"/metadata/labels/a"},{"op":"test","path":"/kind","value":"x"},{"op":"move","from":"/a","path":"/b"}]"#,
    r#"{"spec":{"template":{"spec":{"containers":[{"name":"agent","image":"agent:2"},{"$patch":"delete","name":"x"}],"$setElementOrder/containers":[{"name":"agent"}]}}}}"#,
    r#"{"metadata":{"finalizers":null,"labels":{"a":null}},"spec":{"taints":[{"$patch":"replace"}],"$retainKeys":["type"]}}"#,
    r#"{"seconds": 30}"#,
    "apiVersion: v1\nkind: Pod\nmetadata: &m\n  name: a\nspec:\n  containers:\n  - {name: agent, image: \"x\"}\nstatus: *m\n",
];

/// What a value or a piece of text is replaced by.
const PIECES: &[&str] = &[
    "null",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999999",
    "1e400",
    "0.1",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "true",
    "[]",
    "{}",
    "[[]]",
    "{\"a\":{}}",
    "\"100%\"",
    "\"-3\"",
    "\"2026-13-40T00:00:00Z\"",
    "\"1Ei\"",
    "\"1e999999999\"",
    "\u{fe0f}",
    ",",
    ":",
    "\"",
    "{",
    "}",
    "]",
    "\\",
    "- ",
    "&a",
    "*a",
    "!!binary ",
    "|",
    "%",
];

fn pick<'a>(rng: &mut Rng, list: &[&'a str]) -> &'a str {
    list[rng.below(list.len() as u64) as usize]
}

/// One request: most fit together and reach deep, the others are put together by chance.
pub fn request(rng: &mut Rng) -> http::Request<Vec<u8>> {
    if rng.below(3) > 0 { fitting(rng) } else { mixed(rng) }
}

/// A request that is broken in one place at most.
fn fitting(rng: &mut Rng) -> http::Request<Vec<u8>> {
    let (place, object) = OBJECTS[rng.below(OBJECTS.len() as u64) as usize];
    let name = object.split("\"name\":\"").nth(1).and_then(|it| it.split('"').next()).unwrap_or("a");
    let one = format!("{place}/{name}");
    let patch_types = [TYPES[3], TYPES[4], TYPES[5]];
    let (method, mut path, kind, body) = match rng.below(9) {
        0..=3 => ("POST", place.to_owned(), TYPES[0], object),
        4 => ("PUT", one, TYPES[0], object),
        5 => ("PATCH", one, pick(rng, &patch_types), object),
        6 => ("PATCH", one, TYPES[2 + rng.below(3) as usize], pick(rng, BODIES)),
        7 => ("DELETE", one, "", ""),
        _ => ("GET", one, "", ""),
    };
    if method == "PUT" && rng.below(3) == 0 {
        path.push_str("/status");
    }
    path.push_str(if kind == TYPES[5] { "?fieldManager=me&force=true" } else { "" });
    let mut body = body.as_bytes().to_vec();
    if rng.below(3) == 0 {
        change(rng, &mut body);
    }
    let builder = http::Request::builder().method(method).uri(path).header("content-type", kind);
    builder.body(body).unwrap_or_else(|_| http::Request::new(Vec::new()))
}

/// A list that says what there is to put back.
pub fn live(rng: &mut Rng) -> &'static str {
    pick(rng, LIVE)
}

/// Puts back one of a list's objects with one of its numbers at an edge; `None` where there is nothing.
pub fn put_back(rng: &mut Rng, path: &str, answer: &[u8]) -> Option<http::Request<Vec<u8>>> {
    let list = json::parse(answer).ok()?;
    let items = list.list_at("items");
    let object = items.get(rng.below(items.len().max(1) as u64) as usize)?;
    let mut body = Vec::new();
    json::write(object, &mut body);
    let edge = if rng.below(2) == 0 { EDGES[0] } else { pick(rng, EDGES) };
    let numbers = numbers(&body);
    match rng.below(4) {
        0 => {
            // Whichever of them the kind knows.
            let mut annotated = object.clone();
            let mut annotations = object.map_at("metadata.annotations").cloned().unwrap_or_default();
            NUMBERED.iter().for_each(|it| annotations.insert(*it, edge));
            annotated.set("metadata.annotations", annotations);
            body.clear();
            json::write(&annotated, &mut body);
        }
        _ => drop(body.splice(numbers.get(rng.below(numbers.len().max(1) as u64) as usize)?.clone(), edge.bytes())),
    }
    let text = |path: &'static str| object.at(path).and_then(Value::as_str);
    let (group, plural) = path.rsplit_once('/')?;
    let namespace = text("metadata.namespace").map_or_else(String::new, |it| format!("namespaces/{it}/"));
    let sub = if rng.below(3) == 0 { "/status" } else { "" };
    let path = format!("{group}/{namespace}{plural}/{}{sub}", text("metadata.name")?);
    http::Request::builder().method("PUT").uri(path).header("content-type", TYPES[0]).body(body).ok()
}

/// Where the numbers of a text are, also those in quotes and before a unit.
fn numbers(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let begins = |idx: &usize| matches!(text[idx - 1], b':' | b'[' | b',' | b'"');
    let is_number = |idx: &usize| text[*idx].is_ascii_digit() || text[*idx] == b'-';
    (1..text.len())
        .filter(|idx| begins(idx) && is_number(idx))
        .map(|idx| idx..idx + 1 + text[idx + 1..].iter().take_while(|it| it.is_ascii_digit()).count())
        .collect()
}

fn mixed(rng: &mut Rng) -> http::Request<Vec<u8>> {
    let path = path(rng);
    let mut builder = http::Request::builder().method(pick(rng, METHODS)).uri(path);
    builder = builder.header("accept", pick(rng, ACCEPTS)).header("content-type", pick(rng, TYPES));
    if rng.below(4) == 0 {
        builder = builder.header("user-agent", "kubectl/v1.36.4 (linux/amd64) kubernetes/abc");
    }
    let body = body(rng);
    builder.body(body).unwrap_or_else(|_| http::Request::new(Vec::new()))
}

fn path(rng: &mut Rng) -> String {
    let mut path = match rng.below(10) {
        0 => pick(rng, PLAIN).to_owned(),
        _ => pick(rng, RESOURCES).to_owned(),
    };
    if rng.below(3) > 0 && !path.contains('?') {
        path.push('/');
        path.push_str(pick(rng, NAMES));
        if rng.below(3) == 0 {
            path.push('/');
            path.push_str(pick(rng, SUBS));
        }
    }
    if rng.below(2) == 0 {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(pick(rng, QUERIES));
    }
    path
}

fn body(rng: &mut Rng) -> Vec<u8> {
    let mut body = match rng.below(12) {
        0 => Vec::new(),
        1 => "[".repeat(rng.below(5_000) as usize).into_bytes(),
        2 => (0..rng.below(64)).map(|_| rng.next_u64() as u8).collect(),
        3 => pick(rng, BODIES).as_bytes().to_vec(),
        _ => OBJECTS[rng.below(OBJECTS.len() as u64) as usize].1.as_bytes().to_vec(),
    };
    // Half of the bodies stay whole: the engine behind the decoder wants its share.
    if rng.below(2) == 0 {
        for _ in 0..=rng.below(4) {
            change(rng, &mut body);
        }
    }
    body
}

fn change(rng: &mut Rng, body: &mut Vec<u8>) {
    if body.is_empty() {
        return;
    }
    let at = rng.below(body.len() as u64) as usize;
    let end = (at + rng.below(24) as usize).min(body.len());
    match rng.below(5) {
        0 => body[at] = rng.next_u64() as u8,
        1 => body.truncate(at),
        2 => drop(body.drain(at..end)),
        3 => {
            let copy = body[at..end].to_vec();
            body.splice(at..at, copy);
        }
        _ => replace_value(rng, body, at),
    }
}

/// Puts a piece in the place of the value that follows the next colon.
fn replace_value(rng: &mut Rng, body: &mut Vec<u8>, at: usize) {
    let Some(colon) = body[at..].iter().position(|it| *it == b':') else { return };
    let start = at + colon + 1;
    let end = body[start..].iter().position(|it| matches!(it, b',' | b'}' | b'\n')).map_or(body.len(), |it| start + it);
    body.splice(start..end, pick(rng, PIECES).bytes());
}

/// The request for a person to repeat.
pub fn shown(request: &http::Request<Vec<u8>>) -> String {
    let body = String::from_utf8_lossy(request.body());
    let short: String = body.chars().take(2_000).collect();
    format!("{} {} {:?} {short}", request.method(), request.uri(), request.headers())
}

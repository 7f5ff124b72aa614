//! Pods, and what pods and pod templates have in common.

use value::quantity::Quantity;
use value::{Value, json};

use super::page::{Page, amounts, text};
use super::{Subject, selector_or_none};
use crate::failure::Result;
use crate::manifest::strings;
use crate::order;
use crate::{Cx, age, go};
use meta::quoted;

pub(super) fn pod(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let pod = it.object;
    page.rows(
        0,
        pod,
        "Name=metadata.name\nNamespace=metadata.namespace\n?Priority=spec.priority\n?Priority Class Name=spec.priorityClassName\n\
         ?Runtime Class Name=spec.runtimeClassName\n?Service Account=spec.serviceAccountName",
    );
    match text(pod, "spec.nodeName") {
        "" => page.line("Node:\t<none>"),
        node => page.line(&format!("Node:\t{node}/{}", text(pod, "status.hostIP"))),
    }
    page.rows(0, pod, "?Start Time=status.startTime|time\n@labels\n@annotations");
    let phase = text(pod, "status.phase");
    match pod.str_at("metadata.deletionTimestamp") {
        Some(at) if !matches!(phase, "Failed" | "Succeeded") => {
            page.line(&format!("Status:\tTerminating (lasts {})", age::since(Some(at), it.now)));
            page.rows(0, pod, "Termination Grace Period=metadata.deletionGracePeriodSeconds|s");
        }
        _ => page.line(&format!("Status:\t{phase}")),
    }
    page.rows(
        0,
        pod,
        "?Reason=status.reason\n?Message=status.message\n?SeccompProfile=spec.securityContext.seccompProfile.type\n\
         ?LocalhostProfile=spec.securityContext.seccompProfile.localhostProfile\nIP=status.podIP",
    );
    match pod.list_at("status.podIPs") {
        [] => page.line("IPs:\t<none>"),
        ips => {
            page.line("IPs:");
            ips.iter().for_each(|it| page.at(1, &format!("IP:\t{}", text(it, "ip"))));
        }
    }
    page.rows(0, pod, "@owner\n?NominatedNodeName=status.nominatedNodeName");
    if let Some(resources) = pod.at("spec.resources") {
        page.line("Resources:");
        limits(page, 1, resources);
    }
    for (label, field, statuses) in [
        ("Init Containers", "spec.initContainers", "status.initContainerStatuses"),
        ("Containers", "spec.containers", "status.containerStatuses"),
        ("Ephemeral Containers", "spec.ephemeralContainers", "status.ephemeralContainerStatuses"),
    ] {
        if label == "Containers" || !pod.list_at(field).is_empty() {
            containers(page, label, pod.list_at(field), pod.list_at(statuses), Some(pod), "");
        }
    }
    gates(page, pod);
    volumes(page, pod.list_at("spec.volumes"), "");
    page.rows(0, pod, "QoS Class=status.qosClass");
    page.labels("Node-Selectors", &pod.map_at("spec.nodeSelector").cloned().unwrap_or_default());
    tolerations(page, "Tolerations", pod.list_at("spec.tolerations"));
    spread(page, pod.list_at("spec.topologySpreadConstraints"), "");
    Ok(())
}

fn gates(page: &mut Page, pod: &Value) {
    let conditions = pod.list_at("status.conditions");
    let gates = pod.list_at("spec.readinessGates");
    if !gates.is_empty() {
        page.line("Readiness Gates:\n  Type\tStatus");
        for gate in gates {
            let name = text(gate, "conditionType");
            let found = conditions.iter().find(|it| text(it, "type") == name);
            let status = found.map_or("<none>", |it| text(it, "status"));
            page.at(1, &format!("{name} \t{status} "));
        }
    }
    if !conditions.is_empty() {
        page.line("Conditions:\n  Type\tStatus");
        conditions.iter().for_each(|it| page.at(1, &format!("{} \t{} ", text(it, "type"), text(it, "status"))));
    }
}

/// A pod template below its title.
pub(super) fn template(page: &mut Page, template: &Value) {
    page.line("Pod Template:");
    page.labels("  Labels", &strings(template, "labels"));
    let annotations = strings(template, "annotations");
    if !annotations.is_empty() {
        page.annotations("  Annotations", &annotations);
    }
    page.rows(1, template, "?Service Account=spec.serviceAccountName");
    let init = template.list_at("spec.initContainers");
    if !init.is_empty() {
        containers(page, "Init Containers", init, &[], None, "  ");
    }
    containers(page, "Containers", template.list_at("spec.containers"), &[], None, "  ");
    volumes(page, template.list_at("spec.volumes"), "  ");
    spread(page, template.list_at("spec.topologySpreadConstraints"), "  ");
    page.rows(1, template, "?Priority Class Name=spec.priorityClassName");
    page.labels("  Node-Selectors", &template.map_at("spec.nodeSelector").cloned().unwrap_or_default());
    tolerations(page, "  Tolerations", template.list_at("spec.tolerations"));
}

fn containers(page: &mut Page, label: &str, list: &[Value], statuses: &[Value], pod: Option<&Value>, space: &str) {
    let none = if list.is_empty() { " <none>" } else { "" };
    page.line(&format!("{space}{label}:{none}"));
    for container in list {
        let name = text(container, "name");
        let status = statuses.iter().find(|it| text(it, "name") == name);
        let indent = if space.is_empty() { "" } else { " " };
        page.at(1, &format!("{indent}{name}:"));
        if let Some(status) = status {
            page.rows(2, status, "Container ID=containerID");
        }
        page.rows(2, container, "Image=image");
        if let Some(status) = status {
            page.rows(2, status, "Image ID=imageID");
        }
        for (label, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
            ports(page, label, container.list_at("ports"), field);
        }
        page.rows(2, container, "?SeccompProfile=securityContext.seccompProfile.type");
        page.rows(3, container, "?LocalhostProfile=securityContext.seccompProfile.localhostProfile");
        words(page, "Command", container.list_at("command"));
        words(page, "Args", container.list_at("args"));
        if let Some(status) = status {
            state(page, "State", status.get("state"));
            if status.at("lastState.terminated").is_some() {
                state(page, "Last State", status.get("lastState"));
            }
            page.rows(2, status, "Ready=ready|bool!False\nRestart Count=restartCount!0");
        }
        if let Some(resources) = container.get("resources") {
            limits(page, 2, resources);
        }
        for (label, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if let Some(it) = container.get(field) {
                page.at(2, &format!("{label}:\t{}", probe(it)));
            }
        }
        environment(page, container, pod);
        mounts(page, container);
    }
}

fn ports(page: &mut Page, label: &str, ports: &[Value], field: &'static str) {
    let shown: Vec<String> = ports
        .iter()
        .map(|it| {
            let port = format!("{}/{}", it.i64_at(field).unwrap_or(0), it.str_at("protocol").unwrap_or("TCP"));
            match text(it, "name") {
                "" => port,
                name => format!("{port} ({name})"),
            }
        })
        .collect();
    match shown.as_slice() {
        [] => page.at(2, &format!("{label}:\t<none>")),
        [one] => page.at(2, &format!("{label}:\t{one}")),
        many => page.at(2, &format!("{label}s:\t{}", many.join(", "))),
    }
}

fn words(page: &mut Page, label: &str, words: &[Value]) {
    if words.is_empty() {
        return;
    }
    page.at(2, &format!("{label}:"));
    for word in words.iter().filter_map(Value::as_str) {
        word.split('\n').for_each(|it| page.at(3, it));
    }
}

/// Limits and requests.
pub(super) fn limits(page: &mut Page, level: usize, resources: &Value) {
    for (label, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = amounts(resources.at(field));
        if !amounts.is_empty() {
            page.at(level, &format!("{label}:"));
            amounts.iter().for_each(|(name, amount)| page.at(level + 1, &format!("{name}:\t{amount}")));
        }
    }
}

fn state(page: &mut Page, label: &str, state: Option<&Value>) {
    let state = state.cloned().unwrap_or_default();
    if let Some(running) = state.get("running") {
        page.at(2, &format!("{label}:\tRunning"));
        page.rows(3, running, "Started=startedAt|time");
    } else if let Some(terminated) = state.get("terminated") {
        page.at(2, &format!("{label}:\tTerminated"));
        page.rows(3, terminated, "?Reason=reason\n?Message=message\nExit Code=exitCode!0");
        if terminated.i64_at("signal").unwrap_or(0) > 0 {
            page.rows(3, terminated, "Signal=signal");
        }
        let times = "Started=startedAt|time!Mon, 01 Jan 0001 00:00:00 +0000\n\
                     Finished=finishedAt|time!Mon, 01 Jan 0001 00:00:00 +0000";
        page.rows(3, terminated, times);
    } else {
        page.at(2, &format!("{label}:\tWaiting"));
        if let Some(waiting) = state.get("waiting") {
            page.rows(3, waiting, "?Reason=reason");
        }
    }
}

fn probe(probe: &Value) -> String {
    let int = |field: &'static str, default: i64| probe.i64_at(field).unwrap_or(default);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        int("initialDelaySeconds", 0),
        int("timeoutSeconds", 0),
        int("periodSeconds", 0),
        int("successThreshold", 0),
        int("failureThreshold", 0)
    );
    let port = |it: &Value| it.get("port").map_or_else(String::new, go::show);
    if let Some(it) = probe.get("exec") {
        let command = it.get("command").map_or("[]".to_owned(), go::show);
        return format!("exec {command} {attributes}");
    }
    if let Some(it) = probe.get("httpGet") {
        let scheme = text(it, "scheme").to_lowercase();
        let path = text(it, "path");
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        return format!(
            "http-get {scheme}://{}:{}{slash}{} {attributes}",
            text(it, "host"),
            port(it),
            path.replace(' ', "%20")
        );
    }
    if let Some(it) = probe.get("tcpSocket") {
        return format!("tcp-socket {}:{} {attributes}", text(it, "host"), port(it));
    }
    if let Some(it) = probe.get("grpc") {
        return format!("grpc <pod>:{} {} {attributes}", port(it), text(it, "service"));
    }
    format!("unknown {attributes}")
}

fn environment(page: &mut Page, container: &Value, pod: Option<&Value>) {
    let from = container.list_at("envFrom");
    if !from.is_empty() {
        page.at(2, "Environment Variables from:");
        for it in from {
            let (kind, source) = match it.get("configMapRef") {
                Some(source) => ("ConfigMap", Some(source)),
                None => ("Secret", it.get("secretRef")),
            };
            let name = source.map_or("", |it| text(it, "name"));
            let optional = source.and_then(|it| it.bool_at("optional")).unwrap_or(false);
            let prefix = match text(it, "prefix") {
                "" => String::new(),
                prefix => format!(" with prefix '{prefix}'"),
            };
            page.at(3, &format!("{name}\t{kind}{prefix}\tOptional: {optional}"));
        }
    }
    let env = container.list_at("env");
    page.at(2, if env.is_empty() { "Environment:\t<none>" } else { "Environment:" });
    for it in env {
        let name = text(it, "name");
        let Some(from) = it.get("valueFrom") else {
            for (idx, line) in text(it, "value").split('\n').enumerate() {
                let label = if idx == 0 { format!("{name}:") } else { String::new() };
                page.at(3, &format!("{label}\t{line}"));
            }
            continue;
        };
        let optional = |field: &str| from.get(field).and_then(|it| it.bool_at("optional")).unwrap_or(false);
        let part = |path: &'static str| text(from, path);
        if from.get("fieldRef").is_some() {
            let path = part("fieldRef.fieldPath");
            let version = from.str_at("fieldRef.apiVersion").unwrap_or("v1");
            page.at(3, &format!("{name}:\t{} ({version}:{path})", pod.map_or(String::new(), |it| pod_field(it, path))));
        } else if from.get("resourceFieldRef").is_some() {
            let resource = part("resourceFieldRef.resource");
            let mut value = container_resource(container, resource, from.at("resourceFieldRef.divisor"));
            if value == "0" && matches!(resource, "limits.cpu" | "limits.memory") {
                value = "node allocatable".into();
            }
            page.at(3, &format!("{name}:\t{value} ({resource})"));
        } else if from.get("secretKeyRef").is_some() {
            let (key, source) = (part("secretKeyRef.key"), part("secretKeyRef.name"));
            let optional = optional("secretKeyRef");
            page.at(3, &format!("{name}:\t<set to the key '{key}' in secret '{source}'>\tOptional: {optional}"));
        } else if from.get("configMapKeyRef").is_some() {
            let (key, source) = (part("configMapKeyRef.key"), part("configMapKeyRef.name"));
            let optional = optional("configMapKeyRef");
            page.at(3, &format!("{name}:\t<set to the key '{key}' of config map '{source}'>\tOptional: {optional}"));
        }
    }
}

/// What a field path of the downward API gives, as far as kubectl resolves it.
fn pod_field(pod: &Value, path: &str) -> String {
    let at = |path: &str| pod.as_map()?.at_any(path);
    if let Some((field, key)) = path.strip_suffix("']").and_then(|it| it.split_once("['")) {
        return at(field).and_then(|it| it.get(key)?.as_str()).unwrap_or_default().to_owned();
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            at(path).and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        "metadata.labels" | "metadata.annotations" => {
            let map = at(path).and_then(Value::as_map).cloned().unwrap_or_default();
            let lines: Vec<String> =
                map.iter().map(|(key, it)| format!("{key}={}", quoted(it.as_str().unwrap_or_default()))).collect();
            lines.join("\n")
        }
        _ => String::new(),
    }
}

fn container_resource(container: &Value, resource: &str, divisor: Option<&Value>) -> String {
    let (field, name) = resource.split_once('.').unwrap_or_default();
    let amounts = amounts(container.at("resources").and_then(|it| it.get(field)));
    let amount = amounts.into_iter().find(|(have, _)| have == name).map_or(Quantity::from_int(0), |(_, it)| it);
    let divisor = divisor.and_then(|it| Quantity::parse(&go::show(it)).ok()).filter(|it| !it.is_zero());
    let divisor = divisor.unwrap_or(Quantity::from_int(1));
    let (amount, divisor) = match name {
        "cpu" => (amount.milli_value(), divisor.milli_value()),
        _ => (amount.value(), divisor.value()),
    };
    let up = if amount % divisor.max(1) > 0 { 1 } else { 0 };
    (amount / divisor.max(1) + up).to_string()
}

fn mounts(page: &mut Page, container: &Value) {
    let mut mounts = container.list_at("volumeMounts").to_vec();
    page.at(2, if mounts.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    order::by(&mut mounts, &mut |a, b| text(a, "mountPath").cmp(text(b, "mountPath")));
    for mount in &mounts {
        let mode = if mount.bool_at("readOnly") == Some(true) { "ro" } else { "rw" };
        let path = match text(mount, "subPath") {
            "" => String::new(),
            path => format!(",path={}", quoted(path)),
        };
        page.at(3, &format!("{} from {} ({mode}{path})", text(mount, "mountPath"), text(mount, "name")));
    }
    let devices = container.list_at("volumeDevices");
    if !devices.is_empty() {
        page.at(2, if mounts.is_empty() { "Devices:\t<none>" } else { "Devices:" });
        devices.iter().for_each(|it| page.at(3, &format!("{} from {}", text(it, "devicePath"), text(it, "name"))));
    }
}

/// What each source of a volume is, and its rows.
pub(super) const SOURCES: &[(&str, &str, &str)] = &[
    ("hostPath", "HostPath (bare host directory volume)", "Path=path\nHostPathType=type|given!<none>"),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        "Medium=medium\nSizeLimit=sizeLimit!<unset>",
    ),
    ("secret", "Secret (a volume populated by a Secret)", "SecretName=secretName\nOptional=optional!false"),
    ("configMap", "ConfigMap (a volume populated by a ConfigMap)", "Name=name\nOptional=optional!false"),
    ("nfs", "NFS (an NFS mount that lasts the lifetime of a pod)", "Server=server\nPath=path\nReadOnly=readOnly!false"),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        "ClaimName=claimName\nReadOnly=readOnly!false",
    ),
    ("projected", "Projected (a volume that contains injected data from multiple sources)", ""),
    ("downwardAPI", "DownwardAPI (a volume populated by information about the pod)", "Items:"),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        "Driver=driver\nFSType=fsType\nReadOnly=readOnly!false\n?VolumeHandle=volumeHandle",
    ),
    ("local", "LocalVolume (a persistent volume backed by local storage on a node)", "Path=path"),
    ("image", "Image (a container image or OCI artifact)", "Reference=reference\nPullPolicy=pullPolicy"),
    (
        "ephemeral",
        "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
        "",
    ),
];

/// The source of a volume below its name.
pub(super) fn source(page: &mut Page, volume: &Value) {
    let Some((field, kind, rows)) = SOURCES.iter().find(|(field, ..)| volume.get(field).is_some()) else {
        page.at(1, "<unknown>");
        return;
    };
    let source = volume.get(field).cloned().unwrap_or_default();
    page.at(2, &format!("Type:\t{kind}"));
    page.rows(2, &source, rows);
    for it in source.list_at("sources") {
        if let Some(secret) = it.get("secret") {
            page.rows(2, secret, "SecretName=name\nOptional=optional!false");
        } else if it.get("downwardAPI").is_some() {
            page.at(2, "DownwardAPI:\ttrue");
        } else if let Some(map) = it.get("configMap") {
            page.rows(2, map, "ConfigMapName=name\nOptional=optional!false");
        } else if let Some(token) = it.get("serviceAccountToken") {
            page.rows(2, token, "TokenExpirationSeconds=expirationSeconds");
        }
    }
    if *field == "downwardAPI" {
        for it in source.list_at("items") {
            let from =
                it.str_at("fieldRef.fieldPath").or_else(|| it.str_at("resourceFieldRef.resource")).unwrap_or_default();
            page.at(3, &format!("{from} -> {}", text(it, "path")));
        }
    }
    if let Some(template) = source.get("volumeClaimTemplate") {
        super::storage::claim_rows(page, template, 2);
    }
}

fn volumes(page: &mut Page, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        page.line(&format!("{space}Volumes:\t<none>"));
        return;
    }
    page.line(&format!("{space}Volumes:"));
    for volume in volumes {
        let indent = if space.is_empty() { "" } else { " " };
        page.at(1, &format!("{indent}{}:", text(volume, "name")));
        source(page, volume);
    }
}

pub(super) fn tolerations(page: &mut Page, title: &str, tolerations: &[Value]) {
    let mut list = tolerations.to_vec();
    order::by(&mut list, &mut |a, b| text(a, "key").cmp(text(b, "key")));
    let lines: Vec<String> = list
        .iter()
        .map(|it| {
            let (key, value, effect) = (text(it, "key"), text(it, "value"), text(it, "effect"));
            let mut out = key.to_owned();
            if !value.is_empty() {
                out.push_str(&format!("={value}"));
            }
            if !effect.is_empty() {
                out.push_str(&format!(":{effect}"));
            }
            if text(it, "operator") == "Exists" && value.is_empty() {
                out.push_str(if key.is_empty() && effect.is_empty() { "op=Exists" } else { " op=Exists" });
            }
            if let Some(seconds) = it.i64_at("tolerationSeconds") {
                out.push_str(&format!(" for {seconds}s"));
            }
            out
        })
        .collect();
    match lines.is_empty() {
        true => page.line(&format!("{title}:\t<none>")),
        false => page.column(title, &lines),
    }
}

fn spread(page: &mut Page, constraints: &[Value], space: &str) {
    let mut list = constraints.to_vec();
    order::by(&mut list, &mut |a, b| text(a, "topologyKey").cmp(text(b, "topologyKey")));
    let lines: Vec<String> = list
        .iter()
        .map(|it| {
            let selector = match it.get("labelSelector") {
                Some(selector) => format!(" for selector {}", selector_or_none(Some(selector))),
                None => String::new(),
            };
            let skew = it.get("maxSkew").map_or("0".to_owned(), json::to_string);
            format!(
                "{}:{} when max skew {skew} is exceeded{selector}",
                text(it, "topologyKey"),
                text(it, "whenUnsatisfiable")
            )
        })
        .collect();
    if !lines.is_empty() {
        page.column(&format!("{space}Topology Spread Constraints"), &lines);
    }
}

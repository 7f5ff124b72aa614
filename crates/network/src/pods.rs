//! Pods as places of the network: their addresses, and who in them listens on a port.

use std::net::IpAddr;
use std::sync::Arc;

use kinds::POD;
use meta::Object;
use runtime::View;
use value::Value;

/// Ports on which well-known images listen, for manifests that do not say it.
const KNOWN: [(&str, u16); 14] = [
    ("caddy", 80),
    ("echoserver", 8080),
    ("elasticsearch", 9200),
    ("hello-app", 8080),
    ("httpd", 80),
    ("memcached", 11211),
    ("mongo", 27017),
    ("mysql", 3306),
    ("nginx", 80),
    ("nginx-unprivileged", 8080),
    ("postgres", 5432),
    ("rabbitmq", 5672),
    ("redis", 6379),
    ("whoami", 80),
];

/// Whether somebody in a pod takes connections to a port.
pub(crate) enum Listening {
    /// The container of this name, and why it is known to.
    Yes(String, String),
    /// Nobody does, and why.
    No(String),
}

pub(crate) fn ips(pod: &Object) -> impl Iterator<Item = IpAddr> {
    let main = pod.str_at("status.podIP").into_iter();
    main.chain(pod.list_at("status.podIPs").iter().filter_map(|it| it.str_at("ip"))).filter_map(|it| it.parse().ok())
}

pub(crate) fn is_host_network(pod: &Object) -> bool {
    pod.bool_at("spec.hostNetwork") == Some(true)
}

pub(crate) fn is_over(pod: &Object) -> bool {
    matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed"))
}

pub(crate) fn node_of(pod: &Object) -> &str {
    pod.str_at("spec.nodeName").unwrap_or("")
}

/// The pod that has an address of its own.
pub(crate) fn at<'a>(view: &View<'a>, ip: IpAddr) -> Option<&'a Arc<Object>> {
    view.list(POD, None).find(|it| !is_over(it) && !is_host_network(it) && ips(it).any(|it| it == ip))
}

/// Containers that run beside each other: the main ones and sidecars.
fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    let sidecars = pod.list_at("spec.initContainers").iter().filter(|it| it.str_at("restartPolicy") == Some("Always"));
    pod.list_at("spec.containers").iter().chain(sidecars)
}

/// The number of a port that a container calls so.
pub(crate) fn port_named(pod: &Object, name: &str, protocol: &str) -> Option<u16> {
    let ports = containers(pod).flat_map(|it| it.list_at("ports"));
    let port = ports
        .filter(|it| it.str_at("protocol").unwrap_or("TCP") == protocol)
        .find(|it| it.str_at("name") == Some(name))?;
    port.i64_at("containerPort").and_then(|it| u16::try_from(it).ok())
}

/// The port inside that a port of the node leads to, for pods with a `hostPort`.
pub(crate) fn behind_host_port(pod: &Object, ip: IpAddr, port: u16) -> Option<u16> {
    let ports = containers(pod).flat_map(|it| it.list_at("ports"));
    let is_it = |it: &&Value| {
        it.i64_at("hostPort") == Some(port.into())
            && it.str_at("protocol").unwrap_or("TCP") == "TCP"
            && it.str_at("hostIP").is_none_or(|it| matches!(it, "" | "0.0.0.0" | "::") || it.parse() == Ok(ip))
    };
    let found = ports.into_iter().find(is_it)?;
    found.i64_at("containerPort").and_then(|it| u16::try_from(it).ok())
}

/// Who in the pod listens on a TCP port.
pub(crate) fn listening(pod: &Object, port: u16) -> Listening {
    let mut silent = Vec::new();
    let mut declared_by_others = false;
    for container in containers(pod) {
        let name = container.str_at("name").unwrap_or("");
        let Some(why) = listens(container, port) else {
            declared_by_others |= !declared(container).is_empty();
            continue;
        };
        match state(pod, name) {
            "running" => return Listening::Yes(name.to_owned(), why),
            state => silent.push(format!("container {name} would, but is {state}")),
        }
    }
    if let Some(first) = silent.into_iter().next() {
        return Listening::No(first);
    }
    let ports: Vec<String> = containers(pod).flat_map(declared).map(|it| it.to_string()).collect();
    Listening::No(if declared_by_others {
        format!("its containers listen on {}", ports.join(", "))
    } else {
        "what its containers run takes no connections".to_owned()
    })
}

/// Why a container listens on a port, if it does.
fn listens(container: &Value, port: u16) -> Option<String> {
    let ports = declared(container);
    if ports.contains(&port) {
        return Some(format!("declares port {port}"));
    }
    if !ports.is_empty() || runs_script(container) {
        return None;
    }
    let image = container.str_at("image").unwrap_or("");
    match known_port(image) {
        Some(known) if known == port => Some(format!("runs {image}, which listens on {known}")),
        Some(_) => None,
        None => Some(format!("declares no ports, so it is taken to listen on {port}")),
    }
}

/// Ports that a container says it has, or that its probes ask.
fn declared(container: &Value) -> Vec<u16> {
    let listed = container.list_at("ports").iter();
    let mut ports: Vec<u16> = listed
        .filter(|it| it.str_at("protocol").unwrap_or("TCP") == "TCP")
        .filter_map(|it| u16::try_from(it.i64_at("containerPort")?).ok())
        .collect();
    // A probe of a well-known image that runs as it comes may well ask the wrong port.
    let image = container.str_at("image").unwrap_or("");
    let runs_its_own = container.list_at("command").is_empty() && container.list_at("args").is_empty();
    if runs_its_own && known_port(image).is_some() {
        return ports;
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        for action in ["httpGet", "tcpSocket"] {
            let port = container.get(probe).and_then(|it| it.get(action)).and_then(|it| it.i64_at("port"));
            ports.extend(port.and_then(|it| u16::try_from(it).ok()).filter(|it| !ports.contains(it)));
        }
    }
    ports
}

/// Whether a container runs a shell or a command that serves nobody.
fn runs_script(container: &Value) -> bool {
    let first = container.list_at("command").iter().chain(container.list_at("args")).find_map(Value::as_str);
    let command = first.map(|it| it.rsplit('/').next().unwrap_or(it));
    match command {
        Some(it) => matches!(it, "sh" | "bash" | "ash" | "dash" | "sleep" | "tail" | "cat" | "echo" | "date" | "true"),
        None => matches!(image_name(container.str_at("image").unwrap_or("")), "busybox" | "alpine" | "pause"),
    }
}

fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split(':').next().unwrap_or(last)
}

fn known_port(image: &str) -> Option<u16> {
    let name = image_name(image);
    KNOWN.iter().find(|(it, _)| *it == name).map(|(_, port)| *port)
}

/// `running`, `terminated`, `waiting` or `not started`.
fn state(pod: &Object, container: &str) -> &'static str {
    let lists = ["status.containerStatuses", "status.initContainerStatuses"];
    let status = lists.iter().flat_map(|it| pod.list_at(it)).find(|it| it.str_at("name") == Some(container));
    let states = ["running", "terminated", "waiting"];
    let state =
        status.and_then(|it| states.into_iter().find(|name| it.get("state").is_some_and(|it| it.get(name).is_some())));
    state.unwrap_or("not started")
}

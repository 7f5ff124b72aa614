//! What the levels of pod security forbid (`k8s.io/pod-security-admission/policy`).

use std::collections::BTreeSet;

use meta::quoted;
use value::{Map, Value};

use super::Level;

/// What is looked at: a pod, or the template of one.
pub(super) struct Pod<'a> {
    pub annotations: &'a Map,
    pub spec: &'a Map,
}

/// Why a pod is forbidden, and what of it.
pub(super) struct Finding {
    pub reason: String,
    pub detail: String,
}

/// The minor version of the policy decides what a check minds.
type Run = fn(&Pod<'_>, u32) -> Option<Finding>;

struct Check {
    level: Level,
    /// The first minor version that has the check.
    since: u32,
    /// From this version on, the restricted level has a stricter check instead.
    replaced: u32,
    run: Run,
}

const NEVER: u32 = u32::MAX;

const fn baseline(since: u32, replaced: u32, run: Run) -> Check {
    Check { level: Level::Baseline, since, replaced, run }
}

const fn restricted(since: u32, run: Run) -> Check {
    Check { level: Level::Restricted, since, replaced: NEVER, run }
}

/// In the order in which they are told: by level, then by upstream's names of them.
const CHECKS: &[Check] = &[
    baseline(0, NEVER, app_armor),
    baseline(0, 22, default_capabilities),
    baseline(0, NEVER, host_namespaces),
    baseline(0, 0, host_paths),
    baseline(0, NEVER, host_ports),
    baseline(34, NEVER, hosts_of_probes),
    baseline(0, NEVER, privileged),
    baseline(0, 35, |pod, minor| if minor >= 35 && in_user_namespace(pod) { None } else { proc_mount(pod, minor) }),
    baseline(0, NEVER, se_linux),
    baseline(0, 19, seccomp_baseline),
    baseline(0, NEVER, sysctls),
    baseline(0, NEVER, host_process),
    restricted(8, privilege_escalation),
    restricted(22, dropped_capabilities),
    restricted(35, proc_mount),
    restricted(0, volume_types),
    restricted(0, non_root),
    restricted(23, root),
    restricted(19, seccomp_restricted),
];

/// Everything that a level of a version forbids of a pod.
pub(super) fn findings(pod: &Pod<'_>, level: Level, minor: u32) -> Vec<Finding> {
    let applies =
        |it: &&Check| level >= it.level && minor >= it.since && !(level == Level::Restricted && minor >= it.replaced);
    CHECKS.iter().filter(applies).filter_map(|it| (it.run)(pod, minor)).collect()
}

impl<'a> Pod<'a> {
    /// Names and bodies, in the order in which they are visited.
    fn containers(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(move |key| list(spec.get(key)))
            .map(|it| (it.str_at("name").unwrap_or_default(), it))
    }

    /// The containers of which something is bad.
    fn bad(&self, mut is_bad: impl FnMut(&'a Value) -> bool) -> Vec<&'a str> {
        self.containers().filter(|(_, it)| is_bad(it)).map(|(name, _)| name).collect()
    }

    /// A value of the security context of the pod itself.
    fn at(&self, path: &'static str) -> Option<&'a Value> {
        self.spec.get("securityContext")?.at(path)
    }

    fn flag(&self, key: &str) -> bool {
        self.spec.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn is_windows(&self) -> bool {
        self.spec.get("os").and_then(|it| it.str_at("name")) == Some("windows")
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_list).map_or(&[], |it| it)
}

/// A value of a container's security context.
fn context<'a>(container: &'a Value, path: &'static str) -> Option<&'a Value> {
    container.get("securityContext")?.at(path)
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

/// Spares pods with users of their own.
fn in_user_namespace(pod: &Pod<'_>) -> bool {
    pod.spec.get("hostUsers").and_then(Value::as_bool) == Some(false)
}

fn plural<'a>(one: &'a str, many: &'a str, n: usize) -> &'a str {
    if n == 1 { one } else { many }
}

fn join<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|it| format!("\"{}\"", it.as_ref())).collect();
    quoted.join(", ")
}

/// `containers "a", "b"`
fn named(containers: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", containers.len()), join(containers))
}

/// `pod and container "c"`
fn setters(pod: bool, containers: &[&str]) -> Vec<String> {
    let mut res: Vec<String> = pod.then(|| "pod".to_owned()).into_iter().collect();
    if !containers.is_empty() {
        res.push(named(containers));
    }
    res
}

fn finding(reason: &str, detail: String) -> Option<Finding> {
    Some(Finding { reason: reason.to_owned(), detail })
}

/// Where anybody set something forbidden: they must not.
fn must_not(reason: &str, setters: &[String], what: &str) -> Option<Finding> {
    if setters.is_empty() { None } else { finding(reason, format!("{} must not {what}", setters.join(" and "))) }
}

/// Whether a profile of AppArmor or seccomp is of a type that may not be; notes which.
fn is_bad_profile(profile: Option<&Value>, bad: &mut BTreeSet<String>) -> bool {
    let Some(profile) = profile else { return false };
    let kind = profile.str_at("type").unwrap_or_default();
    let is_bad = !matches!(kind, "RuntimeDefault" | "Localhost");
    if is_bad {
        bad.insert(kind.to_owned());
    }
    is_bad
}

fn app_armor(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    let mut values = BTreeSet::new();
    let mut is_bad = |it: Option<&Value>| is_bad_profile(it, &mut values);
    let of_pod = is_bad(pod.at("appArmorProfile"));
    let containers = pod.bad(|it| is_bad(context(it, "appArmorProfile")));
    let mut setters = setters(of_pod, &containers);
    let mut values: Vec<String> = values.into_iter().collect();
    let allowed = |it: &str| it.is_empty() || it == "runtime/default" || it.starts_with("localhost/");
    let annotations: Vec<String> = pod
        .annotations
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .filter(|(key, value)| key.starts_with(PREFIX) && !allowed(value))
        .map(|(key, value)| format!("{key}={}", quoted(value)))
        .collect();
    if !annotations.is_empty() {
        setters.push(plural("annotation", "annotations", annotations.len()).to_owned());
        values.extend(annotations);
    }
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
    must_not(reason, &setters, &format!("set AppArmor profile type to {}", join(&values)))
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The containers that add what is not allowed, and what that is.
fn adding<'a>(pod: &Pod<'a>, allowed: &[&str]) -> (Vec<&'a str>, BTreeSet<&'a str>) {
    let mut forbidden = BTreeSet::new();
    let containers = pod.bad(|it| {
        let bad: Vec<&str> = strings(context(it, "capabilities.add")).filter(|it| !allowed.contains(it)).collect();
        forbidden.extend(bad.iter().copied());
        !bad.is_empty()
    });
    (containers, forbidden)
}

fn default_capabilities(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let (containers, forbidden) = adding(pod, &DEFAULT_CAPABILITIES);
    let what = format!("include {} in securityContext.capabilities.add", join(forbidden));
    must_not("non-default capabilities", &setters(false, &containers), &what)
}

fn dropped_capabilities(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    if minor >= 25 && pod.is_windows() {
        return None;
    }
    let keeping = pod.bad(|it| !strings(context(it, "capabilities.drop")).any(|it| it == "ALL"));
    let (containers, forbidden) = adding(pod, &["NET_BIND_SERVICE"]);
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named(&keeping)));
    }
    if !containers.is_empty() {
        let what = join(forbidden);
        details.push(format!("{} must not include {what} in securityContext.capabilities.add", named(&containers)));
    }
    if details.is_empty() { None } else { finding("unrestricted capabilities", details.join("; ")) }
}

fn host_namespaces(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let shared: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|key| pod.flag(key))
        .map(|key| format!("{key}=true"))
        .collect();
    if shared.is_empty() { None } else { finding("host namespaces", shared.join(", ")) }
}

fn volumes<'a>(pod: &Pod<'a>) -> impl Iterator<Item = (&'a str, &'a Map)> {
    list(pod.spec.get("volumes")).iter().filter_map(|it| Some((it.str_at("name").unwrap_or_default(), it.as_map()?)))
}

fn host_paths(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let bad: Vec<&str> = volumes(pod).filter(|(_, it)| it.contains_key("hostPath")).map(|(name, _)| name).collect();
    if bad.is_empty() {
        return None;
    }
    finding("hostPath volumes", format!("{} {}", plural("volume", "volumes", bad.len()), join(&bad)))
}

fn host_ports(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let mut ports = BTreeSet::new();
    let containers = pod.bad(|it| {
        let bad: Vec<String> = list(it.get("ports"))
            .iter()
            .filter_map(|it| it.i64_at("hostPort"))
            .filter(|it| *it != 0)
            .map(|it| it.to_string())
            .collect();
        let is_bad = !bad.is_empty();
        ports.extend(bad);
        is_bad
    });
    if containers.is_empty() {
        return None;
    }
    let (uses, what) = (plural("uses", "use", containers.len()), plural("hostPort", "hostPorts", ports.len()));
    let ports: Vec<String> = ports.into_iter().collect();
    finding("hostPort", format!("{} {uses} {what} {}", named(&containers), ports.join(", ")))
}

fn hosts_of_probes(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    const HANDLERS: [&str; 5] =
        ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"];
    let mut hosts = BTreeSet::new();
    let containers: BTreeSet<&str> = pod
        .bad(|it| {
            let before = hosts.len();
            let mut any = false;
            for handler in HANDLERS.iter().filter_map(|path| it.at(path)) {
                let bad = ["httpGet.host", "tcpSocket.host"].iter().filter_map(|path| handler.str_at(path));
                for host in bad.filter(|it| !it.is_empty()) {
                    hosts.insert(host);
                    any = true;
                }
            }
            any || hosts.len() > before
        })
        .into_iter()
        .collect();
    if containers.is_empty() {
        return None;
    }
    let containers: Vec<&str> = containers.into_iter().collect();
    let uses = plural("uses", "use", containers.len());
    let what = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len());
    finding("probe or lifecycle host", format!("{} {uses} {what} {}", named(&containers), join(hosts)))
}

fn privileged(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let bad = pod.bad(|it| context(it, "privileged") == Some(&Value::Bool(true)));
    must_not("privileged", &setters(false, &bad), "set securityContext.privileged=true")
}

fn proc_mount(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    let mut kinds = BTreeSet::new();
    let bad = pod.bad(|it| match context(it, "procMount").and_then(Value::as_str) {
        None | Some("Default") => false,
        Some(other) => kinds.insert(other) || kinds.contains(other),
    });
    let what = format!("set securityContext.procMount to {}", join(kinds));
    must_not("procMount", &setters(false, &bad), &what)
}

fn se_linux(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    let (mut types, mut user, mut role) = (BTreeSet::new(), false, false);
    let mut is_bad = |it: Option<&Value>| {
        let Some(options) = it else { return false };
        let text = |key: &'static str| options.str_at(key).unwrap_or_default();
        let kind = text("type");
        let is_known = matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (minor >= 31 && kind == "container_engine_t");
        if !is_known {
            types.insert(kind.to_owned());
        }
        let (has_user, has_role) = (!text("user").is_empty(), !text("role").is_empty());
        user |= has_user;
        role |= has_role;
        !is_known || has_user || has_role
    };
    let of_pod = is_bad(pod.at("seLinuxOptions"));
    let containers = pod.bad(|it| is_bad(context(it, "seLinuxOptions")));
    let setters = setters(of_pod, &containers);
    if setters.is_empty() {
        return None;
    }
    let mut data = Vec::new();
    if !types.is_empty() {
        data.push(format!("{} {}", plural("type", "types", types.len()), join(&types)));
    }
    data.extend(user.then(|| "user may not be set".to_owned()));
    data.extend(role.then(|| "role may not be set".to_owned()));
    let who = setters.join(" and ");
    finding("seLinuxOptions", format!("{who} set forbidden securityContext.seLinuxOptions: {}", data.join("; ")))
}

const SECCOMP: &str = "seccompProfile";

fn seccomp_baseline(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    if minor >= 19 { seccomp(pod).0 } else { seccomp_annotations(pod) }
}

/// Before there were fields.
fn seccomp_annotations(pod: &Pod<'_>) -> Option<Finding> {
    let allowed = |it: &str| matches!(it, "runtime/default" | "docker/default") || it.starts_with("localhost/");
    let keys = pod.containers().map(|(name, _)| format!("container.seccomp.security.alpha.kubernetes.io/{name}"));
    let forbidden: BTreeSet<String> = std::iter::once("seccomp.security.alpha.kubernetes.io/pod".to_owned())
        .chain(keys)
        .filter_map(|key| {
            let value = pod.annotations.get(&key)?.as_str()?;
            (!allowed(value)).then(|| format!("{key}={}", quoted(value)))
        })
        .collect();
    if forbidden.is_empty() {
        return None;
    }
    let what = plural("annotation", "annotations", forbidden.len());
    let forbidden: Vec<String> = forbidden.into_iter().collect();
    finding(SECCOMP, format!("forbidden {what} {}", forbidden.join(", ")))
}

/// What is wrong with profiles that are set, and whether the pod itself has a good one.
fn seccomp(pod: &Pod<'_>) -> (Option<Finding>, bool) {
    let mut values = BTreeSet::new();
    let mut is_bad = |it: Option<&Value>| is_bad_profile(it, &mut values);
    let of_pod = is_bad(pod.at(SECCOMP));
    let containers = pod.bad(|it| is_bad(context(it, SECCOMP)));
    let what = format!("set securityContext.seccompProfile.type to {}", join(values));
    (must_not(SECCOMP, &setters(of_pod, &containers), &what), pod.at(SECCOMP).is_some() && !of_pod)
}

fn seccomp_restricted(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    if minor >= 25 && pod.is_windows() {
        return None;
    }
    let (bad, pod_is_set) = seccomp(pod);
    if bad.is_some() || pod_is_set {
        return bad;
    }
    let without = pod.bad(|it| context(it, SECCOMP).is_none());
    if without.is_empty() {
        return None;
    }
    let what = "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"";
    finding(SECCOMP, format!("pod or {} {what}", named(&without)))
}

fn sysctls(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    // Since which minor version each is allowed.
    const ALLOWED: [(&str, u32); 12] = [
        ("kernel.shm_rmid_forced", 0),
        ("net.ipv4.ip_local_port_range", 0),
        ("net.ipv4.ip_local_reserved_ports", 27),
        ("net.ipv4.ip_unprivileged_port_start", 0),
        ("net.ipv4.ping_group_range", 0),
        ("net.ipv4.tcp_fin_timeout", 29),
        ("net.ipv4.tcp_keepalive_intvl", 29),
        ("net.ipv4.tcp_keepalive_probes", 29),
        ("net.ipv4.tcp_keepalive_time", 29),
        ("net.ipv4.tcp_rmem", 32),
        ("net.ipv4.tcp_syncookies", 0),
        ("net.ipv4.tcp_wmem", 32),
    ];
    let bad: Vec<&str> = list(pod.at("sysctls"))
        .iter()
        .map(|it| it.str_at("name").unwrap_or_default())
        .filter(|name| !ALLOWED.iter().any(|(it, since)| it == name && minor >= *since))
        .collect();
    if bad.is_empty() { None } else { finding("forbidden sysctls", bad.join(", ")) }
}

fn host_process(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    const PATH: &str = "windowsOptions.hostProcess";
    let is_bad = |it: Option<&Value>| it == Some(&Value::Bool(true));
    let containers = pod.bad(|it| is_bad(context(it, PATH)));
    let setters = setters(is_bad(pod.at(PATH)), &containers);
    must_not("hostProcess", &setters, "set securityContext.windowsOptions.hostProcess=true")
}

fn privilege_escalation(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    if minor >= 25 && pod.is_windows() {
        return None;
    }
    let bad = pod.bad(|it| context(it, "allowPrivilegeEscalation") != Some(&Value::Bool(false)));
    if bad.is_empty() {
        return None;
    }
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", named(&bad));
    finding("allowPrivilegeEscalation != false", detail)
}

fn volume_types(pod: &Pod<'_>, _: u32) -> Option<Finding> {
    const ALLOWED: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let (mut bad, mut types) = (Vec::new(), BTreeSet::new());
    for (name, volume) in volumes(pod) {
        if ALLOWED.iter().any(|it| volume.contains_key(it)) {
            continue;
        }
        bad.push(name);
        types.insert(volume.keys().find(|it| **it != "name").map_or("unknown", |it| it.as_str()));
    }
    if bad.is_empty() {
        return None;
    }
    let (volumes, uses) = (plural("volume", "volumes", bad.len()), plural("uses", "use", bad.len()));
    let what = plural("restricted volume type", "restricted volume types", types.len());
    finding("restricted volume types", format!("{volumes} {} {uses} {what} {}", join(&bad), join(types)))
}

fn non_root(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    const REASON: &str = "runAsNonRoot != true";
    const KEY: &str = "runAsNonRoot";
    if minor >= 35 && in_user_namespace(pod) {
        return None;
    }
    let flag = |it: Option<&Value>| it.and_then(Value::as_bool);
    let of_pod = flag(pod.at(KEY));
    let explicit = pod.bad(|it| flag(context(it, KEY)) == Some(false));
    let setters = setters(of_pod == Some(false), &explicit);
    if !setters.is_empty() {
        return must_not(REASON, &setters, "set securityContext.runAsNonRoot=false");
    }
    let without = pod.bad(|it| flag(context(it, KEY)).is_none() && of_pod != Some(true));
    if without.is_empty() {
        return None;
    }
    finding(REASON, format!("pod or {} must set securityContext.runAsNonRoot=true", named(&without)))
}

fn root(pod: &Pod<'_>, minor: u32) -> Option<Finding> {
    if minor >= 35 && in_user_namespace(pod) {
        return None;
    }
    let is_bad = |it: Option<&Value>| it == Some(&Value::Int(0));
    let containers = pod.bad(|it| is_bad(context(it, "runAsUser")));
    must_not("runAsUser=0", &setters(is_bad(pod.at("runAsUser")), &containers), "set runAsUser=0")
}

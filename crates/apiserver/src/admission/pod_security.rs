//! Namespaces say by labels how secure their pods must be (`k8s.io/pod-security-admission`).

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use kinds::{NAMESPACE, POD};
use meta::{Errors, Key, Metadata, Object, Status};
use value::{Map, Str, Value};

use self::checks::{Finding, Pod, findings};
use super::{Operation, Request, shown};
use crate::server::ApiServer;

const LABEL: &str = "pod-security.kubernetes.io/";
/// Of existing pods this many are held against a new level of their namespace.
const PODS_MAX: usize = 3_000;

/// Newer than every change of a check.
const LATEST: u32 = 1_000;

/// How much is allowed, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level as of a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct LevelVersion {
    level: Level,
    /// The minor version; `None`: the latest.
    minor: Option<u32>,
}

/// What a namespace asks for. `audit` is only checked for mistakes: there is no audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Policy {
    enforce: LevelVersion,
    warn: LevelVersion,
}

impl std::fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            Some(minor) => write!(f, "{level}:v1.{minor}"),
            None => write!(f, "{level}:latest"),
        }
    }
}

impl LevelVersion {
    fn findings(self, pod: &Pod<'_>) -> Vec<Finding> {
        match self.level {
            Level::Privileged => Vec::new(),
            level => findings(pod, level, self.minor.unwrap_or(LATEST).min(LATEST)),
        }
    }
}

/// Reads the labels of a namespace; what cannot be read is restricted where it is enforced and nothing elsewhere.
fn policy(labels: &Map, errors: &mut Errors) -> Policy {
    const PRIVILEGED: LevelVersion = LevelVersion { level: Level::Privileged, minor: None };
    let mut read = |mode: &str, otherwise: Level| {
        let mut res = PRIVILEGED;
        let mut has = (None, false);
        let key = format!("{LABEL}{mode}");
        if let Some(text) = labels.get(&key).and_then(Value::as_str) {
            has.0 = Some(true);
            res.level = level(text).unwrap_or_else(|| {
                has.0 = Some(false);
                let detail = "must be one of privileged, baseline, restricted";
                errors.invalid(format!("metadata.labels[{key}]"), text, detail);
                otherwise
            });
        }
        let key = format!("{LABEL}{mode}-version");
        if let Some(text) = labels.get(&key).and_then(Value::as_str) {
            has.1 = true;
            res.minor = version(text).unwrap_or_else(|| {
                errors.invalid(format!("metadata.labels[{key}]"), text, "must be \"latest\" or \"v1.x\"");
                None
            });
        }
        (res, has)
    };
    let (enforce, (has_enforce, _)) = read("enforce", Level::Restricted);
    read("audit", Level::Privileged);
    let (mut warn, (has_warn, has_warn_version)) = read("warn", Level::Privileged);
    // Who enforces a level without a word on warnings is warned of the same.
    if has_warn.is_none() && has_enforce == Some(true) && enforce.level > warn.level {
        warn.level = enforce.level;
        if !has_warn_version {
            warn.minor = enforce.minor;
        }
    }
    Policy { enforce, warn }
}

fn level(text: &str) -> Option<Level> {
    match text {
        "privileged" => Some(Level::Privileged),
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

/// `latest` is `None` within.
fn version(text: &str) -> Option<Option<u32>> {
    if text == "latest" {
        return Some(None);
    }
    let digits = text.strip_prefix("v1.")?;
    let is_number = digits.bytes().all(|it| it.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    is_number.then(|| digits.parse().ok().map(Some)).flatten()
}

fn has_labels(labels: &Map) -> bool {
    labels.keys().any(|it| it.starts_with(LABEL))
}

/// # Errors
/// `Forbidden` for a pod that its namespace does not allow, `Invalid` for labels that cannot be read.
pub(super) fn validate(
    api: &ApiServer,
    request: &Request<'_>,
    object: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let Some(object) = object else { return Ok(()) };
    let kind = &request.write.kind;
    if request.is_of(NAMESPACE) {
        return namespace(api, request, object, warnings);
    }
    if !kind.is_namespaced() || matches!(request.write.sub, "binding" | "status") {
        return Ok(());
    }
    let namespace = api.store.get(NAMESPACE, &Key::cluster(&object.meta.namespace));
    let Some(namespace) = namespace.filter(|it| has_labels(&it.meta.labels)) else { return Ok(()) };
    let policy = policy(&namespace.meta.labels, &mut Errors::new());
    if object.kind == POD {
        let spec = object.map_at("spec").cloned().unwrap_or_default();
        let changes_it = request.live.is_none_or(|live| is_significant(&spec, live));
        if !changes_it {
            return Ok(());
        }
        let pod = Pod { annotations: &object.meta.annotations, spec: &spec };
        let forbidden = policy.enforce.findings(&pod);
        if !forbidden.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, details(&forbidden));
            return Err(request.write.forbidden(shown(object), &why));
        }
        warn(policy.warn, &pod, warnings);
    } else if request.write.sub.is_empty()
        && let Some(template) = template(object)
    {
        let metadata = template.map_at("metadata").map(Metadata::from_map).unwrap_or_default();
        let spec = template.map_at("spec").cloned().unwrap_or_default();
        warn(policy.warn, &Pod { annotations: &metadata.annotations, spec: &spec }, warnings);
    }
    Ok(())
}

/// The template of the pods that an object makes.
fn template(object: &Object) -> Option<&Value> {
    const KINDS: [(meta::KindId, &str); 8] = [
        (kinds::CRON_JOB, "spec.jobTemplate.spec.template"),
        (kinds::DAEMON_SET, "spec.template"),
        (kinds::DEPLOYMENT, "spec.template"),
        (kinds::JOB, "spec.template"),
        (kinds::POD_TEMPLATE, "template"),
        (kinds::REPLICATION_CONTROLLER, "spec.template"),
        (kinds::REPLICA_SET, "spec.template"),
        (kinds::STATEFUL_SET, "spec.template"),
    ];
    KINDS.iter().find(|(kind, _)| *kind == object.kind).and_then(|(_, path)| object.at(path))
}

fn warn(policy: LevelVersion, pod: &Pod<'_>, warnings: &mut Vec<String>) {
    let found = policy.findings(pod);
    if !found.is_empty() {
        warnings.push(format!("would violate PodSecurity \"{policy}\": {}", details(&found)));
    }
}

fn details(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(|it| format!("{} ({})", it.reason, it.detail)).collect();
    texts.join(", ")
}

/// Whether an update changes an image or adds a container.
fn is_significant(new: &Map, live: &Object) -> bool {
    let list = |spec: &Map, key: &str| spec.get(key).and_then(Value::as_list).cloned().unwrap_or_default();
    let old = live.map_at("spec").cloned().unwrap_or_default();
    let image = |it: &Value| it.get("image").and_then(Value::as_shared_str).cloned();
    let listed = ["containers", "initContainers"].into_iter().any(|key| {
        let (new, old) = (list(new, key), list(&old, key));
        !new.same(&old) && (new.len() != old.len() || new.iter().zip(&old).any(|(a, b)| image(a) != image(b)))
    });
    let key = "ephemeralContainers";
    let (new, old) = (list(new, key), list(&old, key));
    listed
        || new.iter().any(|it| {
            let before = old.iter().find(|old| old.get("name") == it.get("name"));
            before.is_none_or(|before| image(before) != image(it))
        })
}

/// Labels must be readable, and who tightens them learns of the pods that are there.
fn namespace(
    api: &ApiServer,
    request: &Request<'_>,
    object: &Object,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let live = request.live.filter(|_| request.operation == Operation::Update);
    if live.is_some_and(|it| it.meta.labels == object.meta.labels) {
        return Ok(());
    }
    let mut errors = Errors::new();
    let new = policy(&object.meta.labels, &mut errors);
    let mut old_errors = Errors::new();
    let old = live.map(|it| policy(&it.meta.labels, &mut old_errors));
    if !errors.is_empty() && (live.is_none() || errors != old_errors) {
        return Err(Status::invalid("", "Namespace", object.name(), &errors));
    }
    let Some(old) = old else { return Ok(()) };
    let relaxed = new.enforce.minor == old.enforce.minor && new.enforce.level <= old.enforce.level;
    if new.enforce != old.enforce && new.enforce.level != Level::Privileged && !relaxed {
        existing(api, object.name(), new.enforce, warnings);
    }
    Ok(())
}

/// Holds existing pods against a new level, those of different owners first.
fn existing(api: &ApiServer, namespace: &str, enforce: LevelVersion, warnings: &mut Vec<String>) {
    let (mut pods, mut others) = (Vec::new(), Vec::new());
    let mut owners: BTreeSet<&Str> = BTreeSet::new();
    for pod in api.store.list(POD, Some(namespace)) {
        let is_first = pod.meta.controller().is_none_or(|owner| owners.insert(&owner.uid));
        if is_first { pods.push(pod) } else { others.push(pod) }
    }
    pods.extend(others);
    let n_pods = pods.len();
    // Names of pods by what is wrong with them.
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in pods.into_iter().take(PODS_MAX) {
        let spec = pod.map_at("spec").cloned().unwrap_or_default();
        let findings = enforce.findings(&Pod { annotations: &pod.meta.annotations, spec: &spec });
        if !findings.is_empty() {
            let reasons: Vec<&str> = findings.iter().map(|it| it.reason.as_str()).collect();
            found.entry(reasons.join(", ")).or_default().push(pod.name());
        }
    }
    if n_pods > PODS_MAX {
        let first = format!("the first {PODS_MAX} of {n_pods}");
        warnings.push(format!("new PodSecurity enforce level only checked against {first} existing pods"));
    }
    if !found.is_empty() {
        let what = "violate the new PodSecurity enforce level";
        warnings.push(format!("existing pods in namespace \"{namespace}\" {what} \"{enforce}\""));
    }
    let mut lines: Vec<String> = found
        .into_iter()
        .map(|(reasons, names)| {
            let first = names.iter().min().copied().unwrap_or_default();
            match names.len() {
                1 => format!("{first}: {reasons}"),
                2 => format!("{first} (and 1 other pod): {reasons}"),
                n => format!("{first} (and {} other pods): {reasons}", n - 1),
            }
        })
        .collect();
    lines.sort_unstable();
    warnings.append(&mut lines);
}

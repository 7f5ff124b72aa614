//! What changed between two states of an object, in words for one line and as a list.

use meta::Object;
use value::{Value, json};

/// Differences that are listed at most.
const CHANGES_MAX: usize = 64;
/// A value longer than this is cut.
const TEXT_CHARS_MAX: usize = 48;

/// One field that differs; `None` where it is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    pub path: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Fields that tell most come first in a line; the rest in the order of the object.
const TELLING: &[&str] = &[
    "metadata.deletionTimestamp",
    "spec.nodeName",
    "status.phase",
    "status.reason",
    "spec.unschedulable",
    "spec.taints",
    "spec.replicas",
    "status.numberReady",
    "status.readyReplicas",
    "status.numberAvailable",
    "status.desiredNumberScheduled",
    "status.currentNumberScheduled",
    "status.containerStatuses",
    "status.conditions[Ready]",
    "status.conditions[PodScheduled]",
];

/// Names of fields that tell least: they come last in a line.
const QUIET: &[&str] = &["containerID", "imageID", "lastUpdateTime", "message", "io/last-change-trigger-time]"];

/// Every field that differs, but for the revision, managed fields and times that tell nothing.
pub fn changes(before: &Object, after: &Object) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare("metadata", &metadata(before), &metadata(after), &mut found);
    for key in before.body.keys().chain(after.body.keys().filter(|it| !before.body.contains_key(it))) {
        compare_entries(key, before.body.get(key), after.body.get(key), &mut found);
    }
    found.truncate(CHANGES_MAX);
    found
}

/// Without managed fields, which are large and tell nothing here.
fn metadata(object: &Object) -> Value {
    let mut meta = object.meta.clone();
    meta.managed = Default::default();
    Value::Map(meta.to_map())
}

fn is_noise(path: &str) -> bool {
    matches!(path, "metadata.resourceVersion" | "metadata.managedFields" | "metadata.generation")
        || path.ends_with(".lastHeartbeatTime")
        || path.ends_with(".lastTransitionTime")
        || path.ends_with(".lastProbeTime")
}

fn compare_entries(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, found),
        (None, None) => (),
        _ if is_noise(path) => (),
        _ => found.push(FieldChange { path: path.to_owned(), before: before.cloned(), after: after.cloned() }),
    }
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<FieldChange>) {
    if found.len() >= CHANGES_MAX || is_noise(path) {
        return;
    }
    match (before, after) {
        // A container is in one state after the other.
        (Value::Map(a), Value::Map(b)) if path.ends_with("].state") && !a.keys().eq(b.keys()) => {
            found.push(changed(path, before, after));
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.same(b) {
                return;
            }
            for key in a.keys().chain(b.keys().filter(|it| !a.contains_key(it))) {
                compare_entries(&joined(path, key), a.get(key), b.get(key), found);
            }
        }
        (Value::List(a), Value::List(b)) if !a.same(b) => match keyed(a).zip(keyed(b)) {
            Some((old, new)) => compare_keyed(path, &old, &new, found),
            None if a != b => found.push(changed(path, before, after)),
            None => (),
        },
        _ if before != after => found.push(changed(path, before, after)),
        _ => (),
    }
}

fn changed(path: &str, before: &Value, after: &Value) -> FieldChange {
    FieldChange { path: path.to_owned(), before: Some(before.clone()), after: Some(after.clone()) }
}

/// A key with a dot stands in brackets, as JSONPath has it.
fn joined(path: &str, key: &str) -> String {
    if key.contains(['.', '/']) { format!("{path}[{key}]") } else { format!("{path}.{key}") }
}

/// Items of a list by what names them: conditions by type, containers by name.
fn keyed(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let key = ["type", "name", "key"].into_iter().find(|key| list.first().is_some_and(|it| it.str_at(key).is_some()));
    let Some(key) = key else { return list.is_empty().then(Vec::new) };
    list.iter().map(|it| Some((it.str_at(key)?, it))).collect()
}

fn compare_keyed(path: &str, old: &[(&str, &Value)], new: &[(&str, &Value)], found: &mut Vec<FieldChange>) {
    let find = |list: &[(&str, &Value)], key: &str| list.iter().find(|(it, _)| *it == key).map(|(_, it)| (*it).clone());
    let added = new.iter().filter(|(key, _)| find(old, key).is_none());
    for (key, _) in old.iter().chain(added) {
        compare_entries(&format!("{path}[{key}]"), find(old, key).as_ref(), find(new, key).as_ref(), found);
    }
}

/// The line for a change: the most telling field, and how many more there are.
pub fn line(before: Option<&Object>, after: Option<&Object>) -> String {
    let (Some(before), Some(after)) = (before, after) else { return String::new() };
    let found = changes(before, after);
    let Some(first) = found.iter().min_by_key(|it| rank(it)) else { return "metadata only".to_owned() };
    let more = found.len() - 1;
    let mut res = one(first);
    if more > 0 {
        res.push_str(&format!("  and {more} more"));
    }
    res
}

/// The less, the more it tells.
fn rank(change: &FieldChange) -> usize {
    let path = &*change.path;
    match () {
        () if path.ends_with(".observedGeneration") => usize::MAX,
        () if QUIET.iter().any(|it| path.ends_with(it)) => usize::MAX - 1,
        () => {
            let place = TELLING.iter().position(|it| path.starts_with(it)).unwrap_or(TELLING.len());
            2 * place + usize::from(!path.ends_with(".state"))
        }
    }
}

/// `status.phase Pending → Running`; a condition shows its status.
pub fn one(change: &FieldChange) -> String {
    let FieldChange { path, before, after } = change;
    match (before, after) {
        (None, Some(after)) => format!("{path} → {}", short(after)),
        (Some(before), None) => format!("{path} {} → <none>", short(before)),
        (Some(before), Some(after)) => format!("{path} {} → {}", short(before), short(after)),
        (None, None) => path.clone(),
    }
}

/// A value in few characters.
fn short(it: &Value) -> String {
    let text = match it {
        Value::Str(it) => it.to_string(),
        Value::Map(map) => match (map.get("status").and_then(Value::as_str), map.get("key").and_then(Value::as_str)) {
            (Some(status), _) if map.contains_key("type") => status.to_owned(),
            (_, Some(key)) => {
                let value = map.get("value").and_then(Value::as_str).map(|it| format!("={it}")).unwrap_or_default();
                let effect = map.get("effect").and_then(Value::as_str).map(|it| format!(":{it}")).unwrap_or_default();
                format!("{key}{value}{effect}")
            }
            _ => container_state(map).or_else(|| reference(map)).unwrap_or_else(|| compact(it)),
        },
        Value::List(list) => match &**list {
            // Of the first condition nobody knows yet which it is.
            [only @ Value::Map(map)] => match map.get("type").and_then(Value::as_str) {
                Some(kind) => format!("{kind} {}", short(only)),
                None => short(only),
            },
            _ => compact(it),
        },
        _ => compact(it),
    };
    cut(&text)
}

/// `ContainerCreating`, `running` or how it ended, for an entry of `containerStatuses` or its state.
fn container_state(status: &value::Map) -> Option<String> {
    let (state, inner) = status.get("state").and_then(Value::as_map).unwrap_or(status).iter().next()?;
    let is_state = matches!(&**state, "waiting" | "running" | "terminated");
    is_state.then(|| inner.str_at("reason").unwrap_or(state).to_owned())
}

/// `Job hello-29454305`
fn reference(map: &value::Map) -> Option<String> {
    Some(format!("{} {}", map.get("kind")?.as_str()?, map.get("name")?.as_str()?))
}

fn compact(it: &Value) -> String {
    let mut text = Vec::new();
    json::write(it, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The whole difference, a field a line: `-` what was, `+` what is.
pub fn whole(before: Option<&Object>, after: Option<&Object>) -> String {
    let (Some(before), Some(after)) = (before, after) else { return String::new() };
    let mut res = String::new();
    for FieldChange { path, before, after } in changes(before, after) {
        res.push_str(&path);
        res.push('\n');
        for (sign, value) in [('-', before), ('+', after)] {
            let Some(value) = value else { continue };
            let text = value::yaml::emit(&value);
            for it in text.lines() {
                res.push_str(&format!("{sign} {it}\n"));
            }
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use meta::{KindId, Object};
    use value::{Value, value};

    fn object(tree: &Value) -> Object {
        Object::from_map(KindId(0), tree.as_map().expect("the tests give maps"))
    }

    #[track_caller]
    fn check(before: Value, after: Value, expect: Expect) {
        let (before, after) = (object(&before), object(&after));
        expect.assert_eq(&format!(
            "{}\n{}",
            super::line(Some(&before), Some(&after)),
            super::whole(Some(&before), Some(&after))
        ));
    }

    #[test]
    fn the_most_telling_field_comes_first() {
        check(
            value!({ "status": { "hostIP": "10.0.0.2", "phase": "Pending" } }),
            value!({ "status": { "hostIP": "10.0.0.3", "phase": "Running" } }),
            expect![[r#"
                status.phase Pending → Running  and 1 more
                status.hostIP
                - 10.0.0.2
                + 10.0.0.3
                status.phase
                - Pending
                + Running
            "#]],
        );
    }

    #[test]
    fn what_tells_nothing_comes_last() {
        let container = |id: &str, n: u32, state: Value| {
            value!({ "status": {
                "containerStatuses": [{ "containerID": id, "name": "app", "restartCount": n, "state": state }],
                "observedGeneration": n,
            } })
        };
        check(
            container("drydock://1", 1, value!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } })),
            container("drydock://2", 2, value!({ "waiting": { "message": "back-off", "reason": "CrashLoopBackOff" } })),
            expect![[r#"
                status.containerStatuses[app].state running → CrashLoopBackOff  and 3 more
                status.containerStatuses[app].containerID
                - drydock://1
                + drydock://2
                status.containerStatuses[app].restartCount
                - 1
                + 2
                status.containerStatuses[app].state
                - running:
                -   startedAt: "2026-01-01T00:00:00Z"
                + waiting:
                +   message: back-off
                +   reason: CrashLoopBackOff
                status.observedGeneration
                - 1
                + 2
            "#]],
        );
        check(
            value!({ "status": { "observedGeneration": 1 } }),
            value!({ "status": { "observedGeneration": 2 } }),
            expect![[r#"
                status.observedGeneration 1 → 2
                status.observedGeneration
                - 1
                + 2
            "#]],
        );
        check(
            value!({ "status": { "active": [{ "apiVersion": "batch/v1", "kind": "Job", "name": "hello-1" }] } }),
            value!({ "status": {} }),
            expect![[r#"
                status.active Job hello-1 → <none>
                status.active
                - - apiVersion: batch/v1
                -   kind: Job
                -   name: hello-1
            "#]],
        );
    }

    #[test]
    fn conditions_are_told_by_type_and_times_are_noise() {
        let conditions = |status: &str, at: &str| {
            value!({ "status": { "conditions": [
                { "lastTransitionTime": at, "status": "True", "type": "Initialized" },
                { "lastTransitionTime": at, "status": status, "type": "Ready" },
            ] } })
        };
        check(
            conditions("False", "2026-01-01T00:00:00Z"),
            conditions("True", "2026-01-01T00:00:01Z"),
            expect![[r#"
                status.conditions[Ready].status False → True
                status.conditions[Ready].status
                - "False"
                + "True"
            "#]],
        );
    }

    #[test]
    fn taints_are_written_as_kubectl_does() {
        check(
            value!({ "spec": {} }),
            value!({ "spec": { "taints": [{ "effect": "NoSchedule", "key": "gpu", "value": "true" }] } }),
            expect![[r#"
                spec.taints → gpu=true:NoSchedule
                spec.taints
                + - effect: NoSchedule
                +   key: gpu
                +   value: "true"
            "#]],
        );
    }

    #[test]
    fn a_write_of_the_revision_alone_is_said_to_be_that() {
        check(
            value!({ "spec": { "a": 1 } }),
            value!({ "spec": { "a": 1 } }),
            expect![[r#"
            metadata only
        "#]],
        );
    }
}

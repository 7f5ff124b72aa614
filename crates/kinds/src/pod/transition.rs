//! Whether a container that ended may run again.

use meta::Errors;
use value::Map;

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, int, list, maps, opt_text, text};

/// Whether the exit of some container makes all of the pod's containers start again (`AllContainersCouldRestart`).
fn all_could_restart(spec: &Map) -> bool {
    maps(spec, "initContainers")
        .chain(maps(spec, "containers"))
        .any(|(_, it)| maps(it, "restartPolicyRules").any(|(_, rule)| text(rule, "action") == "RestartAllContainers"))
}

/// Whether a container starts again after it ended so (`ContainerShouldRestart`).
pub fn should_restart(container: &Map, spec: &Map, exit_code: i64) -> bool {
    let by = |policy: &str| match policy {
        "Always" => Some(true),
        "OnFailure" => Some(exit_code != 0),
        "Never" => Some(false),
        _ => None,
    };
    let own = opt_text(container, "restartPolicy").and_then(|policy| {
        let matches = |rule: &Map| {
            let codes = child_or_empty(rule, "exitCodes");
            let listed = list(codes, "values").iter().any(|it| it.as_i64() == Some(exit_code));
            match text(codes, "operator") {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            }
        };
        let rule =
            maps(container, "restartPolicyRules").find(|(_, rule)| matches(rule)).map(|(_, it)| text(it, "action"));
        if matches!(rule, Some("Restart" | "RestartAllContainers")) { Some(true) } else { by(policy) }
    });
    own.or_else(|| by(text(spec, "restartPolicy"))).unwrap_or(true)
}

/// `ValidateContainerStateTransition` and its sisters for `key` (`containers`, `initContainers`); none for ephemeral ones, which never restart.
pub(super) fn validate(
    now: &Map,
    before: &Map,
    statuses: &str,
    spec: &Map,
    key: Option<&str>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let ended =
        |status: &Map| child(status, "state").and_then(|it| child(it, "terminated")).map(|it| int(it, "exitCode"));
    for (idx, old) in maps(before, statuses) {
        let Some(exit_code) = ended(old) else { continue };
        let name = text(old, "name");
        let goes_on = maps(now, statuses).any(|(_, it)| text(it, "name") == name && ended(it).is_none());
        let allowed = || {
            if key.is_some() && all_could_restart(spec) {
                return true;
            }
            let container = key.and_then(|key| maps(spec, key).find(|(_, it)| text(it, "name") == name));
            container.is_some_and(|(_, it)| should_restart(it, spec, exit_code))
        };
        if goes_on && !allowed() {
            path.index(idx).child("state").forbidden(errors, "may not be transitioned to non-terminated state");
        }
    }
}

//! StatefulSet. Follows `pkg/apis/apps/validation`.

use meta::{Errors, Object, names};
use value::{List, Map, Value, map};

use crate::path::Path;
use crate::pod_template::fields::{
    child, child_or_empty, has, list, maps, named, non_negative, opt_int, opt_text, text,
};
use crate::pod_template::{annotations, internal, labels, warnings};
use crate::workload::{self, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, label_name, pod_template};

pub(crate) const KIND: Kind = Kind {
    short_names: &["sts"],
    categories: &["all"],
    definition: "io.k8s.api.apps.v1.StatefulSet",
    subresources: &[Subresource::scale(), Subresource::status("StatefulSet")],
    columns: || {
        const {
            &[
                columns::name(),
                columns::text("Ready", "How many of its pods are ready.", |it, _| workload::ready_of_desired(it)),
                columns::created(),
                columns::wide(columns::containers()),
                columns::wide(columns::images()),
            ]
        }
    },
    strategy: Strategy {
        default,
        default_status: Some(|_| ()),
        prepare_create: |it| {
            workload::prepare_create(it, map!({ "availableReplicas": 0, "replicas": 0 }));
            drop_unavailable(it);
        },
        prepare_update: |new, old| {
            workload::prepare_update(new, old);
            if !has(rolling_update(old), "maxUnavailable") {
                drop_unavailable(new);
            }
        },
        validate: |it, errors| validate(it, Check::New, errors),
        validate_update,
        validate_status,
        warnings: all_warnings,
        validate_name: label_name,
        ..Strategy::WORKLOAD
    },
    ..Kind::new(Scope::Namespaced, "apps", "v1", "StatefulSet", "statefulsets")
};

fn rolling_update(it: &Object) -> &Map {
    child_or_empty(child_or_empty(spec(it), "updateStrategy"), "rollingUpdate")
}

/// `MaxUnavailableStatefulSet` is off by default.
fn drop_unavailable(it: &mut Object) {
    it.body.edit_map("spec", |spec| {
        spec.edit_map("updateStrategy", |strategy| {
            strategy.edit_map("rollingUpdate", |rolling| {
                rolling.remove("maxUnavailable");
            });
        });
    });
}

fn default(it: &mut Object) {
    workload::default_spec(it, |spec| {
        set_text(spec, "podManagementPolicy", "OrderedReady");
        workload::edit_or_make(spec, "updateStrategy", |strategy| {
            if text(strategy, "type").is_empty() {
                strategy.insert("type", "RollingUpdate");
                strategy.set_default("rollingUpdate", Map::new());
            }
            if text(strategy, "type") == "RollingUpdate" {
                strategy.edit_map("rollingUpdate", |rolling| rolling.set_default("partition", 0));
            }
        });
        workload::edit_or_make(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
            set_text(policy, "whenDeleted", "Retain");
            set_text(policy, "whenScaled", "Retain");
        });
        spec.set_default("replicas", 1);
        spec.set_default("revisionHistoryLimit", 10);
        spec.edit_maps("volumeClaimTemplates", default_claim);
    });
}

fn set_text(map: &mut Map, key: &str, default: &str) {
    if text(map, key).is_empty() {
        map.insert(key, default);
    }
}

fn default_claim(claim: &mut Map) {
    for (key, own) in [("apiVersion", "v1"), ("kind", "PersistentVolumeClaim")] {
        if text(claim, key) != own {
            claim.insert(key, own);
        }
    }
    claim.edit_map("spec", pod_template::default_claim_spec);
    workload::edit_or_make(claim, "status", |status| set_text(status, "phase", "Pending"));
}

/// How much of a set is checked: what an update can't change, it does not look at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    New,
    Changed,
    /// The pod template was wrong before, too.
    ChangedBesidesTemplate,
}

fn validate(it: &Object, check: Check, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    match text(spec, "podManagementPolicy") {
        "" => path.child("podManagementPolicy").required(errors, ""),
        "OrderedReady" | "Parallel" => (),
        policy => {
            path.child("podManagementPolicy").invalid(errors, policy, "must be 'OrderedReady' or 'Parallel'");
        }
    }
    update_strategy(child_or_empty(spec, "updateStrategy"), &path.child("updateStrategy"), errors);
    if let Some(policy) = child(spec, "persistentVolumeClaimRetentionPolicy") {
        let path = path.child("persistentVolumeClaimRetentionPolicy");
        for key in ["whenDeleted", "whenScaled"] {
            let (policy, path) = (text(policy, key), path.child(key));
            if !matches!(policy, "Retain" | "Delete") {
                path.not_supported(errors, policy, &["Retain", "Delete"]);
            }
        }
    }
    if check == Check::New {
        for (idx, claim) in maps(spec, "volumeClaimTemplates") {
            let path = path.child("volumeClaimTemplates");
            pod_template::claim_spec(child_or_empty(claim, "spec"), &path.index(idx).child("spec"), errors);
        }
    }
    workload::non_negatives(spec, &["replicas", "minReadySeconds"], &path, errors);
    if let Some(start) = child(spec, "ordinals").and_then(|it| opt_int(it, "start")) {
        non_negative(start, &path.child("ordinals.start"), errors);
    }
    if check == Check::New
        && let Some(service) = opt_text(spec, "serviceName").filter(|it| !it.is_empty())
    {
        named(service, names::dns_label, &path.child("serviceName"), errors);
    }
    workload::required_selector(spec, "statefulset", &path, errors);
    template(spec, check, &path.child("template"), errors);
    workload::runs_for_ever(child_or_empty(spec, "template"), "StatefulSet", &path.child("template"), errors);
}

fn update_strategy(strategy: &Map, path: &Path<'_>, errors: &mut Errors) {
    let rolling = child(strategy, "rollingUpdate");
    match text(strategy, "type") {
        "" => path.required(errors, ""),
        "OnDelete" => {
            if let Some(rolling) = rolling {
                let bad = internal::bad_value(rolling, "RollingUpdateStatefulSetStrategy");
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                path.child("rollingUpdate").invalid(errors, bad, detail);
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = rolling else { return };
            let path = path.child("rollingUpdate");
            workload::non_negatives(rolling, &["partition"], &path, errors);
            let (unavailable, path) = (rolling.get("maxUnavailable"), path.child("maxUnavailable"));
            if let Some(value) = unavailable.filter(|it| !it.is_null()) {
                workload::positive_int_or_percent(unavailable, &path, errors);
                if workload::int_or_percent(unavailable) == 0 {
                    path.invalid(errors, value, "cannot be 0");
                }
                workload::at_most_100_percent(unavailable, &path, errors);
            }
        }
        _ => {
            let bad = internal::bad_value(strategy, "StatefulSetUpdateStrategy");
            path.invalid(errors, bad, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn template(spec: &Map, check: Check, path: &Path<'_>, errors: &mut Errors) {
    let Some(selector) = workload::selector_or_problem(spec, "", errors) else { return };
    let template = child_or_empty(spec, "template");
    if !selector.is_everything() {
        workload::matches_template(&selector, template, path, errors);
    }
    let made = with_claims(spec, template);
    if check != Check::ChangedBesidesTemplate {
        pod_template::validate(&made, path, errors);
    }
    // Upstream looks at these twice.
    let metadata = child_or_empty(template, "metadata");
    labels::validate(child_or_empty(metadata, "labels"), &path.child("labels"), errors);
    let notes = child_or_empty(metadata, "annotations");
    annotations::validate(notes, &path.child("annotations"), errors);
    annotations::of_pod(notes, child_or_empty(&made, "spec"), &path.child("annotations"), errors);
}

/// The template as its pods will have it: with volumes for the claims, without names that the controller sets.
fn with_claims(spec: &Map, template: &Map) -> Map {
    let mut made = template.clone();
    made.edit_map("spec", |pod| {
        for key in ["subdomain", "hostname"] {
            if pod.contains_key(key) {
                pod.remove(key);
            }
        }
        if list(spec, "volumeClaimTemplates").is_empty() {
            return;
        }
        let mut claims = Map::new();
        for (_, claim) in maps(spec, "volumeClaimTemplates") {
            let name = text(child_or_empty(claim, "metadata"), "name");
            claims.insert(name, map!({ "name": name, "persistentVolumeClaim": { "claimName": name } }));
        }
        let own = list(pod, "volumes").iter().filter(|it| !claims.contains_key(it.str_at("name").unwrap_or("")));
        let volumes: List = claims.values().chain(own).cloned().collect();
        pod.insert("volumes", volumes);
    });
    made
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    let mut before = Errors::new();
    validate(old, Check::Changed, &mut before);
    let check = if before.is_empty() { Check::Changed } else { Check::ChangedBesidesTemplate };
    validate(new, check, errors);
    const CHANGEABLE: [&str; 7] = [
        "replicas",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "ordinals",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ];
    let fixed = |it: &Object| spec(it).filtered(|key, value| !CHANGEABLE.contains(&key) && !is_nothing(value));
    if fixed(new) != fixed(old) {
        Path::root("spec").forbidden(errors, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_list().is_some_and(|it| it.is_empty())
}

fn validate_status(new: &Object, old: &Object, errors: &mut Errors) {
    const COUNTS: [&str; 7] = [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    const PARTS: [&str; 4] = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
    workload::replica_counts(status(new), &COUNTS, &PARTS, "status.readyReplicas", errors);
    workload::collisions_grow(new, old, errors);
}

fn all_warnings(new: &Object, old: Option<&Object>) -> Vec<String> {
    let changed = old.is_none_or(|old| crate::spec_changed(new, old));
    let mut res = if changed {
        pod_template::warnings_of(columns::template(new), &Path::root("spec.template"))
    } else {
        Vec::new()
    };
    let path = Path::root("spec.volumeClaimTemplates");
    for (idx, claim) in maps(spec(new), "volumeClaimTemplates") {
        let path = path.index(idx);
        // A slip of upstream's in updates.
        let inner = path.child("Spec");
        let path = if old.is_some() { &inner } else { &path };
        warnings::claim_spec(child_or_empty(claim, "spec"), path, &mut res);
    }
    if opt_int(spec(new), "revisionHistoryLimit").is_some_and(|it| it < 0) {
        res.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
    res
}

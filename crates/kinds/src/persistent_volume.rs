//! PersistentVolume. Follows `pkg/registry/core/persistentvolume` and `ValidatePersistentVolumeSpec`.

mod source;

use meta::{Errors, Object, names};
use value::{Map, Value, map, time};

use crate::path::Path;
use crate::persistent_volume_claim::{class_warning, deprecated_note, short_modes, volume_mode};
use crate::pod_template::fields::{
    self, child, child_or_empty, has, maps, named, one_of, opt_text, set_if_empty, text,
};
use crate::pod_template::{access_modes, internal, labels, resources, warnings};
use crate::storage_class::class_of;
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, Strategy, Subresource, columns, keep_status};

pub(crate) const KIND: Kind = Kind {
    short_names: &["pv"],
    definition: "io.k8s.api.core.v1.PersistentVolume",
    subresources: &[Subresource::status("PersistentVolume")],
    columns: || COLUMNS,
    // A bug upstream, kept for old clients.
    strategy: Strategy {
        default,
        prepare_create: |it| {
            let now = time::format_secs(it.meta.created.unwrap_or(0));
            it.body.insert("status", map!({ "phase": "Pending", "lastPhaseTransitionTime": now }));
        },
        prepare_update: keep_status,
        validate: |it, errors| {
            validate(it, errors);
            mount_options(it, errors);
        },
        validate_update,
        stamp_status: note_transition,
        warnings: |it, _| warnings_of(it),
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "", "v1", "PersistentVolume", "persistentvolumes")
};

/// When the phase changed last, unless the writer says so.
fn note_transition(new: &mut Object, old: &Object, now: i64) {
    const KEY: &str = "lastPhaseTransitionTime";
    let before = status(old);
    let (now, said) = (time::format_secs(now), status(new).get(KEY).filter(|it| !it.is_null()).cloned());
    let since = if text(status(new), "phase") == text(before, "phase") {
        said.or_else(|| before.get(KEY).cloned())
    } else if said.is_none() || said.as_ref() == before.get(KEY) {
        Some(now.into())
    } else {
        said
    };
    if let Some(since) = since {
        edit_or_make(&mut new.body, "status", |it| it.insert(KEY, since));
    }
}

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::text("Capacity", "How much the volume holds.", |it, _| columns::quantity(it, "spec.capacity.storage")),
    columns::text("Access Modes", "How the volume may be mounted.", |it, _| short_modes(spec(it)).into()),
    columns::text("Reclaim Policy", "What becomes of the volume after its claim.", |it, _| {
        columns::string(it, "spec.persistentVolumeReclaimPolicy")
    }),
    columns::text("Status", "Whether a claim has the volume.", |it, _| {
        if it.meta.is_deleted() { "Terminating".into() } else { columns::string(it, "status.phase") }
    }),
    columns::text("Claim", "The claim that has the volume.", |it, _| {
        let claim = child(spec(it), "claimRef");
        claim
            .map_or_else(String::new, |it| format!("{}/{}", fields::text(it, "namespace"), fields::text(it, "name")))
            .into()
    }),
    columns::text("StorageClass", "The class of the volume.", |it, _| class_of(it).into()),
    columns::text("VolumeAttributesClass", "The class of the volume's attributes.", |it, _| {
        columns::string_or_unset(it, "spec.volumeAttributesClassName")
    }),
    columns::text("Reason", "Why the volume failed.", |it, _| columns::string(it, "status.reason")),
    columns::created(),
    columns::wide(columns::text("VolumeMode", "Whether there is a file system on it.", |it, _| {
        columns::string_or_unset(it, "spec.volumeMode")
    })),
];

fn default(it: &mut Object) {
    edit_or_make(&mut it.body, "status", |status| set_if_empty(status, "phase", "Pending"));
    edit_or_make(&mut it.body, "spec", |spec| {
        set_if_empty(spec, "persistentVolumeReclaimPolicy", "Retain");
        spec.set_default("volumeMode", "Filesystem");
        resources::round(spec, "capacity");
        spec.edit_map("hostPath", |it| it.set_default("type", ""));
        spec.edit_map("rbd", |it| {
            set_if_empty(it, "pool", "rbd");
            set_if_empty(it, "user", "admin");
            set_if_empty(it, "keyring", "/etc/ceph/keyring");
        });
        spec.edit_map("iscsi", |it| set_if_empty(it, "iscsiInterface", "default"));
        spec.edit_map("azureDisk", |it| {
            it.set_default("cachingMode", "ReadWrite");
            it.set_default("fsType", "ext4");
            it.set_default("readOnly", false);
            it.set_default("kind", "Shared");
        });
        spec.edit_map("scaleIO", |it| {
            set_if_empty(it, "storageMode", "ThinProvisioned");
            set_if_empty(it, "fsType", "xfs");
        });
    });
}

fn validate(it: &Object, errors: &mut Errors) {
    validate_spec(spec(it), it.name(), false, &Path::root("spec"), errors);
}

const INLINE: &str = "in the context of inline volumes";

/// `ValidatePersistentVolumeSpec`; a volume that stands inside an attachment has few fields.
pub(crate) fn validate_spec(spec: &Map, name: &str, is_inline: bool, path: &Path<'_>, errors: &mut Errors) {
    let no_inline = |key: &str, errors: &mut Errors| {
        path.child(key).forbidden(errors, &format!("may not be specified {INLINE}"));
    };
    if is_inline {
        for key in ["claimRef", "capacity"] {
            if has(spec, key) {
                no_inline(key, errors);
            }
        }
        if !has(spec, "csi") {
            path.child("csi").required(errors, &format!("has to be specified {INLINE}"));
        }
    }
    access_modes(spec, "", &path.child("accessModes"), errors);
    if !is_inline {
        capacity(spec, &path.child("capacity"), errors);
    }
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    let policy_path = path.child("persistentVolumeReclaimPolicy");
    if is_inline && !matches!(policy, "" | "Retain") {
        policy_path.forbidden(errors, &format!("may only be Retain {INLINE}"));
    } else if !is_inline && !policy.is_empty() {
        one_of(policy, &["Delete", "Recycle", "Retain"], &policy_path, errors);
    }
    match child(spec, "nodeAffinity") {
        Some(_) if is_inline => no_inline("nodeAffinity", errors),
        Some(affinity) => {
            let path = path.child("nodeAffinity.required");
            match child(affinity, "required") {
                Some(required) => labels::validate_node_selector(required, &path, errors),
                None => path.required(errors, "must specify required node constraints"),
            }
        }
        None => (),
    }
    source::validate(spec, name, path, errors);
    let host = child(spec, "hostPath").map_or("", |it| text(it, "path"));
    if !host.is_empty() && source::is_root(host) && policy == "Recycle" {
        policy_path.forbidden(errors, "may not be 'recycle' for a hostPath mount of '/'");
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() && is_inline {
        no_inline("storageClassName", errors);
    } else if !class.is_empty() {
        named(class, names::dns_subdomain, &path.child("storageClassName"), errors);
    }
    if !is_inline {
        volume_mode(spec, path, errors);
        attributes_class(spec, path, errors);
    } else if opt_text(spec, "volumeMode").is_some_and(|it| it != "Filesystem") {
        path.child("volumeMode")
            .forbidden(errors, &format!("may not specify volumeMode other than Filesystem {INLINE}"));
    }
}

fn attributes_class(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let Some(class) = opt_text(spec, "volumeAttributesClassName") else { return };
    let class_path = path.child("volumeAttributesClassName");
    if class.is_empty() {
        class_path.required(errors, "an empty string is disallowed");
    } else {
        named(class, names::dns_subdomain, &class_path, errors);
    }
    if !has(spec, "csi") {
        path.child("csi").required(errors, "has to be specified when using volumeAttributesClassName");
    }
}

fn capacity(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let amounts = child_or_empty(spec, "capacity");
    if amounts.is_empty() {
        path.required(errors, "");
    }
    if !amounts.contains_key("storage") || amounts.len() > 1 {
        let bad = if has(spec, "capacity") { Value::from(amounts) } else { Value::Null };
        path.not_supported(errors, bad, &["storage"]);
    }
    for (name, amount) in resources::amounts(amounts) {
        let path = path.key(name);
        if amount.value() < 0 {
            path.invalid(errors, amount.value(), "must be a valid resource quantity");
        }
        if amount.is_negative() || amount.is_zero() {
            path.invalid(errors, amount.to_string(), "must be greater than zero");
        }
    }
}

/// Kinds of volumes that take options when they are mounted.
const WITH_OPTIONS: &[&str] = &[
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "iscsi",
    "cinder",
    "cephfs",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
];
const OPTIONS_NOTE: &str = "volume.beta.kubernetes.io/mount-options";

fn mount_options(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    if it.meta.annotations.contains_key(OPTIONS_NOTE) && !WITH_OPTIONS.iter().any(|key| has(spec, key)) {
        let path = Path::root("metadata.annotations");
        path.child(OPTIONS_NOTE).forbidden(errors, "may not specify mount options for this volume type");
    }
}

fn validate_update(new: &Object, old: &Object, errors: &mut Errors) {
    validate(new, errors);
    mount_options(new, errors);
    validate(new, errors);
    let (now, before) = (spec(new), spec(old));
    let mut sources = source::only(now);
    let old_sources = source::only(before);
    if let (Some(was), Some(_)) = (child(before, "csi"), child(now, "csi"))
        && !has(was, "controllerExpandSecretRef")
    {
        sources.edit_map("csi", |it| {
            if it.contains_key("controllerExpandSecretRef") {
                it.remove("controllerExpandSecretRef");
            }
        });
    }
    if sources != old_sources {
        let shown = |it: &Map| internal::pretty(it, "PersistentVolumeSource");
        let diff = crate::pod::diff::unified(&shown(&old_sources), &shown(&sources));
        let detail = format!("spec.persistentvolumesource is immutable after creation\n{diff}");
        Path::root("spec.persistentvolumesource").forbidden(errors, &detail);
    }
    let same = |key: &str| now.get(key).filter(|it| !it.is_null()) == before.get(key).filter(|it| !it.is_null());
    let bad = |key: &str| now.get(key).cloned().unwrap_or_default();
    if !same("volumeMode") {
        Path::root("volumeMode").invalid(errors, bad("volumeMode"), "field is immutable");
    }
    if has(before, "nodeAffinity") && !same("nodeAffinity") && !only_renames(now, before) {
        let affinity = bad("nodeAffinity");
        let shown = affinity.as_map().map_or(Value::Null, |it| internal::bad_value(it, "VolumeNodeAffinity"));
        let detail = "field is immutable, except for updating from beta label to GA";
        Path::root("nodeAffinity").invalid(errors, shown, detail);
    }
    if has(before, "volumeAttributesClassName") && !has(now, "volumeAttributesClassName") {
        Path::root("spec.volumeAttributesClassName").forbidden(errors, "update from non-nil value to nil is forbidden");
    }
}

fn warnings_of(it: &Object) -> Vec<String> {
    let mut res = Vec::new();
    class_warning(it, &mut res);
    deprecated_note(it, OPTIONS_NOTE, "deprecated since v1.31; use \"mountOptions\" attribute instead", &mut res);
    let spec = spec(it);
    if text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        res.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".to_owned());
    }
    if let Some(required) = child(spec, "nodeAffinity").and_then(|it| child(it, "required")) {
        let path = Path::root("spec.nodeAffinity.required.nodeSelectorTerms");
        for (idx, term) in maps(required, "nodeSelectorTerms") {
            warnings::node_term(term, false, &path.index(idx), &mut res);
        }
    }
    for (key, shown, since) in [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ] {
        if has(spec, key) {
            res.push(format!("spec.{shown}: {since}"));
        }
    }
    res
}

/// Labels of nodes that have another name since.
const RENAMED_LABELS: [(&str, &str); 5] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
];

/// Whether an affinity differs in that it calls labels by their new names and in nothing else (`validatePvNodeAffinity`).
fn only_renames(now: &Map, before: &Map) -> bool {
    let keys = |spec: &Map| -> Vec<String> {
        let required = child(spec, "nodeAffinity").and_then(|it| child(it, "required"));
        let terms = required.into_iter().flat_map(|it| maps(it, "nodeSelectorTerms"));
        let all = terms.flat_map(|(_, term)| maps(term, "matchExpressions"));
        all.map(|(_, it)| text(it, "key").to_owned()).collect()
    };
    let mut new_keys = keys(now).into_iter();
    let mut renamed = before.clone();
    renamed.edit_map("nodeAffinity", |affinity| {
        affinity.edit_map("required", |required| {
            required.edit_maps("nodeSelectorTerms", |term| {
                term.edit_maps("matchExpressions", |it| {
                    let Some(key) = new_keys.next() else { return };
                    if RENAMED_LABELS.contains(&(text(it, "key"), &*key)) {
                        it.insert("key", &*key);
                    }
                });
            });
        });
    });
    now.get("nodeAffinity") == renamed.get("nodeAffinity")
}

//! CSIDriver. Follows `pkg/apis/storage/validation` and `pkg/apis/storage/v1/defaults.go`.

use std::collections::BTreeSet;

use meta::{Errors, Object};
use value::Value;

use crate::path::Path;
use crate::pod_template::fields::{has, list, maps, one_of, opt_int, opt_text, text, texts};
use crate::workload::{edit_or_make, spec};
use crate::{Kind, Scope, Strategy, columns};

const TOKEN_SECONDS_MIN: i64 = 600;
const TOKEN_SECONDS_MAX: i64 = 1 << 32;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.storage.v1.CSIDriver",
    columns: || COLUMNS,
    strategy: Strategy {
        default: |it| {
            edit_or_make(&mut it.body, "spec", |spec| {
                spec.set_default("attachRequired", true);
                for key in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
                    spec.set_default(key, false);
                }
                spec.set_default("fsGroupPolicy", "ReadWriteOnceWithFSType");
                if list(spec, "volumeLifecycleModes").is_empty() {
                    spec.insert("volumeLifecycleModes", vec![Value::from("Persistent")]);
                }
            });
        },
        // New drivers have no generation; changes count from there.
        prepare_update: |new, old| {
            if spec(new) != spec(old) {
                new.meta.generation = old.meta.generation + 1;
            }
        },
        validate,
        validate_update: |new, old, errors| {
            validate(new, errors);
            for (key, shown) in
                [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")]
            {
                if spec(new).get(key) != spec(old).get(key) {
                    let bad = spec(new).get(key).cloned().unwrap_or_default();
                    Path::root("spec").child(shown).invalid(errors, bad, "field is immutable");
                }
            }
        },
        warnings: |new, old| {
            let changed = old.is_none_or(|old| spec(new).get("tokenRequests") != spec(old).get("tokenRequests"));
            let asks = !list(spec(new), "tokenRequests").is_empty();
            if changed && asks && !has(spec(new), "serviceAccountTokenInSecrets") {
                return vec!["spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes".to_owned()];
            }
            Vec::new()
        },
        unconditional_update: false,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "storage.k8s.io", "v1", "CSIDriver", "csidrivers")
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::boolean("AttachRequired", "Whether volumes are attached before they are mounted.", |it, _| {
        it.bool_at("spec.attachRequired").unwrap_or(true).into()
    }),
    columns::boolean("PodInfoOnMount", "Whether the driver is told of the pod.", |it, _| {
        it.bool_at("spec.podInfoOnMount").unwrap_or(false).into()
    }),
    columns::boolean("StorageCapacity", "Whether the scheduler looks at the capacity.", |it, _| {
        it.bool_at("spec.storageCapacity").unwrap_or(false).into()
    }),
    columns::text("TokenRequests", "Tokens of the pod's account that the driver gets.", |it, _| {
        if !has(spec(it), "tokenRequests") {
            return "<unset>".into();
        }
        let all: Vec<&str> = maps(spec(it), "tokenRequests").map(|(_, it)| text(it, "audience")).collect();
        all.join(",").into()
    }),
    columns::boolean("RequiresRepublish", "Whether volumes are published again from time to time.", |it, _| {
        it.bool_at("spec.requiresRepublish").unwrap_or(false).into()
    }),
    columns::text("Modes", "Lives of volumes that the driver knows.", |it, _| {
        let all: Vec<&str> = texts(spec(it), "volumeLifecycleModes").map(|(_, it)| it).collect();
        columns::or_none(all.join(",")).into()
    }),
    columns::created(),
];

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    if let Some(policy) = opt_text(spec, "fsGroupPolicy") {
        one_of(policy, &["File", "None", "ReadWriteOnceWithFSType"], &path.child("fsGroupPolicy"), errors);
    }
    let mut audiences = BTreeSet::new();
    for (idx, request) in maps(spec, "tokenRequests") {
        let path = path.child("tokenRequests");
        let path = path.index(idx);
        let audience = text(request, "audience");
        if !audiences.insert(audience) {
            path.child("audience").duplicate(errors, audience);
            continue;
        }
        let seconds_path = path.child("expirationSeconds");
        match opt_int(request, "expirationSeconds") {
            Some(it) if it < TOKEN_SECONDS_MIN => {
                seconds_path.invalid(errors, it, "may not specify a duration less than 10 minutes");
            }
            Some(it) if it > TOKEN_SECONDS_MAX => {
                seconds_path.invalid(errors, it, "may not specify a duration larger than 2^32 seconds");
            }
            _ => (),
        }
    }
    for (_, mode) in texts(spec, "volumeLifecycleModes") {
        one_of(mode, &["Persistent", "Ephemeral"], &path.child("volumeLifecycleModes"), errors);
    }
    if let Some(seconds) = opt_int(spec, "nodeAllocatableUpdatePeriodSeconds").filter(|it| *it < 10) {
        path.child("nodeAllocatableUpdatePeriodSeconds").invalid(
            errors,
            seconds,
            "must be greater than or equal to 10 seconds",
        );
    }
    if let Some(flag) = spec.get("serviceAccountTokenInSecrets").filter(|it| !it.is_null())
        && list(spec, "tokenRequests").is_empty()
    {
        path.child("serviceAccountTokenInSecrets").invalid(
            errors,
            flag,
            "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
        );
    }
}

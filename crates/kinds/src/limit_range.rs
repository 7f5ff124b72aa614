//! LimitRange. Follows `ValidateLimitRange` and `SetDefaults_LimitRangeItem`.

use std::collections::{BTreeMap, BTreeSet};

use meta::{Errors, Object, names};
use value::Map;
use value::quantity::Quantity;

use crate::path::Path;
use crate::pod_template::fields::{child_or_empty, maps, named, text};
use crate::pod_template::resources::{self, Amounts};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy};

pub(crate) const KIND: Kind = Kind {
    short_names: &["limits"],
    definition: "io.k8s.api.core.v1.LimitRange",
    strategy: Strategy {
        default: |it| it.body.edit_map("spec", |it| it.edit_maps("limits", default)),
        prepare_create: |it| {
            // A name nobody else has; upstream draws another.
            if it.meta.name.is_empty() {
                it.meta.name = it.meta.uid.clone();
            }
        },
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        create_on_update: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "LimitRange", "limitranges")
};

const AMOUNTS: [&str; 5] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

/// What containers get is no more than they may have and no less than they must.
fn default(limit: &mut Map) {
    for key in AMOUNTS {
        resources::round(limit, key);
    }
    if text(limit, "type") != "Container" {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
        let have = child_or_empty(limit, to);
        let more: Vec<_> = child_or_empty(limit, from)
            .iter()
            .filter(|(name, _)| !have.contains_key(name))
            .map(|(name, amount)| (name.clone(), amount.clone()))
            .collect();
        if !more.is_empty() {
            let all: Map = have.iter().map(|(name, it)| (name.clone(), it.clone())).chain(more).collect();
            limit.insert(to, all);
        }
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let root = Path::root("spec.limits");
    let mut kinds = BTreeSet::new();
    for (idx, limit) in maps(spec(it), "limits") {
        let path = root.index(idx);
        let kind = text(limit, "type");
        let n_before = errors.list.len();
        named(kind, names::qualified_name, &path.child("type"), errors);
        let is_standard = matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim");
        if errors.list.len() == n_before && !kind.contains('/') && !is_standard {
            path.child("type").invalid(errors, kind, "must be a standard limit type or fully qualified");
        }
        if !kinds.insert(kind) {
            path.child("type").duplicate(errors, kind);
        }
        let limit = Limit::read(limit, kind, &path, errors);
        let names: BTreeSet<&str> = limit.0.values().flat_map(|it| it.keys().copied()).collect();
        for name in names {
            limit.compare(name, &path, errors);
        }
    }
}

/// Amounts by the field in which they stand.
struct Limit<'a>(BTreeMap<&'static str, Amounts<'a>>);

impl<'a> Limit<'a> {
    /// Says what is wrong with names on the way.
    fn read(limit: &'a Map, kind: &str, path: &Path<'_>, errors: &mut Errors) -> Limit<'a> {
        let mut res = Limit(BTreeMap::new());
        for key in AMOUNTS {
            if key == "maxLimitRequestRatio" && kind == "PersistentVolumeClaim" {
                let has = |key: &str| child_or_empty(limit, key).contains_key("storage");
                if !has("min") && !has("max") {
                    let detail = "either minimum or maximum storage value is required, but neither was provided";
                    path.child("limits").required(errors, detail);
                }
            }
            let amounts = child_or_empty(limit, key);
            if kind == "Pod" && matches!(key, "default" | "defaultRequest") {
                if !amounts.is_empty() {
                    path.child(key).forbidden(errors, "may not be specified when `type` is 'Pod'");
                }
                continue;
            }
            for (name, _) in resources::amounts(amounts) {
                let path = path.child(key);
                let path = path.key(name);
                if matches!(kind, "Pod" | "Container") {
                    resources::container_resource_name(name, &path, errors);
                } else {
                    resources::resource_name(name, &path, errors);
                }
            }
            res.0.insert(key, resources::amounts(amounts).collect());
        }
        res
    }

    fn compare(&self, name: &str, path: &Path<'_>, errors: &mut Errors) {
        let amount = |key: &str| self.0.get(key).and_then(|it| it.get(name)).copied();
        let [max, min, default, request, ratio] = AMOUNTS.map(amount);
        let mut check = |low: Option<Quantity>, low_name, high: Option<Quantity>, high_name, key: &str, shows_low| {
            let (Some(low), Some(high)) = (low, high) else { return };
            if low > high {
                let path = path.child(key);
                let bad: Quantity = if shows_low { low } else { high };
                let detail = format!("{low_name} value {low} is greater than {high_name} value {high}");
                path.key(name).invalid(errors, bad.to_string(), &detail);
            }
        };
        check(min, "min", max, "max", "min", true);
        check(min, "min", request, "default request", "defaultRequest", false);
        check(request, "default request", max, "max", "defaultRequest", true);
        check(request, "default request", default, "default limit", "defaultRequest", true);
        check(min, "min", default, "default", "default", true);
        check(default, "default", max, "max", "default", false);
        if let Some(ratio) = ratio {
            let path = path.child("maxLimitRequestRatio");
            ratio_fits(ratio, min, max, &path.key(name), errors);
        }
        if let (Some(default), Some(request)) = (default, request)
            && !resources::may_overcommit(name)
            && default != request
        {
            let detail = format!("default value {default} must equal to defaultRequest value {request} in {name}");
            let path = path.child("defaultRequest");
            path.key(name).invalid(errors, request.to_string(), &detail);
        }
    }
}

fn ratio_fits(ratio: Quantity, min: Option<Quantity>, max: Option<Quantity>, path: &Path<'_>, errors: &mut Errors) {
    const MILLION: i128 = 1_000_000;
    if ratio < Quantity::from_int(1) {
        path.invalid(errors, ratio.to_string(), &format!("ratio {ratio} is less than 1"));
    }
    let (Some(min), Some(max)) = (min, max) else { return };
    let milli = |it: Quantity| i128::from(it.milli_value());
    let (min, max) = (milli(min), milli(max));
    if min <= 0 || milli(ratio) * min <= max * 1000 {
        return;
    }
    // Rounded to six places, halves away from zero.
    let millionths = (max * MILLION * 2 + min) / (min * 2);
    let detail =
        format!("ratio {ratio} is greater than max/min = {}.{:06}", millionths / MILLION, millionths % MILLION);
    path.invalid(errors, ratio.to_string(), &detail);
}

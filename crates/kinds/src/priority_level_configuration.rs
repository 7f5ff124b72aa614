//! PriorityLevelConfiguration. Follows `pkg/apis/flowcontrol/validation`.

use meta::{Errors, Object};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, child_or_empty, has, int, opt_int, text};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, Subresource, columns};

const QUEUES_MAX: i64 = 10_000_000;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
    subresources: &[Subresource::status("PriorityLevelConfiguration")],
    columns: || COLUMNS,
    strategy: Strategy {
        default: |it| it.body.edit_map("spec", default),
        prepare_create: |it| it.body.insert("status", Value::map()),
        validate,
        validate_update: |new, _, errors| validate(new, errors),
        ..Strategy::WORKLOAD
    },
    ..Kind::new(
        Scope::Cluster,
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
    )
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::text("Type", "Whether requests are limited.", |it, _| columns::string(it, "spec.type")),
    columns::text("NominalConcurrencyShares", "Its part of the server.", |it, _| {
        shown(it, "spec.limited.nominalConcurrencyShares")
    }),
    columns::text("Queues", "How many queues there are.", |it, _| {
        shown(it, "spec.limited.limitResponse.queuing.queues")
    }),
    columns::text("HandSize", "How many queues a flow may use.", |it, _| {
        shown(it, "spec.limited.limitResponse.queuing.handSize")
    }),
    columns::text("QueueLengthLimit", "How many requests may wait in one.", |it, _| {
        shown(it, "spec.limited.limitResponse.queuing.queueLengthLimit")
    }),
    columns::created(),
];

fn shown(it: &Object, path: &'static str) -> Value {
    it.i64_at(path).map_or_else(|| "<none>".into(), Value::from)
}

fn default(spec: &mut Map) {
    for (key, shares) in [("exempt", 0), ("limited", 30)] {
        spec.edit_map(key, |it| {
            it.set_default("nominalConcurrencyShares", shares);
            it.set_default("lendablePercent", 0);
            it.edit_map("limitResponse", |it| {
                it.edit_map("queuing", |queuing| {
                    for (key, amount) in [("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)] {
                        if int(queuing, key) == 0 {
                            queuing.insert(key, amount);
                        }
                    }
                });
            });
        });
    }
}

fn validate(it: &Object, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    let kind = text(spec, "type");
    if (it.name() == "exempt") != (kind == "Exempt") {
        path.child("type").invalid(errors, kind, "must be 'Exempt' if and only if `name` is 'exempt'");
    }
    match kind {
        "Exempt" => {
            if has(spec, "limited") {
                path.child("limited").forbidden(errors, "must be nil if the type is not Limited");
            }
            if let Some(exempt) = child(spec, "exempt") {
                shares(exempt, &path.child("exempt"), errors);
            }
        }
        "Limited" => {
            if has(spec, "exempt") {
                path.child("exempt").forbidden(errors, "must be nil if the type is Limited");
            }
            match child(spec, "limited") {
                None => path.child("limited").required(errors, "must not be empty when type is Limited"),
                Some(it) => limited(it, &path.child("limited"), errors),
            }
        }
        _ => path.child("type").not_supported(errors, kind, &["Exempt", "Limited"]),
    }
}

fn shares(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    let shares = int(it, "nominalConcurrencyShares");
    if shares < 0 {
        path.child("nominalConcurrencyShares").invalid(errors, shares, "must be a non-negative integer");
    }
    lendable(it, path, errors);
}

fn lendable(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    if let Some(percent) = opt_int(it, "lendablePercent").filter(|it| !(0..=100).contains(it)) {
        path.child("lendablePercent").invalid(errors, percent, "must be between 0 and 100, inclusive");
    }
}

fn limited(it: &Map, path: &Path<'_>, errors: &mut Errors) {
    let shares = int(it, "nominalConcurrencyShares");
    if shares < 0 {
        path.child("nominalConcurrencyShares").invalid(errors, shares, "must be a non-negative integer");
    }
    let response = child_or_empty(it, "limitResponse");
    let response_path = path.child("limitResponse");
    let queuing_path = response_path.child("queuing");
    match (text(response, "type"), child(response, "queuing")) {
        ("Reject", Some(_)) => {
            queuing_path.forbidden(errors, "must be nil if limited.limitResponse.type is not Limited");
        }
        ("Reject", None) => (),
        ("Queue", None) => {
            queuing_path.required(errors, "must not be empty if limited.limitResponse.type is Limited");
        }
        ("Queue", Some(queuing)) => queues(queuing, &queuing_path, errors),
        (kind, _) => response_path.child("type").not_supported(errors, kind, &["Queue", "Reject"]),
    }
    lendable(it, path, errors);
    if let Some(percent) = opt_int(it, "borrowingLimitPercent").filter(|it| *it < 0) {
        path.child("borrowingLimitPercent").invalid(errors, percent, "if specified, must be a non-negative integer");
    }
}

fn queues(queuing: &Map, path: &Path<'_>, errors: &mut Errors) {
    let [length, queues, hand] = ["queueLengthLimit", "queues", "handSize"].map(|key| int(queuing, key));
    for (key, amount) in [("queueLengthLimit", length), ("queues", queues)] {
        if amount <= 0 {
            path.child(key).invalid(errors, amount, "must be positive");
        }
    }
    if queues > QUEUES_MAX {
        path.child("queues").invalid(errors, queues, &format!("must not be greater than {QUEUES_MAX}"));
    }
    if hand <= 0 {
        path.child("handSize").invalid(errors, hand, "must be positive");
    } else if hand > queues {
        path.child("handSize").invalid(errors, hand, &format!("should not be greater than queues ({queues})"));
    }
}

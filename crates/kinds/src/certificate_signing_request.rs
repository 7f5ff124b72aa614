//! CertificateSigningRequest. Follows `pkg/apis/certificates/validation` and `pkg/registry/certificates`.

use std::collections::BTreeSet;

use meta::{Errors, Object, names, quoted};
use value::{List, Map, Value, base64, time};

use crate::path::Path;
use crate::pod_template::fields::{has, list, maps, one_of, opt_int, opt_text, text, texts};
use crate::workload::{edit_or_make, spec, status};
use crate::{Kind, Scope, SelectableField, Strategy, Subresource, columns};

const SECONDS_MIN: i64 = 600;
const LEGACY: &str = "kubernetes.io/legacy-unknown";
const USAGES: &[&str] = &[
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

pub(crate) const KIND: Kind = Kind {
    short_names: &["csr"],
    definition: "io.k8s.api.certificates.v1.CertificateSigningRequest",
    subresources: &[
        Subresource { name: "approval", ..Subresource::status("CertificateSigningRequest") },
        Subresource::status("CertificateSigningRequest"),
    ],
    columns: || COLUMNS,
    selectable_fields: &[SelectableField {
        name: "spec.signerName",
        read: |it| spec(it).get("signerName").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
    }],
    strategy: Strategy {
        prepare_create,
        prepare_update: |new, old| new.body = old.body.clone(),
        validate: |it, errors| validate(it, None, errors),
        validate_update: |new, old, errors| validate_change(new, old, Part::Whole, errors),
        validate_status: |new, old, errors| validate_change(new, old, Part::Status, errors),
        stamp_status: |new, old, now| {
            keep_decisions(new, old);
            stamp(new, old, now);
        },
        validate_name: |_, _| Vec::new(),
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests")
};

const COLUMNS: &[crate::Column] = &[
    columns::name(),
    columns::created(),
    columns::text("SignerName", "Who is asked to sign.", |it, _| {
        columns::or_none(text(spec(it), "signerName").to_owned()).into()
    }),
    columns::text("Requestor", "Who asks.", |it, _| columns::string(it, "spec.username")),
    columns::text("RequestedDuration", "How long it is to be valid.", |it, _| {
        opt_int(spec(it), "expirationSeconds").map_or_else(|| "<none>".to_owned(), time::human_duration).into()
    }),
    columns::text("Condition", "What became of it.", |it, _| condition(it).into()),
];

fn condition(it: &Object) -> String {
    let has = |kind: &str| maps(status(it), "conditions").any(|(_, it)| text(it, "type") == kind);
    let mut res = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    }
    .to_owned();
    if has("Failed") {
        res.push_str(",Failed");
    }
    if !text(status(it), "certificate").is_empty() {
        res.push_str(",Issued");
    }
    res
}

/// Who asks is who made the object; there is one user.
fn prepare_create(it: &mut Object) {
    edit_or_make(&mut it.body, "spec", |spec| {
        if spec.contains_key("extra") {
            spec.remove("extra");
        }
        spec.insert("username", "kubernetes-admin");
        spec.insert("uid", "admin-uid");
        spec.insert("groups", vec![Value::from("system:masters"), Value::from("system:authenticated")]);
    });
    it.body.insert("status", Value::map());
}

fn validate(it: &Object, old: Option<&Object>, errors: &mut Errors) {
    let spec = spec(it);
    let path = Path::root("spec");
    if let Some(problem) = request_problem(text(spec, "request")) {
        let bad = opt_text(spec, "request").filter(|it| !it.is_empty()).map_or(Value::Null, Value::from);
        path.child("request").invalid(errors, bad, problem);
    }
    let usages = path.child("usages");
    if list(spec, "usages").is_empty() {
        usages.required(errors, "");
    }
    for (idx, usage) in texts(spec, "usages") {
        one_of(usage, USAGES, &usages.index(idx), errors);
    }
    let mut seen = BTreeSet::new();
    for (idx, usage) in texts(spec, "usages") {
        if !seen.insert(usage) {
            usages.index(idx).duplicate(errors, usage);
        }
    }
    let (name, path_of_signer) = (text(spec, "signerName"), path.child("signerName"));
    if name == LEGACY && old.is_none() {
        path_of_signer.invalid(errors, name, "the legacy signerName is not allowed via this API version");
    } else {
        signer(name, &path_of_signer, errors);
    }
    if let Some(seconds) = opt_int(spec, "expirationSeconds").filter(|it| *it < SECONDS_MIN) {
        let detail = "may not specify a duration less than 600 seconds (10 minutes)";
        path.child("expirationSeconds").invalid(errors, seconds, detail);
    }
    conditions(status(it), &Path::root("status.conditions"), errors);
    let certificate = text(status(it), "certificate");
    if old.is_none_or(|it| text(status(it), "certificate") != certificate)
        && let Some(problem) = certificate_problem(certificate)
    {
        Path::root("status.certificate").invalid(errors, "<certificate data>", &problem);
    }
}

/// What is wrong with PEM text as the certificate; what is inside its blocks is not looked at.
fn certificate_problem(encoded: &str) -> Option<String> {
    let bytes = base64::decode(encoded).unwrap_or_default();
    if bytes.is_empty() {
        return None;
    }
    let pem = String::from_utf8_lossy(&bytes);
    let kinds = pem.lines().filter_map(|it| it.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    let mut others = kinds.clone().filter(|it| *it != "CERTIFICATE");
    match others.next() {
        Some(other) => Some(format!("only CERTIFICATE PEM blocks are allowed, found {}", quoted(other))),
        None if kinds.count() == 0 => Some("must contain at least one CERTIFICATE PEM block".to_owned()),
        None => None,
    }
}

/// Whether the base64 text holds a PEM block of the right kind; what is inside is not looked at.
fn request_problem(base64: &str) -> Option<&'static str> {
    // `-----BEGIN CERTIFICATE REQUEST-----` in base64, as far as it ends on a whole byte, and the same with `NEW`.
    const STARTS: [&str; 2] =
        ["LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS", "LS0tLS1CRUdJTiBORVcgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0t"];
    let is_request = STARTS.iter().any(|it| base64.starts_with(it));
    (!is_request).then_some("PEM block type must be CERTIFICATE REQUEST")
}

/// `ValidateSignerName`
fn signer(name: &str, path: &Path<'_>, errors: &mut Errors) {
    const DOMAIN_MAX: usize = 253;
    const FORM: &str = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    if name.is_empty() {
        return path.required(errors, "");
    }
    let (domain, tail) = match name.split_once('/') {
        Some((domain, tail)) if !tail.contains('/') => (domain, tail),
        _ => return path.invalid(errors, name, FORM),
    };
    if domain.len() > DOMAIN_MAX {
        path.too_long(errors, DOMAIN_MAX);
    }
    let mut labels = |text: &str, check: fn(&str) -> Vec<String>| {
        let bad = text.split('.').map(|it| (it, check(it))).find(|(_, it)| !it.is_empty());
        for (label, message) in bad.iter().flat_map(|(label, all)| all.iter().map(move |it| (label, it))) {
            path.invalid(errors, text, &format!("validating label {}: {message}", quoted(label)));
        }
    };
    labels(domain, names::dns_label);
    labels(tail, names::dns_subdomain);
    if !domain.contains('.') {
        path.invalid(errors, domain, "should be a domain with at least two segments separated by dots");
    }
}

fn conditions(status: &Map, path: &Path<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (idx, condition) in maps(status, "conditions") {
        let item = path.index(idx);
        let kind = text(condition, "type");
        if kind.is_empty() {
            item.child("type").required(errors, "");
        }
        let allowed: &[&str] =
            if matches!(kind, "Approved" | "Denied" | "Failed") { &["True"] } else { &["False", "True", "Unknown"] };
        match text(condition, "status") {
            "" => item.child("status").required(errors, ""),
            it => one_of(it, allowed, &item.child("status"), errors),
        }
        let other = if kind == "Approved" { "Denied" } else { "Approved" };
        if matches!(kind, "Approved" | "Denied") && seen.contains(other) {
            path.invalid(errors, kind, "Approved and Denied conditions are mutually exclusive");
        }
        if !seen.insert(kind) {
            item.child("type").duplicate(errors, kind);
        }
    }
}

/// What a write to `approval` may change: the conditions, with times where it gives none.
pub fn prepare_approval(new: &mut Object, old: &Object, now: i64) {
    let conditions = new.at("status.conditions").cloned();
    new.body = old.body.clone();
    let Some(conditions) = conditions else { return };
    edit_or_make(&mut new.body, "status", |status| status.insert("conditions", conditions));
    stamp(new, old, now);
}

/// A write to the status that neither adds nor removes a decision keeps it as it is.
fn keep_decisions(new: &mut Object, old: &Object) {
    for kind in ["Approved", "Denied"] {
        let of_kind = |it: &&Map| text(it, "type") == kind;
        let before: Vec<Map> = maps(status(old), "conditions").map(|(_, it)| it).filter(of_kind).cloned().collect();
        if maps(status(new), "conditions").map(|(_, it)| it).filter(of_kind).count() != before.len() {
            continue;
        }
        let mut kept = before.into_iter();
        new.body.edit_map("status", |status| {
            status.edit_maps("conditions", |it| {
                if text(it, "type") == kind
                    && let Some(old) = kept.next()
                {
                    *it = old;
                }
            });
        });
    }
}

/// Conditions without times get them.
fn stamp(new: &mut Object, old: &Object, now: i64) {
    let now = value::time::format_secs(now);
    let before: List = list(status(old), "conditions").iter().cloned().collect();
    new.body.edit_map("status", |status| {
        status.edit_maps("conditions", |it| {
            if !has(it, "lastUpdateTime") {
                it.insert("lastUpdateTime", &*now);
            }
            if has(it, "lastTransitionTime") {
                return;
            }
            let same = before
                .iter()
                .filter_map(Value::as_map)
                .find(|old| text(old, "type") == text(it, "type") && text(old, "status") == text(it, "status"));
            let since = same.and_then(|it| opt_text(it, "lastTransitionTime")).unwrap_or(&now).to_owned();
            it.insert("lastTransitionTime", since);
        });
    });
}

/// What a write to `approval` must be.
pub fn validate_approval(new: &Object, old: &Object, errors: &mut Errors) {
    validate_change(new, old, Part::Approval, errors);
}

/// Which part of a request a write is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Approval,
    Status,
}

fn validate_change(new: &Object, old: &Object, part: Part, errors: &mut Errors) {
    validate(new, Some(old), errors);
    let of = |it: &Object, kind: &str| -> Vec<Value> {
        list(status(it), "conditions").iter().filter(|it| it.str_at("type") == Some(kind)).cloned().collect()
    };
    let path = Path::root("status.conditions");
    for kind in ["Approved", "Denied", "Failed"] {
        if of(new, kind).len() < of(old, kind).len() {
            path.forbidden(errors, &format!("updates may not remove a condition of type \"{kind}\""));
        }
    }
    for kind in ["Approved", "Denied"] {
        if part != Part::Approval && of(new, kind).len() > of(old, kind).len() {
            path.forbidden(errors, &format!("updates may not add a condition of type \"{kind}\""));
        }
    }
    let [now, before] = [new, old].map(|it| text(status(it), "certificate"));
    let refused = match part {
        Part::Status => (!before.is_empty()).then_some("updates may not modify existing certificate content"),
        _ => Some("updates may not set certificate content"),
    };
    if let Some(detail) = refused.filter(|_| now != before) {
        Path::root("status.certificate").forbidden(errors, detail);
    }
}

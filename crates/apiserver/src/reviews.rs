//! Kinds that are asked and not stored: who am I, may I (`registry/authorization`, `registry/authentication`).

use merge::managed::Update;
use meta::selector::{FieldSelector, LabelSelector};
use meta::{Errors, Metadata, Object, Status};
use value::{Str, Value, json, time, value};

use crate::scope::Call;
use crate::server::ApiServer;

const RESOURCE: &str = "spec.resourceAttributes";
const NON_RESOURCE: &str = "spec.nonResourceAttributes";

/// The answer to a review. Everybody may do everything: the simulation has no authorization yet.
///
/// # Errors
/// What is wrong with the question.
pub(crate) fn answer(api: &mut ApiServer, call: &Call, asked: &Value, manager: &Str) -> Result<Value, Status> {
    let kind = call.kind;
    let mut review = tracked(api, call, manager, asked, kind.definition, "");
    let status = match kind.kind {
        "SelfSubjectReview" => {
            let status = value!({ "userInfo": call.client.user.to_value() });
            let created = value!({ "creationTimestamp": time::format_secs(call.now.secs()) });
            return Ok(value!({
                "apiVersion": kind.api_version(), "kind": Str::literal(kind.kind), "metadata": created, "status": status,
            }));
        }
        "SelfSubjectRulesReview" => {
            if asked.str_at("spec.namespace").unwrap_or("").is_empty() {
                return Err(Status::bad_request("no namespace on request"));
            }
            let status = value!({
                "incomplete": false,
                "nonResourceRules": [{ "nonResourceURLs": ["*"], "verbs": ["*"] }],
                "resourceRules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }],
            });
            return Ok(value!({
                "apiVersion": kind.api_version(), "kind": Str::literal(kind.kind), "metadata": {}, "spec": {}, "status": status,
            }));
        }
        "TokenReview" => {
            if asked.str_at("spec.token").unwrap_or("").is_empty() {
                return Err(Status::bad_request("token is required for TokenReview in authentication"));
            }
            value!({ "error": "invalid bearer token", "user": {} })
        }
        _ => {
            check_access(&review, kind.kind)?;
            let mut status = value!({ "allowed": true });
            let problems = selector_problems(&review);
            if !problems.is_empty() {
                status.set("evaluationError", problems);
            }
            status
        }
    };
    review.body.insert("status", status);
    Ok(review.to_value(&kind.api_version(), kind.kind))
}

/// A NetworkRequest to which only the answer is missing.
///
/// # Errors
/// What is wrong with the question.
pub(crate) fn network_request(api: &mut ApiServer, call: &Call, asked: &Value, manager: &Str) -> Result<Value, Status> {
    let kind = call.kind;
    let mut review = tracked(api, call, manager, asked, kind.definition, "");
    review.body.remove("status");
    let mut errors = Errors::new();
    (kind.strategy.validate)(&review, &mut errors);
    if !errors.is_empty() {
        return Err(Status::invalid(kind.group, kind.kind, &review.meta.name, &errors));
    }
    Ok(review.to_value(&kind.api_version(), kind.kind))
}

/// What a client sent that is not stored, as an object with its managed fields.
pub(crate) fn tracked(
    api: &mut ApiServer,
    call: &Call,
    manager: &Str,
    whole: &Value,
    definition: &str,
    sub: &'static str,
) -> Object {
    let empty = value::Map::new();
    let mut object = Object::from_map(call.kind.id, whole.as_map().unwrap_or(&empty));
    if call.kind.is_namespaced() {
        object.meta.namespace = call.namespace.clone().unwrap_or_default();
    }
    let schema = api.schema.clone();
    let manager = if manager.is_empty() { call.client.manager() } else { manager.clone() };
    let api_version: Str = whole.str_at("apiVersion").unwrap_or_default().into();
    let update = Update { ty: schema.definition(definition), manager, api_version, sub, now_secs: call.now.secs() };
    merge::managed::update(&schema, update, None, &mut object, &api.memo);
    object
}

/// `ValidateSubjectAccessReview` and its like.
fn check_access(review: &Object, kind: &str) -> Result<(), Status> {
    let mut errors = Errors::new();
    let (resource, other) = (review.at(RESOURCE), review.at(NON_RESOURCE));
    // The attributes as Go shows them: in their inner form, whose fields have no other names.
    let inner = || {
        let text = |key: &str| json::to_string(&other.and_then(|it| it.get(key)).cloned().unwrap_or_else(|| "".into()));
        Value::Decimal(format!("{{\"Path\":{},\"Verb\":{}}}", text("path"), text("verb")).into())
    };
    match (resource, other) {
        (Some(_), Some(_)) => {
            errors.invalid(NON_RESOURCE, inner(), "cannot be specified in combination with resourceAttributes");
        }
        (None, None) => {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            errors.invalid(RESOURCE, Value::Null, detail);
        }
        _ => (),
    }
    let has_user = !review.str_at("spec.user").unwrap_or("").is_empty() || !review.list_at("spec.groups").is_empty();
    if !has_user && kind != "SelfSubjectAccessReview" {
        errors.invalid("spec.user", "", "at least one of user or group must be specified");
    }
    for key in ["fieldSelector", "labelSelector"] {
        check_selector(resource.and_then(|it| it.get(key)), &format!("{RESOURCE}.{key}"), &mut errors);
    }
    let is_local = kind == "LocalSubjectAccessReview";
    let mut meta = Metadata { managed: Default::default(), ..review.meta.clone() };
    if is_local {
        meta.namespace = Str::default();
    }
    if meta != Metadata::default() {
        let mut shown = Vec::new();
        crate::layout::write_metadata(&Value::Map(review.meta.to_map()), &mut shown);
        let shown = Value::Decimal(String::from_utf8_lossy(&shown).into_owned().into());
        let detail = if is_local { "must be empty except for namespace" } else { "must be empty" };
        errors.invalid("metadata", shown, detail);
    }
    if is_local {
        let namespace = resource.map(|it| it.str_at("namespace").unwrap_or(""));
        if let Some(namespace) = namespace.filter(|it| review.meta.namespace != *it) {
            errors.invalid("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace");
        }
        if other.is_some() {
            errors.invalid(NON_RESOURCE, inner(), "disallowed on this kind of request");
        }
    }
    // Upstream names no kind: the objects that it decodes do not know theirs.
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("authorization.k8s.io", "", "", &errors)) }
}

fn check_selector(selector: Option<&Value>, path: &str, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    let raw = selector.str_at("rawSelector").unwrap_or("");
    match (raw.is_empty(), selector.list_at("requirements").is_empty()) {
        (false, false) => {
            errors.invalid(format!("{path}.rawSelector"), raw, "may not specified at the same time as requirements");
        }
        (true, true) => {
            let detail = format!("when {path} is specified, requirements or rawSelector is required");
            errors.required(format!("{path}.requirements"), detail);
        }
        _ => (),
    }
}

/// Selectors that cannot be read make no difference but for this text (`BuildEvaluationError`).
fn selector_problems(review: &Object) -> String {
    let mut problems = Vec::new();
    for key in ["fieldSelector", "labelSelector"] {
        let Some(selector) = review.at(RESOURCE).and_then(|it| it.get(key)) else { continue };
        let requirements = selector.list_at("requirements");
        let n_good = requirements.iter().filter(|it| is_readable(it, key)).count();
        let raw = selector.str_at("rawSelector").unwrap_or("");
        let is_raw_good = match key {
            "fieldSelector" => FieldSelector::parse(raw).is_ok(),
            _ => LabelSelector::parse(raw).is_ok(),
        };
        if n_good == requirements.len() && is_raw_good {
            continue;
        }
        let how = if n_good > 0 { "partially ignored" } else { "ignored" };
        problems.push(format!("{RESOURCE}.{key} {how} due to parse error"));
    }
    match problems.len() {
        0 => String::new(),
        1 => problems.remove(0),
        _ => format!("[{}]", problems.join(", ")),
    }
}

fn is_readable(requirement: &Value, key: &str) -> bool {
    let operator = requirement.str_at("operator").unwrap_or("");
    let n_values = requirement.list_at("values").len();
    match (key, operator) {
        (_, "In" | "NotIn") => n_values == 1 || (key == "labelSelector" && n_values > 1),
        ("labelSelector", "Exists" | "DoesNotExist") => n_values == 0,
        _ => false,
    }
}

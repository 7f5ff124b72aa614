//! `token`: a token for a service account. It opens nothing: the simulation has no authentication (`TokenREST`).

use meta::{Errors, Key, KindId, Object, Status};
use value::{Str, Value, json, time, value};

use crate::digest::base64_url;
use crate::reviews;
use crate::scope::Call;
use crate::server::ApiServer;

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";
const API_VERSION: &str = "authentication.k8s.io/v1";
pub(crate) const DEFINITION: &str = "io.k8s.api.authentication.v1.TokenRequest";
/// What a token lives if nobody says otherwise, in seconds.
const SECONDS: i64 = 3_600;
const SECONDS_MIN: i64 = 600;
const SECONDS_MAX: i64 = 1 << 32;
/// Who takes tokens and makes them.
const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// Answers a TokenRequest.
///
/// # Errors
/// 404 for absent objects, `Conflict` for another uid, `Invalid`.
pub(crate) fn issue(api: &mut ApiServer, call: &Call, asked: &Value, manager: &Str) -> Result<Value, Status> {
    let mut asked = asked.clone();
    asked.set("apiVersion", API_VERSION);
    if asked.i64_at("spec.expirationSeconds").is_none() {
        asked.set("spec.expirationSeconds", SECONDS);
    }
    let mut request = reviews::tracked(api, call, manager, &asked, DEFINITION, "token");
    give_back(&mut request);
    let key = call.key();
    if !request.meta.name.is_empty() && request.meta.name != key.name {
        let mut errors = Errors::new();
        let detail = "must match the service account name if specified";
        errors.invalid("metadata.name", &request.meta.name, detail);
        return Err(Status::invalid(GROUP, KIND, &key.name, &errors));
    }
    let account = api.store.get(call.kind.id, &key).cloned().ok_or_else(|| call.not_found())?;
    if !request.meta.uid.is_empty() && request.meta.uid != account.meta.uid {
        let why = format!(
            "the UID in the token request ({}) does not match the UID of the service account ({})",
            request.meta.uid, account.meta.uid
        );
        return Err(Status::conflict(GROUP, KIND, &key.name, &why));
    }
    if request.list_at("spec.audiences").is_empty() {
        request.set("spec.audiences", value!([AUDIENCE]));
    }
    request.meta.name = account.meta.name.clone();
    request.meta.uid = account.meta.uid.clone();
    request.meta.created = Some(call.now.secs());
    check_seconds(&request)?;
    let bound = bound(api, &request, &account)?;
    if request.at("spec.boundObjectRef").is_none() {
        request.set("spec.boundObjectRef", Value::Null);
    }
    let seconds = request.i64_at("spec.expirationSeconds").unwrap_or(SECONDS);
    let expires = call.now.secs().saturating_add(seconds);
    let token = token(api, call.now.secs(), expires, &request, &account, bound);
    request.body.insert("status", value!({ "expirationTimestamp": time::format_secs(expires), "token": token }));
    Ok(request.to_value(API_VERSION, KIND))
}

/// The reference is always there, if only as null, so that nobody comes to own it itself.
fn give_back(request: &mut Object) {
    let mut entries = request.meta.managed.to_vec();
    for entry in &mut entries {
        entry.fields.edit_map("f:spec", |spec| {
            spec.edit_map("f:boundObjectRef", |it| {
                it.remove(".");
            });
        });
    }
    request.meta.managed = entries.into();
}

fn check_seconds(request: &Object) -> Result<(), Status> {
    let seconds = request.i64_at("spec.expirationSeconds").unwrap_or(0);
    let detail = match seconds {
        _ if seconds < SECONDS_MIN => "may not specify a duration less than 10 minutes",
        _ if seconds > SECONDS_MAX => "may not specify a duration larger than 2^32 seconds",
        _ => return Ok(()),
    };
    let mut errors = Errors::new();
    errors.invalid("spec.expirationSeconds", seconds, detail);
    Err(Status::invalid(GROUP, KIND, "", &errors))
}

/// What the token says of the object whose end is its own end.
fn bound(api: &ApiServer, request: &Object, account: &Object) -> Result<Option<(&'static str, Value)>, Status> {
    let Some(reference) = request.at("spec.boundObjectRef").filter(|it| !it.is_null()) else { return Ok(None) };
    let text = |key: &'static str| reference.str_at(key).unwrap_or("");
    let (api_version, name) = (text("apiVersion"), text("name"));
    let get = |kind: KindId, resource: &str, namespace: &Str| {
        let key = Key::new(namespace, name);
        api.store.get(kind, &key).ok_or_else(|| Status::not_found("", resource, name))
    };
    let (object, claim) = match (api_version.contains('/'), text("kind")) {
        (false, "Pod") => {
            let pod = get(kinds::POD, "pods", &account.meta.namespace)?;
            if pod.str_at("spec.serviceAccountName") != Some(account.name()) {
                return Err(Status::bad_request(format!(
                    "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
                    account.name()
                )));
            }
            (pod, "pod")
        }
        (false, "Node") => (get(kinds::NODE, "nodes", &Str::default())?, "node"),
        (false, "Secret") => (get(kinds::SECRET, "secrets", &account.meta.namespace)?, "secret"),
        (_, kind) => {
            let version = if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
            let why = format!("cannot bind token to object of type {version}, Kind={kind}");
            return Err(Status::bad_request(why));
        }
    };
    let uid = text("uid");
    if !uid.is_empty() && object.meta.uid != uid {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(Status::conflict("", text("kind"), name, &why));
    }
    Ok(Some((claim, value!({ "name": name, "uid": &object.meta.uid }))))
}

/// A JSON Web Token with the claims that the real server makes; nobody could check its signature.
fn token(
    api: &mut ApiServer,
    now: i64,
    expires: i64,
    request: &Object,
    account: &Object,
    bound: Option<(&'static str, Value)>,
) -> String {
    let meta = &account.meta;
    let mut about = value!({
        "namespace": &meta.namespace, "serviceaccount": { "name": &meta.name, "uid": &meta.uid },
    });
    if let Some((claim, it)) = bound {
        about.set(claim, it);
    }
    let claims = value!({
        "aud": request.list_at("spec.audiences").to_vec(), "exp": expires, "iat": now, "iss": AUDIENCE, "jti": api.new_uid(),
        "kubernetes.io": about, "nbf": now, "sub": format!("system:serviceaccount:{}:{}", meta.namespace, meta.name),
    });
    let part = |it: &Value| base64_url(json::to_string(it).as_bytes());
    let signature = base64_url(api.new_uid().as_bytes());
    format!("{}.{}.{signature}", part(&value!({ "alg": "none" })), part(&claims))
}

//! `token`: a token for a service account. It opens nothing: the simulation has no authentication (`TokenREST`).

use meta::{Object, Status};
use sim::Instant;
use value::{Value, time, value};

use crate::digest::base64_url;
use crate::server::ApiServer;

/// What a token lives if nobody says otherwise, in seconds.
const SECONDS: i64 = 3_600;

/// Answers a TokenRequest.
///
/// # Errors
/// None yet: whoever asks gets one.
pub(crate) fn issue(api: &mut ApiServer, now: Instant, account: &Object, request: &Value) -> Result<Value, Status> {
    let seconds = request.i64_at("spec.expirationSeconds").unwrap_or(SECONDS);
    let expires = now.secs().saturating_add(seconds);
    let subject = format!("system:serviceaccount:{}:{}", account.namespace(), account.name());
    let claims = value!({ "exp": expires, "iat": now.secs(), "sub": subject });
    let part = |it: &Value| base64_url(value::json::to_string(it).as_bytes());
    let signature = base64_url(api.new_uid().as_bytes());
    let token = format!("{}.{}.{signature}", part(&value!({ "alg": "none" })), part(&claims));
    let mut res = request.clone();
    res.set("metadata.name", &account.meta.name);
    res.set("metadata.namespace", &account.meta.namespace);
    res.set("metadata.creationTimestamp", time::format_secs(now.secs()));
    res.set("spec.expirationSeconds", seconds);
    res.set("status", value!({ "expirationTimestamp": time::format_secs(expires), "token": token }));
    Ok(res)
}

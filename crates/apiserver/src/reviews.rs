//! Kinds that are asked and not stored: who am I, may I (`registry/authorization`, `registry/authentication`).

use meta::Status;
use value::{Value, value};

use crate::scope::Call;
use crate::server::ApiServer;

/// The answer to a review. Everybody may do everything: the simulation has no authorization yet.
///
/// # Errors
/// 400 for a question that lacks something.
pub(crate) fn answer(_api: &ApiServer, call: &Call, asked: &Value) -> Result<Value, Status> {
    let mut res = asked.clone();
    let status = match &*call.kind.kind {
        "SelfSubjectReview" => {
            value!({ "userInfo": { "username": &call.client.user, "groups": ["system:masters", "system:authenticated"] } })
        }
        "TokenReview" => {
            if asked.str_at("spec.token").unwrap_or("").is_empty() {
                return Err(Status::bad_request("token is required for TokenReview in authentication"));
            }
            value!({ "error": "invalid bearer token", "user": {} })
        }
        "SelfSubjectRulesReview" => {
            if asked.str_at("spec.namespace").unwrap_or("").is_empty() {
                return Err(Status::bad_request("no namespace on request"));
            }
            value!({
                "incomplete": false,
                "nonResourceRules": [{ "nonResourceURLs": ["*"], "verbs": ["*"] }],
                "resourceRules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }],
            })
        }
        _ => value!({ "allowed": true }),
    };
    res.set("status", status);
    Ok(res)
}

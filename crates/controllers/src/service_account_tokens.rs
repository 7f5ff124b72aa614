//! Fills Secrets of type `kubernetes.io/service-account-token`, and deletes those whose account is gone
//! (`pkg/controller/serviceaccount/tokens_controller.go`).

use std::sync::Arc;

use kinds::{SECRET, SERVICE_ACCOUNT};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::{Map, Str, base64, json, value};

use crate::service_account::CERTIFICATE;

const TYPE: &str = "kubernetes.io/service-account-token";
const NAME: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";

#[derive(Default)]
pub(crate) struct Tokens;

impl Reconciler for Tokens {
    fn name(&self) -> &'static str {
        "serviceaccount-token"
    }

    fn kind(&self) -> KindId {
        SECRET
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(SECRET), Watch::map(SERVICE_ACCOUNT, of_account)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(secret) = cx.get(SECRET, key).filter(|it| is_token(it) && !it.meta.is_deleted()) else {
            return Ok(Action::AwaitChange);
        };
        match account_of(cx, &secret) {
            Some(account) => fill(cx, &secret, &account)?,
            None => match cx.delete(SECRET, key) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => (),
            },
        }
        Ok(Action::AwaitChange)
    }
}

fn is_token(secret: &Object) -> bool {
    secret.str_at("type") == Some(TYPE)
}

/// The account that a Secret names; none where another has taken its name since.
fn account_of(cx: &Cx<'_>, secret: &Object) -> Option<Arc<Object>> {
    let account = cx.get(SERVICE_ACCOUNT, &Key::new(secret.namespace(), secret.meta.annotation(NAME)?))?;
    let uid = secret.meta.annotation(UID).filter(|it| !it.is_empty());
    uid.is_none_or(|it| account.meta.uid == it).then_some(account)
}

/// Adds what is missing: the token stays as it is once it is there.
fn fill(cx: &mut Cx<'_>, secret: &Object, account: &Object) -> Result<(), Status> {
    let encoded = |text: &str| Str::from(base64::encode(text.as_bytes()));
    let mut data = secret.map_at("data").cloned().unwrap_or_default();
    let certificate = encoded(CERTIFICATE);
    let has = |data: &Map, key: &str, text: &Str| data.get(key).and_then(|it| it.as_shared_str()) == Some(text);
    if !has(&data, "ca.crt", &certificate) {
        data.insert("ca.crt", certificate);
    }
    if data.get("namespace").is_none_or(|it| it.as_str() == Some("")) {
        data.insert("namespace", encoded(secret.namespace()));
    }
    if data.get("token").is_none_or(|it| it.as_str() == Some("")) {
        data.insert("token", encoded(&token(secret, account)));
    }
    let mut with = secret.clone();
    with.meta.annotations.insert(NAME, &account.meta.name);
    with.meta.annotations.insert(UID, &account.meta.uid);
    with.body.insert("data", data);
    if with.meta.annotations != secret.meta.annotations || with.body != secret.body {
        cx.update(with)?;
    }
    Ok(())
}

/// A JSON Web Token with the claims of tokens that do not expire; nobody could check its signature.
fn token(secret: &Object, account: &Object) -> String {
    let (namespace, name) = (account.namespace(), account.name());
    let claims = value!({
        "iss": "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": namespace,
        "kubernetes.io/serviceaccount/secret.name": secret.name(),
        "kubernetes.io/serviceaccount/service-account.name": name,
        "kubernetes.io/serviceaccount/service-account.uid": &account.meta.uid,
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let part = |text: &str| base64::encode(text.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "");
    let head = json::to_string(&value!({ "alg": "none" }));
    format!("{}.{}.{}", part(&head), part(&json::to_string(&claims)), part(&secret.meta.uid))
}

/// Secrets that name the account.
fn of_account(change: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    let account = change.object();
    // What else changes of an account makes no difference.
    if change.before.is_some() && change.after.is_some() {
        return;
    }
    let secrets = view.list(SECRET, None).filter(|it| it.namespace() == account.namespace() && is_token(it));
    keys.extend(secrets.filter(|it| it.meta.annotation(NAME) == Some(account.name())).map(|it| it.key()));
}

//! Gives every namespace its `default` service account and the cluster's root certificate
//! (`pkg/controller/serviceaccount`, `pkg/controller/certificates/rootcacertpublisher`).

use kinds::{CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::{Map, map};

const ROOT_CA: &str = "kube-root-ca.crt";
/// Nothing in the simulation is encrypted: the certificate says so.
pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nRHJ5ZG9jayBzaW11bGF0ZXMgYSBjbHVzdGVyLiBUaGlzIGlzIG5vIGNlcnRpZmljYXRlLg==\n-----END CERTIFICATE-----\n";

/// Keeps the `default` service account.
#[derive(Default)]
pub(crate) struct ServiceAccounts;

impl Reconciler for ServiceAccounts {
    fn name(&self) -> &'static str {
        "serviceaccount"
    }

    fn kind(&self) -> KindId {
        NAMESPACE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(NAMESPACE), Watch::map(SERVICE_ACCOUNT, namespace_of_removed)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        ensure(cx, key, SERVICE_ACCOUNT, "default", Map::new(), Map::new())
    }
}

/// Keeps the ConfigMap `kube-root-ca.crt`.
#[derive(Default)]
pub(crate) struct RootCa;

impl Reconciler for RootCa {
    fn name(&self) -> &'static str {
        "root-ca-certificate-publisher"
    }

    fn kind(&self) -> KindId {
        NAMESPACE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(NAMESPACE), Watch::map(CONFIG_MAP, namespace_of_root_ca)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let data = map!({ "data": { "ca.crt": CERTIFICATE } });
        let annotations = map!({ "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters." });
        ensure(cx, key, CONFIG_MAP, ROOT_CA, annotations, data.clone())?;
        let Some(live) = cx.get(CONFIG_MAP, &Key::new(&key.name, ROOT_CA)) else { return Ok(Action::AwaitChange) };
        if live.at("data") != data.get("data") {
            let mut update = Object::clone(&live);
            update.body.insert("data", data.get("data").cloned().unwrap_or_default());
            cx.update(update)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// Creates an object in a namespace that is not going away, unless it is there.
fn ensure(
    cx: &mut Cx<'_>,
    namespace: &Key,
    kind: KindId,
    name: &str,
    annotations: Map,
    body: Map,
) -> Result<Action, Status> {
    let is_active = cx.get(NAMESPACE, namespace).is_some_and(|it| !it.meta.is_deleted());
    let key = Key::new(&namespace.name, name);
    if !is_active || cx.get(kind, &key).is_some() {
        return Ok(Action::AwaitChange);
    }
    let meta = Metadata { annotations, ..Metadata::new(key.namespace, key.name) };
    match cx.create(Object { kind, meta, body }) {
        Err(status) if !status.is_already_exists() => Err(status),
        _ => Ok(Action::AwaitChange),
    }
}

fn namespace_of_removed(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    if change.after.is_none() && change.object().name() == "default" {
        keys.push(Key::cluster(change.object().namespace()));
    }
}

fn namespace_of_root_ca(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    if change.before.is_some() && change.object().name() == ROOT_CA {
        keys.push(Key::cluster(change.object().namespace()));
    }
}

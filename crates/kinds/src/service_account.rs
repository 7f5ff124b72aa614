//! ServiceAccount. Follows `pkg/registry/core/serviceaccount`.

use meta::Object;
use value::{List, Value, map};

use crate::pod_template::fields::{as_map, text};
use crate::{Kind, Scope, Strategy, Subresource, columns};

const MOUNTABLE_SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";

pub(crate) const KIND: Kind = Kind {
    short_names: &["sa"],
    definition: "io.k8s.api.core.v1.ServiceAccount",
    columns: || const { &[columns::name(), columns::created()] },
    subresources: &[Subresource {
        name: "token",
        group: "authentication.k8s.io",
        version: "v1",
        kind: "TokenRequest",
        verbs: &["create"],
    }],
    strategy: Strategy {
        prepare_create: only_names_of_secrets,
        prepare_update: |new, _| only_names_of_secrets(new),
        warnings,
        metadata_checks: 2,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Namespaced, "", "v1", "ServiceAccount", "serviceaccounts")
};

/// `cleanSecretReferences`
fn only_names_of_secrets(account: &mut Object) {
    account.body.edit("secrets", |secrets| {
        let Value::List(list) = secrets else { return };
        let plain = |it: &Value| it.as_map().is_some_and(|it| it.len() == 1 && it.contains_key("name"));
        if !list.iter().all(plain) {
            let named: List = list.iter().map(|it| Value::Map(map!({ "name": text(as_map(it), "name") }))).collect();
            *list = named;
        }
    });
}

fn warnings(account: &Object, old: Option<&Object>) -> Vec<String> {
    let has = |it: &Object| it.meta.annotations.contains_key(MOUNTABLE_SECRETS);
    if !has(account) || old.is_some_and(has) {
        return Vec::new();
    }
    vec![format!(
        "metadata.annotations[{MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
    )]
}

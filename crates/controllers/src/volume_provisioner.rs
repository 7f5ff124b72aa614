//! Makes and deletes volumes for claims, as the add-on of small clusters does (`rancher.io/local-path`).

use std::sync::Arc;

use kinds::storage_class::class_of;
use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use meta::{Key, KindId, Metadata, Object, Status, quoted};
use runtime::volumes::{SELECTED_NODE, reference};
use runtime::{Action, Cx, Reconciler, Watch};
use value::{Map, Value, map, value};

use crate::volume_binder::{PROVISIONED_BY, PROVISIONER};

pub(crate) const NAME: &str = "rancher.io/local-path";

pub(crate) struct Provisioner;

impl Reconciler for Provisioner {
    fn name(&self) -> &'static str {
        "volume-provisioner"
    }

    fn kind(&self) -> KindId {
        PERSISTENT_VOLUME_CLAIM
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::itself(PERSISTENT_VOLUME_CLAIM),
            // Keys of volumes have no namespace.
            Watch::itself(PERSISTENT_VOLUME),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        if !key.namespace.is_empty() {
            if let Some(claim) = cx.get(PERSISTENT_VOLUME_CLAIM, key) {
                provide(cx, &claim)?;
            }
            return Ok(Action::AwaitChange);
        }
        if cx.get(PERSISTENT_VOLUME, key).is_some_and(|it| is_left(&it)) {
            match cx.delete(PERSISTENT_VOLUME, key) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => (),
            }
        }
        Ok(Action::AwaitChange)
    }
}

/// Whether a volume of ours is needed no longer.
fn is_left(volume: &Object) -> bool {
    volume.meta.annotation(PROVISIONED_BY) == Some(NAME)
        && volume.str_at("status.phase") == Some("Released")
        && volume.str_at("spec.persistentVolumeReclaimPolicy") == Some("Delete")
        && !volume.meta.is_deleted()
}

fn provide(cx: &mut Cx<'_>, claim: &Arc<Object>) -> Result<(), Status> {
    let is_ours = claim.meta.annotation(PROVISIONER) == Some(NAME);
    if !is_ours || claim.str_at("spec.volumeName").is_some_and(|it| !it.is_empty()) || claim.meta.is_deleted() {
        return Ok(());
    }
    let name = format!("pvc-{}", claim.meta.uid);
    if cx.get(PERSISTENT_VOLUME, &Key::cluster(name.as_str())).is_some() {
        return Ok(());
    }
    let class_name = class_of(claim).to_owned();
    let Some(class) = cx.get(STORAGE_CLASS, &Key::cluster(class_name.as_str())) else { return Ok(()) };
    let message = format!("External provisioner is provisioning volume for claim {}", quoted(&claim.key().to_string()));
    cx.event(claim, "Normal", "Provisioning", &message);
    if let Err(status) = cx.create(volume(claim, &class, &name)) {
        let message = format!("Failed to create provisioned volume {name}: {}", status.message);
        cx.event(claim, "Warning", "ProvisioningFailed", &message);
        return Err(status);
    }
    cx.event(claim, "Normal", "ProvisioningSucceeded", &format!("Successfully provisioned volume {name}"));
    Ok(())
}

fn volume(claim: &Object, class: &Object, name: &str) -> Object {
    let path = format!("/var/local-path-provisioner/{name}_{}_{}", claim.namespace(), claim.name());
    let mut spec = map!({
        "accessModes": claim.list_at("spec.accessModes").to_vec(),
        "capacity": { "storage": claim.at("spec.resources.requests.storage").cloned().unwrap_or_default() },
        "claimRef": reference(claim),
        "hostPath": { "path": path, "type": "DirectoryOrCreate" },
        "persistentVolumeReclaimPolicy": class.at("reclaimPolicy").cloned().unwrap_or_else(|| "Delete".into()),
        "storageClassName": &class.meta.name,
        "volumeMode": claim.at("spec.volumeMode").cloned().unwrap_or_else(|| "Filesystem".into()),
    });
    if !class.list_at("mountOptions").is_empty() {
        spec.insert("mountOptions", class.list_at("mountOptions").to_vec());
    }
    // What is on a node's disk stays there.
    if let Some(node) = claim.meta.annotation(SELECTED_NODE) {
        let only = value!([{ "key": "kubernetes.io/hostname", "operator": "In", "values": [node] }]);
        let terms = value!([{ "matchExpressions": only }]);
        spec.insert("nodeAffinity", value!({ "required": { "nodeSelectorTerms": terms } }));
    }
    let meta = Metadata { annotations: Map::new().with(PROVISIONED_BY, NAME), ..Metadata::cluster(name) };
    let mut body = Map::new();
    body.insert("spec", Value::Map(spec));
    Object { kind: PERSISTENT_VOLUME, meta, body }
}

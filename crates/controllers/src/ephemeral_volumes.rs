//! Makes the claims of volumes that live as long as their pod (`pkg/controller/volume/ephemeral`).

use kinds::{PERSISTENT_VOLUME_CLAIM, POD};
use meta::{Key, KindId, Metadata, Object, Status};
use runtime::{Action, Cx, News, Reconciler, View, Watch, volumes};
use store::Change;
use value::{Map, Value, map};

use crate::pods;

pub(crate) struct EphemeralVolumes;

impl Reconciler for EphemeralVolumes {
    fn name(&self) -> &'static str {
        "ephemeral-volume"
    }

    fn kind(&self) -> KindId {
        POD
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::map(POD, new_pods).on(News::CREATED),
            Watch::map(PERSISTENT_VOLUME_CLAIM, |change, _, keys| {
                let claim = change.object();
                let owner = claim.meta.controller().filter(|it| change.after.is_none() && it.kind == "Pod");
                keys.extend(owner.map(|it| Key::new(claim.namespace(), &it.name)));
            })
            .on(News::GONE.of_owner("Pod")),
        ]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(pod) = cx.get(POD, key).filter(|it| !it.meta.is_deleted()) else { return Ok(Action::AwaitChange) };
        for volume in pod.list_at("spec.volumes") {
            let Some(template) = volume.map_at("ephemeral.volumeClaimTemplate") else { continue };
            if let Err(why) = make(cx, &pod, volume, template) {
                let what = format!("ephemeral volume {}: {why}", volume.str_at("name").unwrap_or(""));
                cx.event(&pod, "Warning", "FailedBinding", &what);
                return Err(Status::internal(&format!("pod {key}, {what}")));
            }
        }
        Ok(Action::AwaitChange)
    }
}

fn new_pods(change: &Change, _: &View<'_>, keys: &mut Vec<Key>) {
    let Some(pod) = change.after.as_ref().filter(|it| change.before.is_none() && !it.meta.is_deleted()) else { return };
    if pod.list_at("spec.volumes").iter().any(|it| it.get("ephemeral").is_some()) {
        keys.push(pod.key());
    }
}

/// # Errors
/// Why there is no claim.
fn make(cx: &mut Cx<'_>, pod: &Object, volume: &Value, template: &Map) -> Result<(), String> {
    let Some(name) = volumes::claim_name(pod, volume) else { return Ok(()) };
    if let Some(claim) = cx.get(PERSISTENT_VOLUME_CLAIM, &Key::new(pod.namespace(), &name)) {
        return volumes::is_of_other_pod(pod, &claim).map_or(Ok(()), Err);
    }
    let meta_of =
        |key: &'static str| template.get("metadata").and_then(|it| it.map_at(key)).cloned().unwrap_or_default();
    let meta = Metadata {
        labels: meta_of("labels"),
        annotations: meta_of("annotations"),
        ..Metadata::new(&pod.meta.namespace, &name).owned_by(pods::controller_ref(pod, "v1", "Pod"))
    };
    let body = map!({ "spec": template.get("spec").cloned().unwrap_or_default() });
    let claim = Object { kind: PERSISTENT_VOLUME_CLAIM, meta, body };
    cx.create(claim).map(|_| ()).map_err(|it| format!("create PVC {name}: {}", it.message))
}

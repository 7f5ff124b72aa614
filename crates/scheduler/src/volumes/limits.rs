//! How many volumes of a CSI driver a node may have (`plugins/nodevolumelimits`).

use std::collections::{BTreeMap, BTreeSet};

use kinds::storage_class::class_of;
use kinds::{CSI_NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS, VOLUME_ATTACHMENT};
use meta::{Key, Object};
use runtime::View;
use value::Str;

use crate::cache::{NodeInfo, PodInfo};

/// A volume: its driver, and what the driver calls it.
type Volume = (Str, Str);

/// What is known of the volumes of drivers with limits, for a pod that uses such a one.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Volumes that the pod needs.
    own: Vec<Volume>,
    /// How many volumes of a driver a node may have, by node and driver.
    max: BTreeMap<(Str, Str), i64>,
    /// Volumes of claims.
    of_claims: BTreeMap<Key, Volume>,
    /// Volumes that are attached, by node.
    attached: BTreeSet<(Str, Volume)>,
}

impl Limits {
    /// `None` where no node sets a limit that concerns the pod.
    pub fn of(view: &View<'_>, pod: &PodInfo) -> Option<Limits> {
        let mut max = BTreeMap::new();
        for node in view.list(CSI_NODE, None) {
            for driver in node.list_at("spec.drivers") {
                if let (Some(name), Some(count)) = (driver.str_at("name"), driver.i64_at("allocatable.count")) {
                    max.insert((node.meta.name.clone(), name.into()), count);
                }
            }
        }
        if max.is_empty() {
            return None;
        }
        let volume =
            |name: &Str| volume_of(view, view.get(PERSISTENT_VOLUME_CLAIM, &Key::new(pod.pod.namespace(), name))?);
        let is_limited = |(driver, _): &Volume| max.keys().any(|(_, it)| it == driver);
        let mut own: Vec<Volume> = pod.claims.iter().filter_map(volume).filter(is_limited).collect();
        own.sort();
        own.dedup();
        if own.is_empty() {
            return None;
        }
        let claims = view.list(PERSISTENT_VOLUME_CLAIM, None);
        let of_claims = claims.filter_map(|it| Some((it.key(), volume_of(view, it)?))).collect();
        let attached = view.list(VOLUME_ATTACHMENT, None).filter_map(|it| attachment(view, it)).collect();
        Some(Limits { own, max, of_claims, attached })
    }

    /// Whether the node has no room for the pod's volumes.
    pub fn are_exceeded(&self, node: &NodeInfo) -> bool {
        let claims = node
            .pods
            .values()
            .flat_map(|pod| pod.claims.iter().filter_map(|it| self.of_claims.get(&Key::new(&pod.key.namespace, it))));
        let used: BTreeSet<&Volume> = claims.collect();
        let start = (node.name().clone(), Default::default());
        let attached = self.attached.range(start..).take_while(|(name, _)| name == node.name()).map(|(_, it)| it);
        let mut all = used.clone();
        all.extend(attached);
        let is_new = |it: &&Volume| !used.contains(it);
        self.own.iter().filter(is_new).any(|(driver, _)| {
            let Some(max) = self.max.get(&(node.name().clone(), driver.clone())) else { return false };
            let of_driver = |it: &&&Volume| it.0 == *driver;
            // What is attached but used by no pod counts beside the pod's own claim to it.
            let n_new = self.own.iter().filter(is_new).filter(|it| it.0 == *driver).count();
            (all.iter().filter(of_driver).count() + n_new) as i64 > *max
        })
    }
}

/// The volume of a claim; one that is still to be made has the driver of its class and a name of its own.
fn volume_of(view: &View<'_>, claim: &Object) -> Option<Volume> {
    let name = claim.str_at("spec.volumeName").filter(|it| !it.is_empty());
    if let Some(volume) = name.and_then(|it| view.get(PERSISTENT_VOLUME, &Key::cluster(it))) {
        return of_driver(volume);
    }
    let class = view.get(STORAGE_CLASS, &Key::cluster(class_of(claim)))?;
    let unbound = format!("unbound/{}/{}", claim.namespace(), claim.name());
    Some((class.str_at("provisioner")?.into(), unbound.into()))
}

fn of_driver(volume: &Object) -> Option<Volume> {
    let source = volume.at("spec.csi")?;
    Some((source.str_at("driver")?.into(), source.str_at("volumeHandle")?.into()))
}

fn attachment(view: &View<'_>, it: &Object) -> Option<(Str, Volume)> {
    let volume = view.get(PERSISTENT_VOLUME, &Key::cluster(it.str_at("spec.source.persistentVolumeName")?))?;
    let (_, handle) = of_driver(volume)?;
    Some((it.str_at("spec.nodeName")?.into(), (it.str_at("spec.attacher")?.into(), handle)))
}

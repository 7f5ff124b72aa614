//! The volumes of a pod: which are bound, which are found or made once a node is chosen (`plugins/volumebinding`).

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::storage_class::class_of;
use kinds::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use meta::{Key, Object, Status};
use runtime::volumes::{self as rules, NO_PROVISIONER, SELECTED_NODE, Seeker};
use runtime::{Cx, View};
use value::{Str, Value};

use crate::cache::PodInfo;

mod limits;

pub(crate) use self::limits::Limits;

/// The claims of one pod that is being scheduled.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodVolumes {
    /// Volumes of claims that are bound; `None` for one that does not exist.
    bound: Vec<Option<Arc<Object>>>,
    delayed: Vec<Delayed>,
    /// Claims that only one pod may use at a time.
    exclusive: Vec<Str>,
    /// Zones and regions of bound volumes, as their labels say.
    pub zones: Vec<Zone>,
    pub limits: Option<Limits>,
}

/// Labels of zones and regions, as they were called once and as they are called now.
pub(crate) const DOMAINS: [(&str, &str); 2] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// Where a label of a volume says that it is.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub label: &'static str,
    /// What the label is called now.
    pub modern: &'static str,
    pub values: Vec<Str>,
}

/// A claim that is bound once its pod has a node.
#[derive(Clone, Debug)]
struct Delayed {
    claim: Arc<Object>,
    /// Volumes of its class.
    volumes: Vec<Arc<Object>>,
    class: Option<Arc<Object>>,
}

/// What is to be written before the pod can be bound.
#[derive(Default)]
pub(crate) struct Bindings {
    found: Vec<(Arc<Object>, Arc<Object>)>,
    to_provide: Vec<Arc<Object>>,
}

/// Why a node does not do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Conflict {
    Affinity,
    NoneFound,
    Missing,
}

impl Conflict {
    pub fn reason(self) -> &'static str {
        match self {
            Conflict::Affinity => "node(s) didn't match PersistentVolume's node affinity",
            Conflict::NoneFound => "node(s) didn't find available persistent volumes to bind",
            Conflict::Missing => "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
        }
    }
}

/// Looks the claims of a pod up (`PreFilter`).
///
/// # Errors
/// Why no node does, whichever it is.
pub(crate) fn of(view: &View<'_>, pod: &PodInfo) -> Result<Option<Box<PodVolumes>>, String> {
    let mut res = PodVolumes::default();
    let mut immediate = false;
    let mut missing = None;
    for volume in pod.pod.list_at("spec.volumes") {
        let Some(name) = rules::claim_name(&pod.pod, volume) else { continue };
        let is_own = volume.get("ephemeral").is_some();
        let Some(claim) = view.get(PERSISTENT_VOLUME_CLAIM, &Key::new(pod.pod.namespace(), &name)) else {
            let quoted = meta::quoted(&name);
            return Err(if is_own {
                format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {quoted}")
            } else {
                format!("persistentvolumeclaim {quoted} not found")
            });
        };
        check(pod, claim, is_own)?;
        if claim.list_at("spec.accessModes").iter().any(|it| it.as_str() == Some("ReadWriteOncePod")) {
            res.exclusive.push(name);
        }
        let wanted = claim.str_at("spec.volumeName").unwrap_or("");
        if rules::is_fully_bound(claim) {
            let volume = view.get(PERSISTENT_VOLUME, &Key::cluster(wanted));
            match volume {
                Some(volume) if !is_own => res.zones.extend(zones_of(volume)),
                None if !is_own => missing = missing.or(Some(wanted)),
                _ => (),
            }
            res.bound.push(volume.cloned());
        } else if wanted.is_empty() && rules::is_delayed(view, claim) {
            let class = class_of(claim);
            let volumes = view.list(PERSISTENT_VOLUME, None).filter(|it| class_of(it) == class);
            res.delayed.push(Delayed {
                claim: claim.clone(),
                volumes: volumes.cloned().collect(),
                class: view.get(STORAGE_CLASS, &Key::cluster(class)).cloned(),
            });
        } else {
            immediate = true;
        }
    }
    if immediate {
        return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
    }
    // VolumeZone looks the volumes up before any node is looked at.
    if let Some(name) = missing {
        return Err(format!("persistentvolume {} not found", meta::quoted(name)));
    }
    res.limits = Limits::of(view, pod);
    // The smallest request takes the smallest volume.
    res.delayed.sort_by_key(|it| rules::size(&it.claim));
    Ok(Some(Box::new(res)))
}

/// `getPVTopologies`
fn zones_of(volume: &Object) -> impl Iterator<Item = Zone> {
    let labels = DOMAINS.into_iter();
    labels.chain(DOMAINS.map(|(_, modern)| (modern, modern))).filter_map(|(label, modern)| {
        let values: Vec<Str> = volume.meta.label(label)?.split("__").map(|it| it.trim().into()).collect();
        // A label with an empty part says nothing.
        values.iter().all(|it| !it.is_empty()).then_some(Zone { label, modern, values })
    })
}

fn check(pod: &PodInfo, claim: &Object, is_own: bool) -> Result<(), String> {
    let quoted = meta::quoted(claim.name());
    if claim.str_at("status.phase") == Some("Lost") {
        let volume = meta::quoted(claim.str_at("spec.volumeName").unwrap_or(""));
        return Err(format!("persistentvolumeclaim {quoted} bound to non-existent persistentvolume {volume}"));
    }
    if claim.meta.is_deleted() {
        return Err(format!("persistentvolumeclaim {quoted} is being deleted"));
    }
    match rules::is_of_other_pod(&pod.pod, claim).filter(|_| is_own) {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

impl PodVolumes {
    pub fn exclusive(&self) -> &[Str] {
        &self.exclusive
    }

    /// What a node has to say to the pod's volumes (`FindPodVolumes`).
    pub fn conflicts(&self, node: &Object) -> BTreeSet<Conflict> {
        let mut res = BTreeSet::new();
        for volume in &self.bound {
            match volume {
                None => res.insert(Conflict::Missing),
                Some(volume) if !rules::fits_node(volume, node) => res.insert(Conflict::Affinity),
                Some(_) => continue,
            };
            break;
        }
        if self.bindings(node).is_none() {
            res.insert(Conflict::NoneFound);
        }
        res
    }

    /// How the claims that wait would get volumes on a node.
    fn bindings(&self, node: &Object) -> Option<Bindings> {
        let mut res = Bindings::default();
        let mut chosen = BTreeSet::new();
        for Delayed { claim, volumes, class } in &self.delayed {
            let selected = claim.meta.annotation(SELECTED_NODE);
            if selected.is_some_and(|it| it != node.name()) {
                return None;
            }
            let seeker = Seeker::Scheduler { node, chosen: &chosen };
            if let Some(volume) = rules::find(claim, volumes.iter(), seeker).filter(|_| selected.is_none()) {
                chosen.insert(volume.meta.name.clone());
                res.found.push((volume.clone(), claim.clone()));
                continue;
            }
            let provisioner = class.as_ref().and_then(|it| it.str_at("provisioner")).unwrap_or("");
            if matches!(provisioner, "" | NO_PROVISIONER) || !class.as_ref().is_some_and(|it| reaches(it, node)) {
                return None;
            }
            res.to_provide.push(claim.clone());
        }
        Some(res)
    }

    /// Whether claims have no volume before the pod has a node.
    pub fn waits(&self) -> bool {
        !self.delayed.is_empty()
    }

    /// Writes what is to be bound or made for the node. Answers whether there is anything to wait for.
    ///
    /// # Errors
    /// Whatever the API server answers.
    pub fn bind(&self, cx: &mut Cx<'_>, node: &Object) -> Result<bool, Status> {
        let Some(bindings) = self.bindings(node) else { return Ok(true) };
        for (volume, claim) in &bindings.found {
            if let Some(update) = rules::bound(volume, claim) {
                cx.update(update)?;
            }
        }
        for claim in &bindings.to_provide {
            if claim.meta.annotation(SELECTED_NODE).is_none() {
                let mut update = Object::clone(claim);
                update.meta.annotations.insert(SELECTED_NODE, node.name());
                cx.update(update)?;
            }
        }
        Ok(!self.delayed.is_empty())
    }
}

/// Whether volumes of the class can be made where the node is (`MatchTopologySelectorTerms`).
fn reaches(class: &Object, node: &Object) -> bool {
    let terms = class.list_at("allowedTopologies");
    let matches = |term: &Value| {
        term.list_at("matchLabelExpressions").iter().all(|it| {
            let have = it.str_at("key").and_then(|key| node.meta.label(key));
            it.list_at("values").iter().any(|it| it.as_str().is_some_and(|it| Some(it) == have))
        })
    };
    terms.is_empty() || terms.iter().any(matches)
}

//! Who a pod of a StatefulSet is: its name, its number, its claims, its revision.

use meta::Object;
use value::{Map, Value, value};

use super::{Sync, claims};
use crate::pods;

/// The label with a pod's revision.
pub(super) const REVISION: &str = "controller-revision-hash";
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// `web-3` is number 3 of `web`.
fn parts(pod: &Object) -> Option<(&str, i64)> {
    let (parent, number) = pod.name().rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit());
    if !is_number {
        return None;
    }
    Some((parent, number.parse::<i32>().ok()?.into()))
}

/// The name of the set that a pod's name speaks of.
pub(super) fn parent(pod: &Object) -> Option<&str> {
    parts(pod).map(|(parent, _)| parent)
}

pub(super) fn ordinal(pod: &Object) -> Option<i64> {
    parts(pod).map(|(_, ordinal)| ordinal)
}

pub(super) fn revision(pod: &Object) -> Option<&str> {
    pod.meta.label(REVISION)
}

/// `spec.replicas`
pub(super) fn replicas(set: &Object) -> i64 {
    set.i64_at("spec.replicas").unwrap_or(1)
}

/// The numbers of a set's pods.
pub(super) fn ordinals(set: &Object) -> std::ops::Range<i64> {
    let start = set.i64_at("spec.ordinals.start").unwrap_or(0);
    start..start + replicas(set)
}

fn put_labels(labels: &mut Map, name: &str, ordinal: i64) {
    labels.insert(POD_NAME, name);
    labels.insert(POD_INDEX, ordinal.to_string());
}

/// Whether name and labels are what they should be.
pub(super) fn matches(set: &Object, pod: &Object) -> bool {
    parent(pod) == Some(set.name()) && pod.meta.label(POD_NAME) == Some(pod.name())
}

/// The pod with the labels that it should have.
pub(super) fn with_identity(pod: &Object) -> Object {
    let mut res = pod.clone();
    put_labels(&mut res.meta.labels, pod.name(), ordinal(pod).unwrap_or(0));
    res
}

impl Sync {
    /// The pod of a number, of the revision that it should have (`newVersionedStatefulSetPod`).
    pub(super) fn new_pod(&self, ordinal: i64) -> Object {
        let set = &self.set;
        let is_rolling = set.str_at("spec.updateStrategy.type") == Some("RollingUpdate");
        let start = set.i64_at("spec.ordinals.start").unwrap_or(0);
        let n_current = match set.at("spec.updateStrategy.rollingUpdate") {
            Some(rolling) => rolling.i64_at("partition").unwrap_or(0),
            None if is_rolling => set.i64_at("status.currentReplicas").unwrap_or(0),
            None => 0,
        };
        let (of, revision) = if ordinal < start + n_current {
            (&self.current, self.revisions.current.name())
        } else {
            (&self.update, self.revisions.update.name())
        };
        let mut pod = pods::Template::of(of, "apps/v1", "StatefulSet").pod();
        let name = format!("{}-{ordinal}", set.name());
        put_labels(&mut pod.meta.labels, &name, ordinal);
        pod.meta.labels.insert(REVISION, revision);
        pod.set("spec.hostname", name.as_str());
        if let Some(service) = set.str_at("spec.serviceName").filter(|it| !it.is_empty()) {
            pod.set("spec.subdomain", service);
        }
        pod.meta.name = name.into();
        with_storage(set, &pod)
    }
}

/// The pod with a volume for each claim template (`updateStorage`).
pub(super) fn with_storage(set: &Object, pod: &Object) -> Object {
    let templates = set.list_at("spec.volumeClaimTemplates");
    if templates.is_empty() {
        return pod.clone();
    }
    let name_of = |template: &Value| template.str_at("metadata.name").unwrap_or("").to_owned();
    let mut volumes: Vec<Value> = templates
        .iter()
        .map(|template| {
            let claim = claims::name(set, template, ordinal(pod).unwrap_or(0));
            value!({ "name": name_of(template), "persistentVolumeClaim": { "claimName": claim } })
        })
        .collect();
    let is_ours = |volume: &Value| templates.iter().any(|it| volume.str_at("name") == Some(&name_of(it)));
    volumes.extend(pod.list_at("spec.volumes").iter().filter(|it| !is_ours(it)).cloned());
    let mut res = pod.clone();
    res.set("spec.volumes", volumes);
    res
}

/// Whether the pod has a volume for each claim template.
pub(super) fn has_storage(set: &Object, pod: &Object) -> bool {
    let Some(ordinal) = ordinal(pod) else { return false };
    set.list_at("spec.volumeClaimTemplates").iter().all(|template| {
        let name = template.str_at("metadata.name");
        let volume = pod.list_at("spec.volumes").iter().find(|it| it.str_at("name") == name);
        let claim = volume.and_then(|it| it.str_at("persistentVolumeClaim.claimName"));
        claim == Some(&claims::name(set, template, ordinal))
    })
}

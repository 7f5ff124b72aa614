//! The ReplicaSet of the present template: found, or made (`getNewReplicaSet`).

use std::sync::Arc;

use kinds::REPLICA_SET;
use meta::{Metadata, Object, Status};
use runtime::Cx;
use value::{Map, Str, Value, map};

use super::{HASH_LABEL, REVISION, Sync, arithmetic, condition, replicas, revision, scale};
use crate::{hash, pods};

/// The annotation with the numbers that a set had before.
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The longest history that is kept, in characters.
const HISTORY_LEN_MAX: usize = 2_000;
/// Names are cut to this.
const NAME_LEN_MAX: usize = 253;
/// Annotations that a Deployment does not share with its sets.
const OWN_ANNOTATIONS: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    scale::DESIRED,
    scale::MAX,
    kinds::ROLLBACK_TO,
];

/// Whether a Deployment and its sets each have an annotation of their own (`skipCopyAnnotation`).
pub(super) fn is_own_annotation(key: &str) -> bool {
    OWN_ANNOTATIONS.contains(&key)
}

impl Sync {
    /// Finds the set of the present template, makes it where `create` says so, and keeps revisions in order.
    pub(super) fn find_new(&mut self, cx: &mut Cx<'_>, create: bool) -> Result<(), Status> {
        let template = self.deployment.at("spec.template").cloned().unwrap_or_default();
        self.new = self.sets.iter().find(|it| has_template(it, &template)).cloned();
        let number = hash::next_number(self.old().iter().map(|it| revision(it)));
        match self.new.clone() {
            Some(new) => self.keep_new(cx, &new, number),
            None if create => self.make_new(cx, &template, number),
            None => Ok(()),
        }
    }

    fn keep_new(&mut self, cx: &mut Cx<'_>, new: &Arc<Object>, number: i64) -> Result<(), Status> {
        let mut update = Object::clone(new);
        let annotated = annotate(&mut update, &self.deployment, number);
        let min_ready = |it: &Object| it.i64_at("spec.minReadySeconds").unwrap_or(0);
        if min_ready(new) != min_ready(&self.deployment) {
            update.set("spec.minReadySeconds", min_ready(&self.deployment));
        } else if !annotated {
            let message = format!("Found new replica set {}", meta::quoted(new.name()));
            let text = new.meta.annotation(REVISION).unwrap_or("").to_owned();
            let is_first = condition::get(self.deployment.at("status").unwrap_or(&Value::Null), condition::PROGRESSING);
            let says = is_first.is_none().then_some(("FoundNewReplicaSet", message));
            return self.note_revision(cx, &text, says);
        }
        let updated = cx.update(update)?;
        if let Some(set) = self.sets.iter_mut().find(|it| it.meta.uid == updated.meta.uid) {
            *set = updated.clone();
        }
        self.new = Some(updated);
        Ok(())
    }

    /// Writes the Deployment's revision and a Progressing condition, where either is news.
    fn note_revision(&mut self, cx: &mut Cx<'_>, number: &str, says: Option<(&str, String)>) -> Result<(), Status> {
        let mut update = Object::clone(&self.deployment);
        if update.meta.annotation(REVISION) != Some(number) {
            update.meta.annotations.insert(REVISION, number);
        }
        let mut status = update.at("status").cloned().unwrap_or_default();
        if let Some((reason, message)) = says.filter(|_| self.has_deadline()) {
            let condition = condition::new(condition::PROGRESSING, "True", reason, &message, cx.now_secs());
            condition::set(&mut status, condition);
        }
        if update.meta.annotations != self.deployment.meta.annotations || Some(&status) != self.deployment.at("status")
        {
            self.deployment = cx.update_status(&update, status)?;
        }
        Ok(())
    }

    fn make_new(&mut self, cx: &mut Cx<'_>, template: &Value, number: i64) -> Result<(), Status> {
        let set = self.blank_set(template, number);
        let size = replicas(&set);
        let name = set.meta.name.clone();
        let key = set.key();
        let created = match cx.create(set) {
            Ok(created) => created,
            Err(status) if status.is_already_exists() => {
                let existing = cx.get(REPLICA_SET, &key).ok_or_else(|| status.clone())?;
                let is_ours = existing.meta.controller().is_some_and(|it| it.uid == self.deployment.meta.uid);
                if is_ours && has_template(&existing, template) {
                    self.adopt_new(existing);
                    return self.note_revision(cx, &number.to_string(), None);
                }
                let count = hash::after_collision(self.deployment.i64_at("status.collisionCount"));
                let before = self.deployment.at("status").cloned().unwrap_or_default();
                self.store_status(cx, before.with("collisionCount", count))?;
                return Err(status);
            }
            Err(status) if pods::is_namespace_terminating(&status) => return Err(status),
            Err(status) => {
                let message = format!("Failed to create new replica set {}: {}", meta::quoted(&name), status.message);
                self.note_failure(cx, &message)?;
                return Err(status);
            }
        };
        if size > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {size}");
            cx.event(&self.deployment, "Normal", "ScalingReplicaSet", &message);
        }
        self.adopt_new(created);
        let message = format!("Created new replica set {}", meta::quoted(&name));
        self.note_revision(cx, &number.to_string(), Some(("NewReplicaSetCreated", message)))
    }

    fn adopt_new(&mut self, set: Arc<Object>) {
        if !self.sets.iter().any(|it| it.meta.uid == set.meta.uid) {
            self.sets.push(set.clone());
        }
        self.new = Some(set);
    }

    fn note_failure(&mut self, cx: &mut Cx<'_>, message: &str) -> Result<(), Status> {
        const REASON: &str = "ReplicaSetCreateError";
        if self.has_deadline() {
            let mut status = self.deployment.at("status").cloned().unwrap_or_default();
            let now = cx.now_secs();
            condition::set(&mut status, condition::new(condition::PROGRESSING, "False", REASON, message, now));
            self.store_status(cx, status)?;
        }
        cx.event(&self.deployment, "Warning", REASON, message);
        Ok(())
    }

    /// The set that the present template makes, not stored yet.
    fn blank_set(&self, template: &Value, number: i64) -> Object {
        let deployment = &self.deployment;
        let hash = hash::of_template(template, deployment.i64_at("status.collisionCount"));
        let labels = template.map_at("metadata.labels").cloned().unwrap_or_default().with(HASH_LABEL, hash.as_str());
        let mut selector = deployment.at("spec.selector").cloned().unwrap_or_default();
        let matched = selector.map_at("matchLabels").cloned().unwrap_or_default();
        selector.set("matchLabels", matched.with(HASH_LABEL, hash.as_str()));
        let mut metadata = template.map_at("metadata").cloned().unwrap_or_default();
        metadata.insert("labels", &labels);
        let mut spec = map!({ "replicas": 0, "selector": selector, "template": template.with("metadata", metadata) });
        if let Some(seconds) = deployment.i64_at("spec.minReadySeconds").filter(|it| *it != 0) {
            spec.insert("minReadySeconds", seconds);
        }
        let meta = Metadata {
            labels,
            ..Metadata::new(&deployment.meta.namespace, set_name(deployment.name(), &hash))
                .owned_by(pods::controller_ref(deployment, "apps/v1", "Deployment"))
        };
        let mut set = Object { kind: REPLICA_SET, meta, body: map!({ "spec": spec }) };
        let total: i64 = self.old().iter().map(|it| replicas(it)).sum();
        set.set("spec.replicas", arithmetic::new_size(deployment, total, 0));
        annotate(&mut set, deployment, number);
        scale::annotate(&mut set, deployment);
        set
    }
}

fn set_name(deployment: &str, hash: &str) -> Str {
    let max = NAME_LEN_MAX - 1 - hash.len();
    format!("{}-{hash}", deployment.get(..max).unwrap_or(deployment)).into()
}

/// Whether a set is of a template, its hash aside (`EqualIgnoreHash`).
pub(super) fn has_template(set: &Object, template: &Value) -> bool {
    let Some(have) = set.at("spec.template") else { return false };
    let labels = |it: &Value| it.map_at("metadata.labels").cloned().unwrap_or_default();
    let rest = |it: &Map| it.filtered(|key, _| key != HASH_LABEL);
    let others = |it: &Value| it.map_at("metadata").map(|it| it.filtered(|key, _| key != "labels")).unwrap_or_default();
    let spec = |it: &Value| it.map_at("spec").cloned().unwrap_or_default();
    spec(have) == spec(template) && rest(&labels(have)) == rest(&labels(template)) && others(have) == others(template)
}

/// Copies the Deployment's annotations and sees that the set has a revision of at least `number`; answers whether
/// anything changed (`SetNewReplicaSetAnnotations`).
fn annotate(set: &mut Object, deployment: &Object, number: i64) -> bool {
    let mut changed = false;
    for (key, value) in deployment.meta.annotations.iter().filter(|(key, _)| !is_own_annotation(key)) {
        if set.meta.annotations.get(key) != Some(value) {
            set.meta.annotations.insert(key, value);
            changed = true;
        }
    }
    let before = set.meta.annotation(REVISION).map(str::to_owned);
    let Ok(have) = before.as_deref().filter(|it| !it.is_empty()).unwrap_or("0").parse::<i64>() else { return false };
    if have >= number {
        return changed;
    }
    set.meta.annotations.insert(REVISION, number.to_string());
    if let Some(before) = before {
        lengthen_history(set, &before);
    }
    true
}

fn lengthen_history(set: &mut Object, before: &str) {
    let history = set.meta.annotation(HISTORY).unwrap_or("");
    if history.is_empty() {
        set.meta.annotations.insert(HISTORY, before);
        return;
    }
    let mut parts: Vec<&str> = history.split(',').collect();
    let mut len = history.len() + before.len() + 1;
    while len > HISTORY_LEN_MAX && !parts.is_empty() {
        len -= parts.remove(0).len() + 1;
    }
    if len <= HISTORY_LEN_MAX {
        parts.push(before);
        let joined = parts.join(",");
        set.meta.annotations.insert(HISTORY, joined);
    }
}

#[cfg(test)]
mod tests;

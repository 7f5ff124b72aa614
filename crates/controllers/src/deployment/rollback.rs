//! Goes back to the template of an earlier ReplicaSet, where an annotation asks for it as `kubectl rollout undo` once did.

use std::sync::Arc;

use kinds::ROLLBACK_TO;
use meta::{Object, Status, quoted};
use runtime::Cx;
use value::Map;

use super::new_set::{has_template, is_own_annotation};
use super::{HASH_LABEL, Sync, revision};

const NOT_FOUND: &str = "DeploymentRollbackRevisionNotFound";

impl Sync {
    /// The number of the revision to go back to; 0 stands for the one before the last.
    pub(super) fn wants_rollback(&self) -> Option<i64> {
        self.deployment.meta.annotation(ROLLBACK_TO)?.parse().ok()
    }

    /// `rollback`: whatever comes of it, the annotation goes.
    pub(super) fn roll_back(&mut self, cx: &mut Cx<'_>, number: i64) -> Result<(), Status> {
        self.find_new(cx, true)?;
        let all = self.all();
        let number = if number == 0 { last_but_one(&all) } else { number };
        let mut update = Object::clone(&self.deployment);
        update.meta.annotations.remove(ROLLBACK_TO);
        if number == 0 {
            cx.event(&self.deployment, "Warning", NOT_FOUND, "Unable to find last revision.");
            return cx.update(update).map(|_| ());
        }
        let Some(set) = all.iter().find(|it| revision(it) == number) else {
            cx.event(&self.deployment, "Warning", NOT_FOUND, "Unable to find the revision to rollback to.");
            return cx.update(update).map(|_| ());
        };
        let name = quoted(self.deployment.name());
        let template = self.deployment.at("spec.template").cloned().unwrap_or_default();
        if has_template(set, &template) {
            let message = format!("The rollback revision contains the same template as current deployment {name}");
            cx.event(&self.deployment, "Warning", "DeploymentRollbackTemplateUnchanged", &message);
            return cx.update(update).map(|_| ());
        }
        let mut template = set.at("spec.template").cloned().unwrap_or_default();
        if let Some(labels) = template.map_at("metadata.labels") {
            let labels = labels.filtered(|key, _| key != HASH_LABEL);
            template.set("metadata.labels", labels);
        }
        update.set("spec.template", template);
        // The annotations of the set come back with its template.
        let own = update.meta.annotations.filtered(|key, _| is_own_annotation(key));
        let others = set.meta.annotations.iter().filter(|(key, _)| !is_own_annotation(key));
        update.meta.annotations = own.iter().chain(others).map(|(key, it)| (key.clone(), it.clone())).collect::<Map>();
        cx.update(update)?;
        let message = format!("Rolled back deployment {name} to revision {number}");
        cx.event(&self.deployment, "Normal", "DeploymentRollback", &message);
        Ok(())
    }
}

/// The second highest revision; 0 where there is none (`LastRevision`).
fn last_but_one(sets: &[Arc<Object>]) -> i64 {
    let (mut first, mut second) = (0, 0);
    for number in sets.iter().map(|it| revision(it)) {
        if number >= first {
            (first, second) = (number, first);
        } else {
            second = second.max(number);
        }
    }
    second
}

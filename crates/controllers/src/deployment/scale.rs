//! Scaling a Deployment that does not roll, or in the middle of a rollout: every set gets its share.

use std::sync::Arc;

use meta::{Object, Status};
use runtime::Cx;

use super::{Sync, arithmetic, replicas};

/// The annotations by which a set remembers the size of its Deployment.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

fn annotated(set: &Object, key: &str) -> Option<i64> {
    set.meta.annotation(key)?.parse::<u32>().ok().map(i64::from).filter(|it| *it <= i64::from(i32::MAX))
}

/// Notes the size of the Deployment; answers whether that is news.
pub(super) fn annotate(set: &mut Object, deployment: &Object) -> bool {
    let wanted = replicas(deployment);
    let max = wanted + arithmetic::max_surge(deployment);
    let mut changed = false;
    for (key, count) in [(DESIRED, wanted), (MAX, max)] {
        let text = count.to_string();
        if set.meta.annotation(key) != Some(&text) {
            set.meta.annotations.insert(key, text);
            changed = true;
        }
    }
    changed
}

impl Sync {
    /// `sync`: for a paused Deployment and for one that was scaled.
    pub(super) fn sync_scale(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        self.find_new(cx, false)?;
        self.scale(cx)?;
        if self.is_paused() {
            self.clean_up(cx)?;
        }
        let status = self.status_at(cx.now_secs());
        self.store_status(cx, status)
    }

    /// Whether a set with pods remembers another size (`isScalingEvent`).
    pub(super) fn is_scaled(&mut self, cx: &mut Cx<'_>) -> Result<bool, Status> {
        self.find_new(cx, false)?;
        let wanted = self.wanted();
        let active = self.all();
        let active = active.iter().filter(|it| replicas(it) > 0);
        Ok(active.filter_map(|it| annotated(it, DESIRED)).any(|it| it != wanted))
    }

    fn scale(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        let wanted = self.wanted();
        let all = self.all();
        let active: Vec<&Arc<Object>> = all.iter().filter(|it| replicas(it) > 0).collect();
        // The only set with pods, or else the newest of all.
        let one = match active.as_slice() {
            [] => self.new.clone().or_else(|| self.old().pop()),
            [one] => Some((*one).clone()),
            _ => None,
        };
        if let Some(one) = one {
            return self.scale_set(cx, &one, wanted, false).map(|_| ());
        }
        if self.new.as_ref().is_some_and(|it| self.is_saturated(it)) {
            for set in self.old().iter().filter(|it| replicas(it) > 0) {
                self.scale_set(cx, set, 0, false)?;
            }
            return Ok(());
        }
        if self.deployment.str_at("spec.strategy.type") == Some("RollingUpdate") {
            let active: Vec<Arc<Object>> = active.into_iter().cloned().collect();
            return self.scale_in_proportion(cx, active);
        }
        Ok(())
    }

    fn is_saturated(&self, new: &Object) -> bool {
        let wanted = self.wanted();
        replicas(new) == wanted
            && annotated(new, DESIRED) == Some(wanted)
            && new.i64_at("status.availableReplicas").unwrap_or(0) == wanted
    }

    fn scale_in_proportion(&mut self, cx: &mut Cx<'_>, mut sets: Vec<Arc<Object>>) -> Result<(), Status> {
        let wanted = self.wanted();
        let max = if wanted > 0 { wanted + arithmetic::max_surge(&self.deployment) } else { 0 };
        let to_add = max - sets.iter().map(|it| replicas(it)).sum::<i64>();
        // The largest first; among equals the newest when pods are added, the oldest when they are taken.
        sets.sort_by(|a, b| {
            let by_age = (a.meta.created, &a.meta.name).cmp(&(b.meta.created, &b.meta.name));
            let by_age = if to_add > 0 { by_age.reverse() } else { by_age };
            replicas(b).cmp(&replicas(a)).then(by_age)
        });
        let mut added = 0;
        let mut sizes: Vec<i64> = Vec::with_capacity(sets.len());
        for set in &sets {
            let part = self.proportion(set, to_add, added);
            sizes.push(replicas(set) + part);
            added += part;
        }
        if let Some(first) = sizes.first_mut().filter(|_| to_add != 0) {
            *first = (*first + to_add - added).max(0);
        }
        for (set, size) in sets.iter().zip(sizes) {
            self.scale_set(cx, set, size, true)?;
        }
        Ok(())
    }

    /// `GetReplicaSetProportion`
    fn proportion(&self, set: &Object, to_add: i64, added: i64) -> i64 {
        if replicas(set) == 0 || to_add == added {
            return 0;
        }
        let left = to_add - added;
        let wanted = self.wanted();
        let part = if wanted == 0 {
            -replicas(set)
        } else {
            let before = annotated(set, MAX).filter(|it| *it != 0);
            let before = before.unwrap_or_else(|| self.deployment.i64_at("status.replicas").unwrap_or(0));
            arithmetic::fraction(replicas(set), wanted + arithmetic::max_surge(&self.deployment), before)
        };
        if to_add > 0 { part.min(left) } else { part.max(left) }
    }

    /// Gives a set a size; answers whether that is another one.
    pub(super) fn scale_set(&self, cx: &mut Cx<'_>, set: &Arc<Object>, size: i64, force: bool) -> Result<bool, Status> {
        self.scaled_set(cx, set, size, force).map(|(scaled, _)| scaled)
    }

    /// The same, and the set as it is then (`scaleReplicaSet`).
    pub(super) fn scaled_set(
        &self,
        cx: &mut Cx<'_>,
        set: &Arc<Object>,
        size: i64,
        force: bool,
    ) -> Result<(bool, Arc<Object>), Status> {
        let before = replicas(set);
        if !force && before == size {
            return Ok((false, set.clone()));
        }
        let mut update = Object::clone(set);
        let annotated = annotate(&mut update, &self.deployment);
        if before == size && !annotated {
            return Ok((false, set.clone()));
        }
        update.set("spec.replicas", size);
        let updated = cx.update(update)?;
        if before != size {
            let way = if before < size { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {} from {before} to {size}", set.name());
            cx.event(&self.deployment, "Normal", "ScalingReplicaSet", &message);
        }
        Ok((before != size, updated))
    }
}

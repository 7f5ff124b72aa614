//! One step of a rolling update: the new set grows as surge allows, the old ones shrink as availability allows.

use std::sync::Arc;

use meta::{Object, Status};
use runtime::Cx;
use value::Value;

use super::{Sync, arithmetic, replicas};

fn available(set: &Object) -> i64 {
    set.i64_at("status.availableReplicas").unwrap_or(0)
}

fn total(sets: &[Arc<Object>], count: fn(&Object) -> i64) -> i64 {
    sets.iter().map(|it| count(it)).sum()
}

impl Sync {
    /// `rolloutRolling`
    pub(super) fn roll(&mut self, cx: &mut Cx<'_>) -> Result<(), Status> {
        self.find_new(cx, true)?;
        if self.grow_new(cx)? || self.shrink_old(cx)? {
            return self.sync_progress(cx);
        }
        if self.is_complete(self.deployment.at("status").unwrap_or(&Value::Null)) {
            self.clean_up(cx)?;
        }
        self.sync_progress(cx)
    }

    /// `reconcileNewReplicaSet`
    fn grow_new(&mut self, cx: &mut Cx<'_>) -> Result<bool, Status> {
        let Some(new) = self.new.clone() else { return Ok(false) };
        let (wanted, have) = (self.wanted(), replicas(&new));
        if have == wanted {
            return Ok(false);
        }
        let size = if have > wanted {
            wanted
        } else {
            arithmetic::new_size(&self.deployment, total(&self.all(), replicas), have)
        };
        self.scale_set(cx, &new, size, false)
    }

    /// `reconcileOldReplicaSets`: unhealthy pods first, then healthy ones as far as enough stay available.
    fn shrink_old(&mut self, cx: &mut Cx<'_>) -> Result<bool, Status> {
        let Some(new) = self.new.clone() else { return Ok(false) };
        let mut old: Vec<Arc<Object>> = self.old().into_iter().filter(|it| replicas(it) > 0).collect();
        if old.is_empty() {
            return Ok(false);
        }
        let min_available = self.wanted() - arithmetic::max_unavailable(&self.deployment);
        let not_yet = replicas(&new) - available(&new);
        let most = total(&self.all(), replicas) - min_available - not_yet;
        if most <= 0 {
            return Ok(false);
        }
        let mut cleaned = 0;
        for set in &mut old {
            let unhealthy = replicas(set) - available(set);
            if cleaned >= most || unhealthy <= 0 {
                continue;
            }
            let gone = unhealthy.min(most - cleaned);
            let (_, smaller) = self.scaled_set(cx, set, replicas(set) - gone, false)?;
            *set = smaller;
            cleaned += gone;
        }
        let spare = total(&old, available) + available(&new) - min_available;
        let mut gone = 0;
        for set in old.iter().filter(|it| replicas(it) > 0) {
            if gone >= spare {
                break;
            }
            let part = replicas(set).min(spare - gone);
            self.scale_set(cx, set, replicas(set) - part, false)?;
            gone += part;
        }
        Ok(cleaned + gone > 0)
    }
}

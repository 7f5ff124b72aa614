//! How fast and how far an autoscaler may go: bounds, stabilization and policies (`horizontal.go`).

use std::collections::BTreeMap;

use meta::{Key, Object};
use runtime::saved;
use sim::{Duration, Instant};
use value::{Value, value};

/// `--horizontal-pod-autoscaler-downscale-stabilization`
const DOWNSCALE_WINDOW: i64 = 300;

/// What an autoscaler has proposed and done of late.
#[derive(Default)]
pub(super) struct History {
    proposed: Vec<(Instant, i64)>,
    added: Vec<(Instant, i64)>,
    removed: Vec<(Instant, i64)>,
}

pub(super) type Histories = BTreeMap<Key, History>;

/// What comes out, and the reasons that conditions tell.
pub(super) struct Decision {
    pub replicas: i64,
    /// Of `AbleToScale`.
    pub able: (&'static str, &'static str),
    /// Of `ScalingLimited`, and whether it is.
    pub limited: (bool, &'static str, &'static str),
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const DOWN_STABILIZED: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const UP_STABILIZED: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);

/// An autoscaler at one look.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub least: i64,
    pub most: i64,
    pub current: i64,
    pub now: Instant,
}

fn before(now: Instant, seconds: i64) -> Instant {
    now - Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

impl History {
    pub fn saved(&self) -> Value {
        let History { proposed, added, removed } = self;
        let list = |list: &[(Instant, i64)]| -> Vec<Value> {
            list.iter().map(|(at, n)| value!([saved::instant(*at), *n])).collect()
        };
        value!({ "added": list(added), "proposed": list(proposed), "removed": list(removed) })
    }

    pub fn restored(saved: &Value) -> History {
        let list = |field: &'static str| {
            let pair = |it: &Value| Some((saved::to_instant(it.as_list()?.first()?)?, it.as_list()?.get(1)?.as_i64()?));
            saved.list_at(field).iter().filter_map(pair).collect()
        };
        History { proposed: list("proposed"), added: list("added"), removed: list("removed") }
    }

    /// What an autoscaler finds at its first look counts as its first proposal.
    pub fn begin(&mut self, bounds: &Bounds) {
        if self.proposed.is_empty() {
            self.proposed.push((bounds.now, bounds.current));
        }
    }

    /// Brings a proposal within what is allowed.
    pub fn decide(&mut self, scaler: &Object, bounds: Bounds, proposed: i64) -> Decision {
        let (stabilized, able, (replicas, limit)) = match scaler.at("spec.behavior").filter(|it| !it.is_null()) {
            None => {
                let stabilized = self.stabilize(bounds.now, proposed);
                let able = if stabilized == proposed { READY } else { DOWN_STABILIZED };
                (stabilized, able, by_rules(bounds, stabilized))
            }
            Some(behavior) => {
                let (stabilized, able) = self.stabilize_by(behavior, bounds, proposed);
                (stabilized, able, self.by_policies(behavior, bounds, stabilized))
            }
        };
        Decision { replicas, able, limited: (replicas != stabilized, limit.0, limit.1) }
    }

    /// The highest proposal of the last minutes (`stabilizeRecommendation`).
    fn stabilize(&mut self, now: Instant, proposed: i64) -> i64 {
        let cutoff = before(now, DOWNSCALE_WINDOW);
        self.proposed.retain(|(at, _)| *at >= cutoff);
        let highest = self.proposed.iter().map(|(_, it)| *it).max().unwrap_or(proposed).max(proposed);
        self.proposed.push((now, proposed));
        highest
    }

    /// `stabilizeRecommendationWithBehaviors`
    fn stabilize_by(&mut self, behavior: &Value, bounds: Bounds, proposed: i64) -> (i64, (&'static str, &'static str)) {
        let up = behavior.i64_at("scaleUp.stabilizationWindowSeconds").unwrap_or(0);
        let down = behavior.i64_at("scaleDown.stabilizationWindowSeconds").unwrap_or(DOWNSCALE_WINDOW);
        let (up, down) = (before(bounds.now, up), before(bounds.now, down));
        let recent = |cutoff: Instant| self.proposed.iter().filter(move |(at, _)| *at > cutoff).map(|(_, it)| *it);
        let lowest = recent(up).min().unwrap_or(proposed).min(proposed);
        let highest = recent(down).max().unwrap_or(proposed).max(proposed);
        let stabilized = bounds.current.max(lowest).min(highest);
        self.proposed.retain(|(at, _)| *at >= up || *at >= down);
        self.proposed.push((bounds.now, proposed));
        let able = match stabilized == proposed {
            true => READY,
            false if proposed >= bounds.current => UP_STABILIZED,
            false => DOWN_STABILIZED,
        };
        (stabilized, able)
    }

    /// `convertDesiredReplicasWithBehaviorRate`
    fn by_policies(&self, behavior: &Value, bounds: Bounds, desired: i64) -> (i64, (&'static str, &'static str)) {
        let Bounds { least, most, current, now } = bounds;
        if desired > current {
            let limit = self.limit(behavior.get("scaleUp"), true, current, now).max(current);
            let (allowed, why) = if most > limit { (limit, UP_LIMIT) } else { (most, TOO_MANY) };
            if desired > allowed {
                return (allowed, why);
            }
        } else if desired < current {
            let limit = self.limit(behavior.get("scaleDown"), false, current, now).min(current);
            let (allowed, why) = if least < limit { (limit, DOWN_LIMIT) } else { (least, TOO_FEW) };
            if desired < allowed {
                return (allowed, why);
            }
        }
        (desired, WITHIN)
    }

    /// How far the policies of one direction let the replicas go.
    fn limit(&self, rules: Option<&Value>, is_up: bool, current: i64, now: Instant) -> i64 {
        let select = rules.and_then(|it| it.str_at("selectPolicy")).unwrap_or("Max");
        if select == "Disabled" {
            return current;
        }
        let policies = rules.map_or(&[][..], |it| it.list_at("policies"));
        let limits = policies.iter().map(|policy| {
            let (value, period) = (policy.i64_at("value").unwrap_or(0), policy.i64_at("periodSeconds").unwrap_or(0));
            let cutoff = before(now, period);
            let recent =
                |list: &[(Instant, i64)]| list.iter().filter(|(at, _)| *at > cutoff).map(|(_, it)| *it).sum::<i64>();
            let start = current - recent(&self.added) + recent(&self.removed);
            match (policy.str_at("type"), is_up) {
                (Some("Pods"), true) => start + value,
                (Some("Pods"), false) => start - value,
                // A change of part of a pod is one of a whole pod.
                (_, true) => start.saturating_mul(100 + value).saturating_add(99).div_euclid(100),
                (_, false) => start.saturating_mul(100 - value) / 100,
            }
        });
        // The policy that allows the greatest change counts, unless the least is asked for.
        let found = if (select == "Min") == is_up { limits.min() } else { limits.max() };
        found.unwrap_or(current)
    }

    /// Notes a change that was made (`storeScaleEvent`).
    pub fn note(&mut self, scaler: &Object, from: i64, to: i64, now: Instant) {
        let Some(behavior) = scaler.at("spec.behavior").filter(|it| !it.is_null()) else { return };
        let (side, list) = if to > from { ("scaleUp", &mut self.added) } else { ("scaleDown", &mut self.removed) };
        let policies = behavior.get(side).map_or(&[][..], |it| it.list_at("policies"));
        let longest = policies.iter().filter_map(|it| it.i64_at("periodSeconds")).max().unwrap_or(0);
        let cutoff = before(now, longest);
        list.retain(|(at, _)| *at >= cutoff);
        list.push((now, (to - from).abs()));
    }
}

/// At most twice as many at once, but four are always allowed (`convertDesiredReplicasWithRules`).
fn by_rules(bounds: Bounds, desired: i64) -> (i64, (&'static str, &'static str)) {
    let Bounds { least, most, current, .. } = bounds;
    let limit = (2 * current).max(4);
    let (allowed, why) = if most > limit { (limit, UP_LIMIT) } else { (most, TOO_MANY) };
    if desired < least {
        (least, TOO_FEW)
    } else if desired > allowed {
        (allowed, why)
    } else {
        (desired, WITHIN)
    }
}

#[cfg(test)]
mod tests;

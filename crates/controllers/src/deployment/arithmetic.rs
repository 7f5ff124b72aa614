//! How many pods a rollout may have: plain numbers in, plain numbers out.

use meta::Object;
use runtime::int_or_percent::scaled;
use value::Value;

use super::replicas;

/// What `spec.strategy.rollingUpdate` allows for `desired` pods: surge and unavailable, never both zero
/// (`ResolveFenceposts`).
pub(super) fn fenceposts(surge: Option<&Value>, unavailable: Option<&Value>, desired: i64) -> (i64, i64) {
    let surge = surge.and_then(|it| scaled(it, desired, true)).unwrap_or(0);
    let unavailable = unavailable.and_then(|it| scaled(it, desired, false)).unwrap_or(0);
    (surge, if surge == 0 && unavailable == 0 { 1 } else { unavailable })
}

fn of(deployment: &Object) -> Option<(i64, i64)> {
    let is_rolling = deployment.str_at("spec.strategy.type") == Some("RollingUpdate");
    let rolling = |key: &str| deployment.at("spec.strategy.rollingUpdate").and_then(|it| it.get(key));
    is_rolling.then(|| fenceposts(rolling("maxSurge"), rolling("maxUnavailable"), replicas(deployment)))
}

/// Pods above `spec.replicas` at most.
pub(super) fn max_surge(deployment: &Object) -> i64 {
    of(deployment).map_or(0, |(surge, _)| surge)
}

/// Pods that may be unavailable at most.
pub(super) fn max_unavailable(deployment: &Object) -> i64 {
    let wanted = replicas(deployment);
    if wanted == 0 { 0 } else { of(deployment).map_or(0, |(_, unavailable)| unavailable.min(wanted)) }
}

/// How large the new set may be when all sets have `total` pods (`NewRSNewReplicas`).
pub(super) fn new_size(deployment: &Object, total: i64, have: i64) -> i64 {
    let wanted = replicas(deployment);
    if deployment.str_at("spec.strategy.type") == Some("Recreate") {
        return wanted;
    }
    let surge = deployment.at("spec.strategy.rollingUpdate.maxSurge").and_then(|it| scaled(it, wanted, true));
    let max = wanted + surge.unwrap_or(0);
    if total >= max { have } else { have + (max - total).min(wanted - have) }
}

/// The part of a scaling that falls to a set of `size` pods when its Deployment goes from `max_before` pods at most to
/// `max` (`getReplicaSetFraction`); halves are rounded away from zero.
pub(super) fn fraction(size: i64, max: i64, max_before: i64) -> i64 {
    if max_before == 0 {
        return 0;
    }
    let (product, before) = (i128::from(size) * i128::from(max), i128::from(max_before));
    let rounded = (2 * product + before).div_euclid(2 * before);
    i64::try_from(rounded).unwrap_or(i64::MAX).min(i64::from(i32::MAX)) - size
}

#[cfg(test)]
mod tests;

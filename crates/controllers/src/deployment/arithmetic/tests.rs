use expect_test::{Expect, expect};
use kinds::DEPLOYMENT;
use meta::{Metadata, Object};
use value::{Value, map, value};

use super::{fenceposts, fraction, max_surge, max_unavailable, new_size};

fn deployment(replicas: i64, surge: Value, unavailable: Value) -> Object {
    let strategy = value!({
        "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": unavailable },
    });
    let body = map!({ "spec": { "replicas": replicas, "strategy": strategy } });
    Object { kind: DEPLOYMENT, meta: Metadata::default(), body }
}

#[track_caller]
fn check(replicas: i64, surge: impl Into<Value>, unavailable: impl Into<Value>, shown: Expect) {
    let it = deployment(replicas, surge.into(), unavailable.into());
    let sizes: Vec<i64> = [(0, 0), (replicas, 0), (replicas + 1, 1)].map(|(all, new)| new_size(&it, all, new)).into();
    shown.assert_eq(&format!("{} above, {} away, {sizes:?}", max_surge(&it), max_unavailable(&it)));
}

#[test]
fn surge_is_rounded_up_and_absence_down() {
    check(10, "25%", "25%", expect!["3 above, 2 away, [10, 3, 3]"]);
    check(2, "25%", "25%", expect!["1 above, 0 away, [2, 1, 1]"]);
    check(3, 0, 5, expect!["0 above, 3 away, [3, 0, 1]"]);
    check(0, "25%", "25%", expect!["0 above, 0 away, [0, 0, 1]"]);
}

#[test]
fn a_rollout_may_always_get_on() {
    assert_eq!(fenceposts(Some(&value!(0)), Some(&value!(0)), 5), (0, 1));
    assert_eq!(fenceposts(Some(&value!("0%")), Some(&value!("10%")), 5), (0, 1));
    assert_eq!(fenceposts(None, None, 5), (0, 1));
}

#[test]
fn a_set_gets_its_share_of_a_scaling() {
    // 5 of 10 pods when the Deployment grows to 20, and to 3; halves go up.
    assert_eq!(fraction(5, 20, 10), 5);
    assert_eq!(fraction(5, 3, 10), -3);
    assert_eq!(fraction(1, 3, 2), 1);
    assert_eq!(fraction(5, 20, 0), 0);
}

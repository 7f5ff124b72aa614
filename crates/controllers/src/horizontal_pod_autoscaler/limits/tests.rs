use expect_test::{Expect, expect};
use kinds::HORIZONTAL_POD_AUTOSCALER;
use meta::Object;
use sim::{Duration, Instant};
use value::yaml;

use super::{Bounds, History};

/// Proposals at seconds from the start, each met before the next; what was decided at each.
#[track_caller]
fn check(spec: &str, bounds: (i64, i64), replicas: i64, proposals: &[(u64, i64)], expected: Expect) {
    let text = format!("{{metadata: {{name: web}}, spec: {spec}}}");
    let document = yaml::parse_documents(&text).expect("the text is YAML").remove(0);
    let scaler = Object::from_map(HORIZONTAL_POD_AUTOSCALER, document.value.as_map().expect("the text is a map"));
    let (start, mut history, mut current) = (Instant::from_secs(10_000), History::default(), replicas);
    let mut lines = String::new();
    for (at, proposed) in proposals {
        let now = start + Duration::from_secs(*at);
        let bounds = Bounds { least: bounds.0, most: bounds.1, current, now };
        history.begin(&bounds);
        let decision = history.decide(&scaler, bounds, *proposed);
        if decision.replicas != current {
            history.note(&scaler, current, decision.replicas, now);
        }
        let (limited, reason, _) = decision.limited;
        let limited = if limited { "limited" } else { "free" };
        lines += &format!("{at}s: {current} -> {} ({}, {limited}: {reason})\n", decision.replicas, decision.able.0);
        current = decision.replicas;
    }
    expected.assert_eq(&lines);
}

#[test]
fn without_behaviour_replicas_double_and_shrink_after_five_minutes() {
    check(
        "{}",
        (1, 20),
        1,
        &[(0, 30), (15, 30), (30, 30), (45, 2), (330, 2), (346, 2)],
        expect![[r#"
            0s: 1 -> 4 (ReadyForNewScale, limited: ScaleUpLimit)
            15s: 4 -> 8 (ReadyForNewScale, limited: ScaleUpLimit)
            30s: 8 -> 16 (ReadyForNewScale, limited: ScaleUpLimit)
            45s: 16 -> 20 (ScaleDownStabilized, limited: TooManyReplicas)
            330s: 20 -> 20 (ScaleDownStabilized, limited: TooManyReplicas)
            346s: 20 -> 2 (ReadyForNewScale, free: DesiredWithinRange)
        "#]],
    );
}

#[test]
fn policies_limit_what_is_added_within_their_period() {
    check(
        "{behavior: {scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: Min, policies: [{type: Pods, value: 2, periodSeconds: 60}, {type: Percent, value: 100, periodSeconds: 60}]}, scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Percent, value: 10, periodSeconds: 60}]}}}",
        (1, 10),
        3,
        &[(0, 10), (15, 10), (61, 10), (75, 1), (90, 1)],
        expect![[r#"
            0s: 3 -> 5 (ReadyForNewScale, limited: ScaleUpLimit)
            15s: 5 -> 5 (ReadyForNewScale, limited: ScaleUpLimit)
            61s: 5 -> 7 (ReadyForNewScale, limited: ScaleUpLimit)
            75s: 7 -> 4 (ReadyForNewScale, limited: ScaleDownLimit)
            90s: 4 -> 4 (ReadyForNewScale, limited: ScaleDownLimit)
        "#]],
    );
}

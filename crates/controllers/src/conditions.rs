//! Lists of conditions: one of each type, with the time of its last change.

use value::{Value, time};

/// `list` with `condition` in the place of the one of its type, or at the end.
///
/// `lastTransitionTime` is `now` (seconds since the Unix epoch) when the status is another than before, else what it was.
pub(crate) fn set(list: &[Value], mut condition: Value, now: i64) -> Vec<Value> {
    let mut list = list.to_vec();
    let before = list.iter_mut().find(|it| it.get("type") == condition.get("type"));
    let since = match &before {
        Some(it) if it.get("status") == condition.get("status") => it.get("lastTransitionTime").cloned(),
        _ => None,
    };
    condition.set("lastTransitionTime", since.unwrap_or_else(|| time::format_secs(now).into()));
    match before {
        Some(it) => *it = condition,
        None => list.push(condition),
    }
    list
}

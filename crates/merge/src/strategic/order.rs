//! In which order the items of merged lists stand.

use meta::Status;
use value::{List, Value};

use super::{DIRECTIVE, ELEMENT_ORDER, fail, no_merge_key, wrong_type};
use crate::go_text::go_text;

/// What tells an item from others: the value of its merge key, or the item itself in a list of scalars.
fn id<'v>(item: &'v Value, merge_key: &str) -> Option<&'v Value> {
    if merge_key.is_empty() { Some(item) } else { item.get(merge_key) }
}

fn position(items: &[Value], item: &Value, merge_key: &str) -> Option<usize> {
    let wanted = id(item, merge_key);
    items.iter().position(|it| id(it, merge_key) == wanted)
}

fn checked_id<'v>(item: &'v Value, merge_key: &str) -> Result<&'v Value, Status> {
    if !merge_key.is_empty() && !matches!(item, Value::Map(_)) {
        return Err(wrong_type("map[string]interface {}", item));
    }
    id(item, merge_key).ok_or_else(|| no_merge_key(item, merge_key))
}

/// The items of the patch must stand in the set order, in that order; deletions do not count.
pub(super) fn validate_order(change: Option<&List>, order: &List, merge_key: &str) -> Result<(), Status> {
    let Some(change) = change.filter(|it| !it.is_empty() && !order.is_empty()) else { return Ok(()) };
    let mut waiting: Vec<&Value> = Vec::with_capacity(change.len());
    for item in change {
        if !merge_key.is_empty() && !matches!(item, Value::Map(_)) {
            return Err(wrong_type("map[string]interface {}", item));
        }
        if item.get(DIRECTIVE).is_none() {
            waiting.push(item);
        }
    }
    let mut n_found = 0;
    for wanted in order {
        let Some(item) = waiting.get(n_found) else { break };
        if checked_id(item, merge_key)? == checked_id(wanted, merge_key)? {
            n_found += 1;
        }
    }
    if n_found == waiting.len() {
        return Ok(());
    }
    Err(fail(format!(
        "The order in patch list:\n{}\n doesn't match {ELEMENT_ORDER} list:\n{}\n",
        go_text(&Value::List(change.clone())),
        go_text(&Value::List(order.clone()))
    )))
}

/// Items that `order` names stand as there, others as in `live`; the two are woven together by the live order.
pub(super) fn in_order(merged: &[Value], order: &[Value], live: &List, merge_key: &str) -> Result<List, Status> {
    let mut named = Vec::new();
    let mut others = Vec::new();
    for item in merged {
        let wanted = checked_id(item, merge_key)?;
        let is_named = order.iter().any(|it| id(it, merge_key) == Some(wanted));
        if is_named { named.push(item) } else { others.push(item) }
    }
    for item in order.iter().chain(live.iter()) {
        checked_id(item, merge_key)?;
    }
    sort(&mut named, order, merge_key);
    sort(&mut others, live, merge_key);
    let mut res = Vec::with_capacity(merged.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    while let (Some(a), Some(b)) = (others.peek(), named.peek()) {
        let first = match (position(live, a, merge_key), position(live, b, merge_key)) {
            (Some(a), Some(b)) if a < b => others.next(),
            _ => named.next(),
        };
        res.extend(first.cloned());
    }
    res.extend(named.chain(others).cloned());
    let unchanged = res.len() == live.len() && res.iter().zip(live.iter()).all(|(a, b)| a.same(b));
    Ok(if unchanged { live.clone() } else { res.into() })
}

/// A stable insertion sort in which what `order` does not know goes before all, as upstream's comparison has it.
fn sort(items: &mut [&Value], order: &[Value], merge_key: &str) {
    let known: Vec<Option<usize>> = items.iter().map(|it| position(order, it, merge_key)).collect();
    if known.is_sorted() && known.iter().all(Option::is_some) {
        return;
    }
    let mut keyed: Vec<(Option<usize>, &Value)> = known.into_iter().zip(items.iter().copied()).collect();
    for end in 1..keyed.len() {
        for at in (1..=end).rev() {
            let (a, b) = (keyed[at].0, keyed[at - 1].0);
            if matches!((a, b), (Some(a), Some(b)) if a >= b) {
                break;
            }
            keyed.swap(at, at - 1);
        }
    }
    for (item, (_, sorted)) in items.iter_mut().zip(keyed) {
        *item = sorted;
    }
}

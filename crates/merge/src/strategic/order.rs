//! In which order the items of merged lists stand.

use meta::Status;
use value::{List, Value};

use super::{DIRECTIVE, ELEMENT_ORDER, fail, no_merge_key, wrong_type};
use crate::go_text::go_text;

/// What tells an item from others: the value of its merge key, or the item itself in a list of scalars.
fn id<'v>(item: &'v Value, merge_key: &str) -> Result<&'v Value, Status> {
    if merge_key.is_empty() {
        return Ok(item);
    }
    match item {
        Value::Map(map) => map.get(merge_key).ok_or_else(|| no_merge_key(item, merge_key)),
        _ => Err(wrong_type("map[string]interface {}", item)),
    }
}

fn ids<'v>(items: &'v [Value], merge_key: &str) -> Result<Vec<&'v Value>, Status> {
    items.iter().map(|it| id(it, merge_key)).collect()
}

fn position(ids: &[&Value], id: &Value) -> Option<usize> {
    ids.iter().position(|it| *it == id)
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
        if id(item, merge_key)? == id(wanted, merge_key)? {
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
    let (order, live_ids) = (ids(order, merge_key)?, ids(live, merge_key)?);
    // Each item with its place in the list that decides.
    let mut named: Vec<(Option<usize>, &Value)> = Vec::with_capacity(merged.len());
    let mut others: Vec<(Option<usize>, &Value)> = Vec::with_capacity(merged.len());
    for item in merged {
        let id = id(item, merge_key)?;
        match position(&order, id) {
            Some(at) => named.push((Some(at), item)),
            None => others.push((position(&live_ids, id), item)),
        }
    }
    sort(&mut named);
    sort(&mut others);
    let mut res = Vec::with_capacity(merged.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    while let (Some((a, _)), Some((_, b))) = (others.peek(), named.peek()) {
        let b = position(&live_ids, id(b, merge_key)?);
        let first = if matches!((a, b), (Some(a), Some(b)) if *a < b) { others.next() } else { named.next() };
        res.extend(first.map(|(_, item)| item.clone()));
    }
    res.extend(named.chain(others).map(|(_, item)| item.clone()));
    let unchanged = res.len() == live.len() && res.iter().zip(live.iter()).all(|(a, b)| a.same(b));
    Ok(if unchanged { live.clone() } else { res.into() })
}

/// A stable insertion sort in which what has no place goes before all, as upstream's comparison has it.
fn sort(items: &mut [(Option<usize>, &Value)]) {
    for end in 1..items.len() {
        for at in (1..=end).rev() {
            if matches!((items[at].0, items[at - 1].0), (Some(a), Some(b)) if a >= b) {
                break;
            }
            items.swap(at, at - 1);
        }
    }
}

//! Sorting with little code: the standard library's sort is made anew for every type that it sorts.

use std::cmp::Ordering;
use std::mem;

/// Sorts; what is equal keeps its order.
pub(crate) fn by<T>(items: &mut Vec<T>, compare: &mut dyn FnMut(&T, &T) -> Ordering) {
    let order = order(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    let mut old: Vec<Option<T>> = mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|idx| old[idx].take()));
}

/// Sorts texts.
pub(crate) fn texts<T: AsRef<str>>(items: &mut Vec<T>) {
    by(items, &mut |a, b| a.as_ref().cmp(b.as_ref()));
}

/// The places of the first, the second and so on.
fn order(n: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut from: Vec<usize> = (0..n).collect();
    let mut to = from.clone();
    let mut width = 1;
    while width < n {
        for start in (0..n).step_by(2 * width) {
            let (middle, end) = ((start + width).min(n), (start + 2 * width).min(n));
            let (mut a, mut b) = (start, middle);
            for slot in &mut to[start..end] {
                let first = b >= end || (a < middle && compare(from[a], from[b]) != Ordering::Greater);
                let next = if first { &mut a } else { &mut b };
                *slot = from[*next];
                *next += 1;
            }
        }
        mem::swap(&mut from, &mut to);
        width *= 2;
    }
    from
}

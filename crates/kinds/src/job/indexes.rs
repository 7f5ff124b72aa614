//! Lists of indexes as jobs write them: `1,3-5,7`.

use meta::quoted;

/// How many indexes a list names, all below `completions` and in order (`validateIndexesFormat`).
pub(super) fn count(list: &str, completions: i64) -> Result<i64, String> {
    let mut last = None;
    let mut total = 0;
    for part in list.split(',').filter(|_| !list.is_empty()) {
        let (low, high) = interval(part, completions)?;
        if let Some(last) = last.filter(|it| *it >= low) {
            return Err(format!("non-increasing order, previous: {last}, current: {low}"));
        }
        total += high - low + 1;
        last = Some(high);
    }
    Ok(total)
}

fn interval(part: &str, completions: i64) -> Result<(i64, i64), String> {
    let index = |text: &str| {
        let value: i64 =
            text.parse().map_err(|_| format!("cannot convert string to integer for index: {}", quoted(text)))?;
        if value >= completions { Err(format!("too large index: {}", quoted(text))) } else { Ok(value) }
    };
    match part.split('-').collect::<Vec<_>>().as_slice() {
        [one] => index(one).map(|it| (it, it)),
        [low, high] => {
            let (low, high) = (index(low)?, index(high)?);
            if low >= high {
                return Err(format!("non-increasing order, previous: {low}, current: {high}"));
            }
            Ok((low, high))
        }
        _ => Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            quoted(part)
        )),
    }
}

/// The first index that both lists name; parts that can't be read are left out.
pub(super) fn overlap(a: &str, b: &str, completions: i64) -> Option<i64> {
    let intervals =
        |list: &str| -> Vec<(i64, i64)> { list.split(',').filter_map(|it| interval(it, completions).ok()).collect() };
    let (a, b) = (intervals(a), intervals(b));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((low, high)), Some((other_low, other_high))) = (a.peek(), b.peek()) {
        if low <= other_high && other_low <= high {
            return Some(*low.max(other_low));
        }
        if low <= other_low {
            a.next();
        } else {
            b.next();
        }
    }
    None
}

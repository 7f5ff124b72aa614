//! The difference of two texts as Go's difflib shows it: `@@ -25,7 +25,7 @@` and lines with three around them.

use std::collections::BTreeMap;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Where `a[a_from..a_to]` became `b[b_from..b_to]`.
#[derive(Clone, Copy)]
struct Change {
    equal: bool,
    a: (usize, usize),
    b: (usize, usize),
}

/// `GetUnifiedDiffString` without names of files.
pub(crate) fn unified(a: &str, b: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('\n').collect(), b.split('\n').collect());
    let mut out = String::new();
    for group in groups(changes(&a, &b)) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        out.push_str(&format!("@@ -{} +{} @@\n", range(first.a.0, last.a.1), range(first.b.0, last.b.1)));
        for change in &group {
            if change.equal {
                lines(&mut out, ' ', &a[change.a.0..change.a.1]);
            } else {
                lines(&mut out, '-', &a[change.a.0..change.a.1]);
                lines(&mut out, '+', &b[change.b.0..change.b.1]);
            }
        }
    }
    out
}

fn lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        out.push('\n');
    }
}

fn range(from: usize, to: usize) -> String {
    match to - from {
        0 => format!("{from},0"),
        1 => format!("{}", from + 1),
        n => format!("{},{n}", from + 1),
    }
}

/// Equal and changed stretches, by turns, from matching blocks.
fn changes(a: &[&str], b: &[&str]) -> Vec<Change> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (idx, line) in b.iter().enumerate() {
        places.entry(line).or_default().push(idx);
    }
    // Lines that are everywhere are no landmarks in long texts.
    const LONG: usize = 200;
    if b.len() >= LONG {
        places.retain(|_, at| at.len() <= b.len() / 100 + 1);
    }
    let mut blocks = Vec::new();
    let mut todo = vec![(0, a.len(), 0, b.len())];
    while let Some((a_from, a_to, b_from, b_to)) = todo.pop() {
        let (i, j, n) = longest(a, b, &places, (a_from, a_to), (b_from, b_to));
        if n > 0 {
            blocks.push((i, j, n));
            todo.push((a_from, i, b_from, j));
            todo.push((i + n, a_to, j + n, b_to));
        }
    }
    blocks.sort_unstable();
    blocks.push((a.len(), b.len(), 0));
    let (mut i, mut j) = (0, 0);
    let mut res: Vec<Change> = Vec::new();
    for (ai, bj, n) in blocks {
        if i < ai || j < bj {
            res.push(Change { equal: false, a: (i, ai), b: (j, bj) });
        }
        (i, j) = (ai + n, bj + n);
        if n == 0 {
            continue;
        }
        match res.last_mut() {
            Some(last) if last.equal && last.a.1 == ai && last.b.1 == bj => (last.a.1, last.b.1) = (i, j),
            _ => res.push(Change { equal: true, a: (ai, i), b: (bj, j) }),
        }
    }
    res
}

/// The longest stretch that both have, the first of several; grown over lines that are no landmarks.
fn longest(
    a: &[&str],
    b: &[&str],
    places: &BTreeMap<&str, Vec<usize>>,
    (a_from, a_to): (usize, usize),
    (b_from, b_to): (usize, usize),
) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best_n) = (a_from, b_from, 0);
    // How long the stretch is that ends at the line before and at this line of `b`.
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, line) in a.iter().enumerate().take(a_to).skip(a_from) {
        let mut now = BTreeMap::new();
        for j in places.get(line).into_iter().flatten().copied().filter(|j| (b_from..b_to).contains(j)) {
            let n = 1 + j.checked_sub(1).and_then(|it| lengths.get(&it)).copied().unwrap_or(0);
            now.insert(j, n);
            if n > best_n {
                (best_i, best_j, best_n) = (i + 1 - n, j + 1 - n, n);
            }
        }
        lengths = now;
    }
    while best_i > a_from && best_j > b_from && a[best_i - 1] == b[best_j - 1] {
        (best_i, best_j, best_n) = (best_i - 1, best_j - 1, best_n + 1);
    }
    while best_i + best_n < a_to && best_j + best_n < b_to && a[best_i + best_n] == b[best_j + best_n] {
        best_n += 1;
    }
    (best_i, best_j, best_n)
}

/// Changes that are near each other, with [`CONTEXT`] lines before and after.
fn groups(mut changes: Vec<Change>) -> Vec<Vec<Change>> {
    if let Some(first) = changes.first_mut().filter(|it| it.equal) {
        first.a.0 = first.a.0.max(first.a.1.saturating_sub(CONTEXT));
        first.b.0 = first.b.0.max(first.b.1.saturating_sub(CONTEXT));
    }
    if let Some(last) = changes.last_mut().filter(|it| it.equal) {
        last.a.1 = last.a.1.min(last.a.0 + CONTEXT);
        last.b.1 = last.b.1.min(last.b.0 + CONTEXT);
    }
    let mut res = Vec::new();
    let mut group: Vec<Change> = Vec::new();
    for mut change in changes {
        if change.equal && change.a.1 - change.a.0 > 2 * CONTEXT {
            let end =
                Change { equal: true, a: (change.a.0, change.a.0 + CONTEXT), b: (change.b.0, change.b.0 + CONTEXT) };
            group.push(end);
            res.push(std::mem::take(&mut group));
            change.a.0 = change.a.1 - CONTEXT;
            change.b.0 = change.b.1 - CONTEXT;
        }
        group.push(change);
    }
    if group.iter().any(|it| !it.equal) {
        res.push(group);
    }
    res
}

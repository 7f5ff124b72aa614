//! Where a cursor stands in a manifest that may be half written: the path of keys to it, by indentation alone.

/// What stands at the cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    pub api_version: String,
    pub kind: String,
    /// Keys above, outermost first; `[]` for an item of a list.
    pub path: Vec<String>,
    /// The key whose value is being written; none where a key is.
    pub key: Option<String>,
    /// What has been written of the word.
    pub word: String,
    /// Keys that stand beside it already.
    pub siblings: Vec<String>,
}

/// A line by its parts.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Columns of the dashes before the content.
    dash: Option<usize>,
    /// The column of the content.
    indent: usize,
    text: &'a str,
}

fn parse(line: &str) -> Option<Line<'_>> {
    let mut indent = line.len() - line.trim_start_matches(' ').len();
    let mut text = &line[indent..];
    let mut dash = None;
    while let Some(rest) = text.strip_prefix('-').filter(|it| it.is_empty() || it.starts_with(' ')) {
        dash = Some(indent);
        let trimmed = rest.trim_start_matches(' ');
        indent += text.len() - trimmed.len();
        text = trimmed;
    }
    (!text.is_empty() || dash.is_some()).then_some(Line { dash, indent, text }).filter(|it| !it.text.starts_with('#'))
}

/// The key that a line begins with and what follows the colon.
fn key_of(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| (key.trim_matches('"'), rest.trim_start()))
}

/// The cursor at a line, from 1, and a column, from 0.
pub fn at(text: &str, line: u32, column: u32) -> Option<Cursor> {
    let lines: Vec<&str> = text.lines().collect();
    let here = usize::try_from(line).ok()?.checked_sub(1)?;
    let current = lines.get(here).copied().unwrap_or_default();
    let before: String = current.chars().take(usize::try_from(column).ok()?).collect();
    if before.trim_start().starts_with('#') {
        return None;
    }
    let is_border = |it: &&&str| it.starts_with("---");
    let begin = lines.iter().take(here).rposition(|it| is_border(&it)).map_or(0, |it| it + 1);
    let end = lines.iter().skip(here).position(|it| is_border(&it)).map_or(lines.len(), |it| here + it);
    let mut res = Cursor::default();
    for it in lines.get(begin..end)?.iter().filter(|it| !it.starts_with(' ')) {
        match key_of(it) {
            Some(("apiVersion", value)) => res.api_version = value.trim_matches('"').to_owned(),
            Some(("kind", value)) => res.kind = value.trim_matches('"').to_owned(),
            _ => (),
        }
    }
    // An empty line counts with the column of the cursor.
    let parsed = parse(&before).unwrap_or(Line { dash: None, indent: before.len(), text: "" });
    match key_of(parsed.text) {
        Some((key, value)) => {
            res.key = Some(key.to_owned());
            res.word = value.to_owned();
        }
        None => res.word = parsed.text.to_owned(),
    }
    climb(&lines, begin, here, parsed, &mut res);
    res.siblings.extend(siblings_below(&lines, here, end, parsed.indent));
    Some(res)
}

/// Goes up line by line; every line that is less indented is a parent.
fn climb(lines: &[&str], begin: usize, here: usize, from: Line<'_>, res: &mut Cursor) {
    // Keys at this column stand beside; keys before `bound` stand above.
    let (mut bound, mut beside) = (from.indent, true);
    if let Some(dash) = from.dash {
        res.path.push("[]".to_owned());
        (bound, beside) = (dash + 1, false);
    }
    for it in lines.iter().take(here).skip(begin).rev().filter_map(|it| parse(it)) {
        let key = key_of(it.text).map(|(key, _)| key);
        if beside && it.indent == from.indent {
            res.siblings.extend(key.map(str::to_owned));
            if let Some(dash) = it.dash {
                res.path.push("[]".to_owned());
                (bound, beside) = (dash + 1, false);
            }
            continue;
        }
        let Some(key) = key.filter(|_| it.indent < bound) else { continue };
        beside = false;
        res.path.push(key.to_owned());
        // A dash before it, or before the first of its siblings, makes it part of an item.
        let dash = it.dash.or_else(|| item_above(lines, begin, it.indent, here_of(lines, it)));
        if dash.is_some() {
            res.path.push("[]".to_owned());
        }
        bound = dash.map_or(it.indent, |it| it + 1);
        if it.indent == 0 {
            break;
        }
    }
    res.path.reverse();
}

/// The number of a line that was parsed from `lines`.
fn here_of(lines: &[&str], line: Line<'_>) -> usize {
    let start = line.text.as_ptr() as usize;
    lines.iter().position(|it| (it.as_ptr() as usize..=it.as_ptr() as usize + it.len()).contains(&start)).unwrap_or(0)
}

/// If a key at `indent` belongs to an item of a list that begins further up: the column of its dash.
fn item_above(lines: &[&str], begin: usize, indent: usize, here: usize) -> Option<usize> {
    for it in lines.iter().take(here).skip(begin).rev().filter_map(|it| parse(it)) {
        if it.indent < indent {
            return None;
        }
        if it.indent == indent
            && let Some(dash) = it.dash
        {
            return Some(dash);
        }
    }
    None
}

/// Keys of the same map in the lines below.
fn siblings_below<'a>(
    lines: &'a [&'a str],
    here: usize,
    end: usize,
    indent: usize,
) -> impl Iterator<Item = String> + 'a {
    let below = lines.iter().take(end).skip(here + 1).filter_map(|it| parse(it));
    let same = below.take_while(move |it| it.indent >= indent && !(it.dash.is_some() && it.indent == indent));
    same.filter(move |it| it.indent == indent).filter_map(|it| key_of(it.text).map(|(key, _)| key.to_owned()))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    /// The cursor stands at `|`.
    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let at = text.find('|').expect("the tests mark the cursor");
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').map_or(0, |it| it + 1);
        let text = text.replace('|', "");
        let it = super::at(&text, line as u32, column as u32).expect("it is no comment");
        expect.assert_eq(&format!(
            "{} {}: {} {:?} {:?} {:?}",
            it.api_version,
            it.kind,
            it.path.join("."),
            it.key,
            it.word,
            it.siblings
        ));
    }

    #[test]
    fn keys_and_values_are_found_by_indentation() {
        check(
            "apiVersion: apps/v1\nkind: DaemonSet\nspec:\n  sel|",
            expect![[r#"apps/v1 DaemonSet: spec None "sel" []"#]],
        );
        check("kind: Da|", expect![[r#" Da:  Some("kind") "Da" []"#]]);
        check(
            "kind: Pod\nspec:\n  containers:\n  - name: a\n    im|\n    ports: []\n",
            expect![[r#" Pod: spec.containers.[] None "im" ["name", "ports"]"#]],
        );
        check(
            "kind: Pod\nspec:\n  containers:\n    - name: a\n      resources:\n        lim|",
            expect![[r#" Pod: spec.containers.[].resources None "lim" []"#]],
        );
        check(
            "kind: Pod\nspec:\n  tolerations:\n  - key: a\n    operator: |",
            expect![[r#" Pod: spec.tolerations.[] Some("operator") "" ["key"]"#]],
        );
        check(
            "kind: A\n---\nkind: B\nmetadata:\n  labels:\n    a: b\n  na|",
            expect![[r#" B: metadata None "na" ["labels"]"#]],
        );
    }
}

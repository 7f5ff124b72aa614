//! Lists that say that they are sorted are sorted.
//!
//! A list says so by a comment that ends with the words in [`MARK`]; its entries are the lines after the opening
//! bracket that have the indentation of the first one.

use super::{Finding, Source};

const MARK: &str = "tidy: sorted";

pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter(|it| it.path.ends_with(".rs")).flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().collect::<Vec<_>>();
    let is_mark = |line: &str| line.trim_start().starts_with("//") && line.trim_end().ends_with(MARK);
    let marks = lines.iter().enumerate().filter(|(_, line)| is_mark(line) && !line.starts_with("//!"));
    marks.filter_map(|(idx, _)| of_list(&source.path, idx + 1, &lines[idx + 1..])).collect()
}

fn of_list(path: &str, start: usize, lines: &[&str]) -> Option<Finding> {
    let opens = |line: &str| line.trim_end().ends_with(['[', '{', '(']);
    // A list that fits on one line ends before it opens for the tool.
    let opened = lines.iter().take_while(|it| !it.trim_end().ends_with("];")).position(|it| opens(it))? + 1;
    let entries = entries(&lines[opened..]);
    let wrong = entries.windows(2).find(|pair| pair[0].1 > pair[1].1)?;
    let (idx, entry) = &wrong[1];
    Some(format!("{path}:{}: `{entry}` is out of order", start + opened + idx + 1))
}

/// The entries of a list, each with the number of its first line and without line breaks.
fn entries(lines: &[&str]) -> Vec<(usize, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = lines.first().map(|it| indent(it)).unwrap_or_default();
    let mut res = Vec::<(usize, String)>::new();
    for (idx, line) in lines.iter().enumerate().take_while(|(_, it)| it.is_empty() || indent(it) >= first) {
        let text = line.trim();
        let opens = indent(line) == first && !text.starts_with([']', '}', ')']);
        match res.last_mut() {
            _ if text.is_empty() || text.starts_with("//") => (),
            Some((_, entry)) if !opens => {
                entry.push(' ');
                entry.push_str(text);
            }
            _ => res.push((idx, text.to_owned())),
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::{Source, check};

    #[track_caller]
    fn finds(text: &str, findings: &[&str]) {
        assert_eq!(check(&[Source { path: "a.rs".into(), text: text.into() }]), findings);
    }

    #[test]
    fn a_sorted_list_passes() {
        finds(
            "// tidy: sorted\nconst A: &[&str] = &[\n    \"a\",\n    \"b\",\n];\nconst B: &[&str] = &[\n    \"0\",\n];\n",
            &[],
        );
    }

    #[test]
    fn an_unsorted_list_is_found() {
        finds(
            "// tidy: sorted\nconst A: &[&str] = &[\n    \"b\",\n    \"a\",\n];\n",
            &["a.rs:4: `\"a\",` is out of order"],
        );
    }

    #[test]
    fn entries_may_have_several_lines() {
        finds(
            "// tidy: sorted\nconst A: &[B] = &[\n    B {\n        c: 1,\n    },\n    B {\n        c: 2,\n    },\n];\n",
            &[],
        );
        finds(
            "// tidy: sorted\nconst A: &[B] = &[\n    B {\n        c: 2,\n    },\n    B {\n        c: 1,\n    },\n];\n",
            &["a.rs:6: `B { c: 1, },` is out of order"],
        );
    }

    #[test]
    fn a_list_that_promises_nothing_may_have_any_order() {
        finds("const A: &[&str] = &[\n    \"b\",\n    \"a\",\n];\n", &[]);
    }
}

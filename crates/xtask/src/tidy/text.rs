//! Rules on the text of files: lengths, things left undone, paths of somebody's machine.

use super::{Finding, Source};

const LINES_MAX: usize = 1_000;

pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Finding> {
    let Source { path, text } = source;
    let mut res = Vec::new();
    let is_written = !path.ends_with("package-lock.json");
    let n_lines = text.lines().count();
    if is_written && is_code(path) && n_lines > LINES_MAX {
        res.push(format!("{path}: {n_lines} lines are more than {LINES_MAX}"));
    }
    let bans = bans();
    for (idx, line) in text.lines().enumerate() {
        for (banned, why) in bans.iter().filter(|(banned, _)| line.contains(banned.as_str())) {
            res.push(format!("{path}:{}: {banned}: {why}", idx + 1));
        }
    }
    if path.ends_with(".rs") && !is_test(path) && !text.starts_with("//!") {
        res.push(format!("{path}: a module opens with a sentence on what it does (//!)"));
    }
    res
}

fn is_code(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ext)| ["css", "js", "mjs", "py", "rs"].contains(&ext))
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/it/")
}

/// Texts that no file holds, with the reason. Put together here so that this file holds none either.
fn bans() -> Vec<(String, &'static str)> {
    let undone =
        ["TO", "FIX"].into_iter().zip(["DO", "ME"]).map(|(a, b)| (format!("{a}{b}"), "do it, or open an issue"));
    let places = ["home", "root", "Users", "work"].into_iter().map(|it| (format!("/{it}/"), "a path of one machine"));
    let ignored = [(format!("#[{}]", "ignore"), "a test that does not run is no test")];
    undone.chain(places).chain(ignored).collect()
}

#[cfg(test)]
mod tests {
    use super::{Source, check};

    #[track_caller]
    fn finds(path: &str, text: &str, findings: &[&str]) {
        let source = Source { path: path.into(), text: text.into() };
        assert_eq!(check(&[source]), findings);
    }

    #[test]
    fn clean_files_pass() {
        finds("crates/a/src/lib.rs", "//! Says what it does.\n", &[]);
        finds("README.md", "# Drydock\n", &[]);
    }

    #[test]
    fn what_is_left_undone_is_found() {
        let text = format!("//! A module.\n// {}{}: later\n", "TO", "DO");
        let finding = format!("a.rs:2: {}{}: do it, or open an issue", "TO", "DO");
        finds("a.rs", &text, &[&finding]);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let text = format!("see /{}/me/notes\n", "home");
        let finding = format!("notes.md:1: /{}/: a path of one machine", "home");
        finds("notes.md", &text, &[&finding]);
    }

    #[test]
    fn long_files_are_found() {
        let text = format!("//! Long.\n{}", "\n".repeat(1_000));
        finds("a.rs", &text, &["a.rs: 1001 lines are more than 1000"]);
    }

    #[test]
    fn modules_open_with_a_sentence() {
        finds(
            "crates/a/src/b.rs",
            "fn b() {}\n",
            &["crates/a/src/b.rs: a module opens with a sentence on what it does (//!)"],
        );
        finds("crates/a/src/b/tests.rs", "use super::b;\n", &[]);
    }
}

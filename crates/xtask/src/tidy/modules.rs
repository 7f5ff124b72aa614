//! Every Rust file is part of its crate, and no module is a `mod.rs`.

use super::{Finding, Source};

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let rust = sources.iter().filter(|it| it.path.ends_with(".rs"));
    rust.filter_map(|it| of_file(&it.path, sources)).collect()
}

fn of_file(path: &str, sources: &[Source]) -> Option<Finding> {
    let (dir, file) = path.rsplit_once('/')?;
    let stem = file.strip_suffix(".rs")?;
    if stem == "mod" {
        return Some(format!("{path}: a module with children is {dir}.rs beside its folder"));
    }
    let is_root = ["lib", "main", "build"].contains(&stem) || dir.ends_with("/bin") || dir.ends_with("fuzz_targets");
    if is_root {
        return None;
    }
    let parents = [format!("{dir}.rs"), format!("{dir}/lib.rs"), format!("{dir}/main.rs")];
    let declared = format!("mod {stem};");
    let found = sources
        .iter()
        .filter(|it| parents.contains(&it.path))
        .any(|it| it.text.lines().any(|line| line.ends_with(&declared)));
    (!found).then(|| format!("{path}: no `{declared}` makes it part of its crate"))
}

#[cfg(test)]
mod tests {
    use super::{Source, check};

    #[track_caller]
    fn finds(files: &[(&str, &str)], findings: &[&str]) {
        let source = |(path, text): &(&str, &str)| Source { path: (*path).into(), text: (*text).into() };
        assert_eq!(check(&files.iter().map(source).collect::<Vec<_>>()), findings);
    }

    #[test]
    fn declared_files_pass() {
        finds(
            &[("a/src/lib.rs", "pub mod b;"), ("a/src/b.rs", "mod c;"), ("a/src/b/c.rs", ""), ("a/src/bin/d.rs", "")],
            &[],
        );
    }

    #[test]
    fn a_file_that_nobody_declares_is_found() {
        finds(
            &[("a/src/lib.rs", "mod b;"), ("a/src/b.rs", ""), ("a/src/c.rs", "")],
            &["a/src/c.rs: no `mod c;` makes it part of its crate"],
        );
    }

    #[test]
    fn mod_files_are_refused() {
        finds(
            &[("a/src/lib.rs", "mod b;"), ("a/src/b/mod.rs", "")],
            &["a/src/b/mod.rs: a module with children is a/src/b.rs beside its folder"],
        );
    }
}

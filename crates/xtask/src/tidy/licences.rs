//! Every crate from outside has a licence of the list in `deny.toml` and comes from a registry.

use super::Finding;
use crate::process::Res;
use serde_json::Value;

pub fn check(metadata: &Value, deny: &str) -> Res<Vec<Finding>> {
    let allowed = allowed(deny);
    let clarified = clarified(deny);
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let outside = packages.iter().filter(|it| !it["source"].is_null());
    Ok(outside.filter_map(|it| of_package(it, &allowed, &clarified)).collect())
}

fn of_package(package: &Value, allowed: &[&str], clarified: &[(&str, &str)]) -> Option<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    if !package["source"].as_str().is_some_and(|it| it.starts_with("registry+")) {
        return Some(format!("crate {name} does not come from a registry"));
    }
    let clear = clarified.iter().find(|(it, _)| *it == name).map(|(_, licence)| *licence);
    let licence = clear.or(package["license"].as_str()).unwrap_or("none");
    (!is_allowed(licence, allowed)).then(|| format!("crate {name}: licence {licence} is not allowed"))
}

/// The entries of `allow = […]`, each on a line of its own.
fn allowed(deny: &str) -> Vec<&str> {
    let list = deny.lines().skip_while(|it| *it != "allow = [").skip(1).take_while(|it| *it != "]");
    list.map(|it| it.trim().trim_matches(['"', ','])).collect()
}

/// Crates that do not name their licence, with its name.
fn clarified(deny: &str) -> Vec<(&str, &str)> {
    let blocks = deny.split("[[licenses.clarify]]").skip(1);
    blocks.filter_map(|it| Some((text_of(it, "crate")?, text_of(it, "expression")?))).collect()
}

/// The text of the first line `key = "text"`.
fn text_of<'a>(block: &'a str, key: &str) -> Option<&'a str> {
    let values = block.lines().filter_map(|it| it.split_once(" = ").filter(|(name, _)| *name == key));
    values.map(|(_, value)| value.trim_matches('"')).next()
}

/// Whether an SPDX expression can be met by allowed licences; `/` is an old way to write OR.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words = spaced.split_whitespace().collect::<Vec<_>>();
    let (met, rest) = any_of(&words, allowed);
    met && rest.is_empty()
}

fn any_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = all_of(words, allowed);
    while let Some(("OR", after)) = rest.split_first().map(|(it, after)| (*it, after)) {
        let (next, left) = all_of(after, allowed);
        met |= next;
        rest = left;
    }
    (met, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, allowed);
    while let Some(("AND", after)) = rest.split_first().map(|(it, after)| (*it, after)) {
        let (next, left) = one(after, allowed);
        met &= next;
        rest = left;
    }
    (met, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => {
            let (met, rest) = any_of(inside, allowed);
            (met, rest.strip_prefix(&[")"]).unwrap_or(rest))
        }
        [name, "WITH", exception, rest @ ..] => (allowed.contains(&format!("{name} WITH {exception}").as_str()), rest),
        [name, rest @ ..] => (allowed.contains(name), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use super::{allowed, clarified, is_allowed};

    #[track_caller]
    fn check(expression: &str, is: bool) {
        let deny =
            "[licenses]\nallow = [\n    \"MIT\",\n    \"Unicode-3.0\",\n    \"Apache-2.0 WITH LLVM-exception\",\n]\n";
        assert_eq!(is_allowed(expression, &allowed(deny)), is, "{expression}");
    }

    #[test]
    fn a_crate_may_be_clarified() {
        let deny = "[[licenses.clarify]]\ncrate = \"a\"\nexpression = \"MIT\"\n";
        assert_eq!(clarified(deny), [("a", "MIT")]);
    }

    #[test]
    fn expressions_are_understood() {
        check("MIT", true);
        check("GPL-3.0", false);
        check("MIT OR GPL-3.0", true);
        check("GPL-3.0/MIT", true);
        check("MIT AND GPL-3.0", false);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("(GPL-3.0 OR MPL-2.0) AND MIT", false);
        check("Apache-2.0 WITH LLVM-exception OR Apache-2.0", true);
        check("none", false);
        check("", false);
    }
}

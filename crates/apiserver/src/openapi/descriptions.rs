//! What is said of definitions and fields: `kubectl explain` and the page's editor show it.

/// Lines of `DEFINITION SENTENCE` and `DEFINITION.FIELD SENTENCE`, sorted by what stands before the first space.
/// `*.FIELD` is for all definitions of which nothing else is said, `*Condition.FIELD` for those whose names end so.
const DESCRIPTIONS: &str = include_str!("../../data/descriptions.txt");

/// The name of a definition without what all have in common, as the files have it.
pub(super) fn short(definition: &str) -> &str {
    ["io.k8s.api.", "io.k8s.apimachinery.pkg.apis."]
        .iter()
        .find_map(|it| definition.strip_prefix(it))
        .or_else(|| definition.split_once(".pkg.apis.").map(|(_, it)| it))
        .unwrap_or(definition)
}

/// What is said of a definition (`field` is empty), or of its field.
pub(crate) fn description(definition: &str, field: &str) -> Option<&'static str> {
    let definition = short(definition);
    if field.is_empty() {
        return find(DESCRIPTIONS, &[definition]);
    }
    let anywhere = if definition.ends_with("Condition") { "*Condition" } else { "*" };
    find(DESCRIPTIONS, &[definition, ".", field])
        .or_else(|| find(DESCRIPTIONS, &[anywhere, ".", field]))
        .or_else(|| find(DESCRIPTIONS, &["*.", field]))
}

/// What follows the key, which is given in pieces. Cuts the sorted lines in halves, as there are thousands of them.
fn find<'a>(mut lines: &'a str, key: &[&str]) -> Option<&'a str> {
    let key = || key.iter().flat_map(|it| it.bytes());
    while !lines.is_empty() {
        // Halves begin and end where lines do. A newline is never a part of another character.
        let middle = lines.len() / 2;
        let begin = lines.bytes().take(middle).rposition(|it| it == b'\n').map_or(0, |it| it + 1);
        let (before, rest) = lines.split_at_checked(begin)?;
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let (name, text) = line.split_once(' ').unwrap_or((line, ""));
        match key().cmp(name.bytes()) {
            std::cmp::Ordering::Less => lines = before,
            std::cmp::Ordering::Equal => return Some(text),
            std::cmp::Ordering::Greater => lines = after,
        }
    }
    None
}

#[cfg(test)]
mod tests;

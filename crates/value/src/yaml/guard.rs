//! Keeps the parser from the one construct on which it stops: a tag before a comma.

/// The text with the comma of each thing that may be a tag in a flow collection (`[!a, b]`) replaced by a
/// character that is not in it, and that character. go-yaml refuses such tags, and so the parser does then.
/// Where it was no tag, the character must be turned back into the comma.
pub(super) fn commas_after_tags(text: &str) -> Option<(String, char)> {
    let commas: Vec<usize> = text.match_indices('!').filter_map(|(idx, _)| comma(text, idx)).collect();
    if commas.is_empty() {
        return None;
    }
    let mark = ('\u{e000}'..='\u{f8ff}').find(|&it| !text.contains(it))?;
    let mut res = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for idx in commas {
        if idx >= from {
            res.push_str(&text[from..idx]);
            res.push(mark);
            from = idx + 1;
        }
    }
    res.push_str(&text[from..]);
    Some((res, mark))
}

/// The comma that follows the word at the `!`, unless the `!` is surely inside of a plain scalar.
fn comma(text: &str, bang: usize) -> Option<usize> {
    let word = text[bang..].split([' ', '\t', '\n', '\r']).next()?;
    let comma = bang + word.find(',')?;
    let before = text[..bang].trim_end();
    let inside = before.len() < bang
        && !before[before.rfind('\n').map_or(0, |it| it + 1)..].contains('#')
        && !text[before.len()..bang].contains('#')
        && before.rsplit([' ', '\t', '\n', '\r']).next().is_some_and(plain);
    (!inside).then_some(comma)
}

fn plain(word: &str) -> bool {
    word.bytes().any(|it| it.is_ascii_alphanumeric())
        && word.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'/' | b'-'))
}

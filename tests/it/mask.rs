//! What differs between two true runs of one session: ages, and what the real kubectl reads off its own clock and disk.

/// Ages become `AGE`, and with them the widths of the columns; names and times of `diff`'s files go.
pub fn differences(text: &str) -> String {
    text.lines().map(|line| of_diff(line).unwrap_or_else(|| ages(line)) + "\n").collect()
}

/// A line that names the files that `kubectl diff` compared.
fn of_diff(line: &str) -> Option<String> {
    let is_head = ["diff -u -N ", "--- ", "+++ "].iter().any(|it| line.starts_with(it));
    if !is_head || !line.contains("/LIVE-") && !line.contains("/MERGED-") {
        return None;
    }
    let without_time = line.split('\t').next().unwrap_or(line);
    let names = without_time.split(' ').map(|it| it.rsplit('/').next().unwrap_or(it));
    Some(names.collect::<Vec<_>>().join(" "))
}

fn ages(line: &str) -> String {
    let mut words = Vec::new();
    let mut changed = false;
    for word in line.split(' ') {
        let bare = word.trim_matches(|it| matches!(it, '(' | ')'));
        if is_age(bare) {
            changed = true;
            words.push(word.replace(bare, "AGE"));
        } else {
            words.push(word.to_owned());
        }
    }
    let is_ruler = !line.is_empty() && line.chars().all(|it| matches!(it, '-' | ' '));
    // A column is as wide as its longest age: the heads of such columns count too.
    if changed || is_ruler || [" AGE", " Age ", "LAST SEEN"].iter().any(|it| line.contains(it)) {
        words.retain(|it| !it.is_empty());
        words.join(" ")
    } else {
        line.trim_end().to_owned()
    }
}

/// `5s`, `3m20s`, `2d4h`, `<invalid>`
fn is_age(word: &str) -> bool {
    if matches!(word, "<invalid>" | "<unknown>") {
        return true;
    }
    let mut has_unit = false;
    let mut digits = 0;
    for c in word.chars() {
        match c {
            '0'..='9' => digits += 1,
            's' | 'm' | 'h' | 'd' | 'y' if digits > 0 => {
                has_unit = true;
                digits = 0;
            }
            _ => return false,
        }
    }
    has_unit && digits == 0
}

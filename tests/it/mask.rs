//! What differs between two true runs of one session: ages, and the times that the real kubectl reads off its own clock.

/// Ages become `AGE`, and with them the widths of the columns.
pub fn ages(text: &str) -> String {
    text.lines().map(|line| masked_line(line) + "\n").collect()
}

fn masked_line(line: &str) -> String {
    let mut res = String::new();
    let mut changed = false;
    for word in line.split(' ') {
        let bare = word.trim_matches(|it| matches!(it, '(' | ')'));
        if is_age(bare) {
            changed = true;
            res.push_str(&word.replace(bare, "AGE"));
        } else {
            res.push_str(word);
        }
        res.push(' ');
    }
    // A column is as wide as its longest age: the heads of such columns count too.
    if changed || line.contains(" AGE") || line.contains(" Age ") || line.contains("LAST SEEN") {
        res.split(' ').filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
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

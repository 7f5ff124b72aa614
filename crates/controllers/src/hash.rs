//! Hashes of templates that end in names and labels, and the numbers of their revisions. Upstream's own values depend on Go's way to print structs and are not reproduced.

use value::{Value, json};

/// A short text for a template and a count of collisions, of the alphabet of generated names (`ComputeHash`).
pub(crate) fn of_template(template: &Value, collisions: Option<i64>) -> String {
    let mut text = Vec::new();
    json::write(template, &mut text);
    if let Some(count) = collisions {
        text.extend_from_slice(&count.to_le_bytes());
    }
    // FNV-1a, 32 bits, as upstream uses.
    let hash = text.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    safe(&hash.to_string())
}

/// The count of collisions after another one, 32 bits wide.
pub(crate) fn after_collision(count: Option<i64>) -> i64 {
    i64::from((count.unwrap_or(0) as i32).wrapping_add(1))
}

/// The number of a revision that is newer than all of these (`MaxRevision`); it wraps as Go's integers do.
pub(crate) fn next_number(numbers: impl Iterator<Item = i64>) -> i64 {
    numbers.max().unwrap_or(0).max(0).wrapping_add(1)
}

/// `rand.SafeEncodeString`: no vowels, so no words.
fn safe(text: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes().map(|it| char::from(ALPHABET[usize::from(it) % ALPHABET.len()])).collect()
}

//! Hashes of templates that end in names and labels. Upstream's own values depend on Go's way to print structs and are not reproduced.

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

/// `rand.SafeEncodeString`: no vowels, so no words.
fn safe(text: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes().map(|it| char::from(ALPHABET[usize::from(it) % ALPHABET.len()])).collect()
}

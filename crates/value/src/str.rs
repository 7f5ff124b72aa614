//! Immutable text that is cheap to clone.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::OnceLock;

use arcstr::ArcStr;

/// Places for texts that recur.
const LITERALS: usize = 4096;

/// Immutable UTF-8 text; one word wide, cloning is a counter.
#[derive(Clone, Eq, Default)]
pub struct Str(ArcStr);

impl Str {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text that recurs, such as the name of a field: as a rule there is one allocation of each, which stays and is not
    /// counted. Not for what users write.
    pub fn literal(text: &str) -> Str {
        static KNOWN: [OnceLock<Str>; LITERALS] = [const { OnceLock::new() }; LITERALS];
        let hash = hash(text);
        for slot in [hash, hash >> 16] {
            let known = KNOWN[slot as usize % LITERALS].get_or_init(|| {
                let text = Str::from(text);
                text.0.leak();
                text
            });
            if same_text(known.as_bytes(), text.as_bytes()) {
                return known.clone();
            }
        }
        Str::from(text)
    }

    /// The parts one after the other; nothing where they are no text.
    pub fn joined(parts: &[&[u8]]) -> Str {
        // Most are names and times, and so short.
        let (mut text, mut len) = ([0; 128], 0);
        for part in parts {
            let Some(place) = text.get_mut(len..len + part.len()) else {
                return std::str::from_utf8(&parts.concat()).unwrap_or_default().into();
            };
            place.copy_from_slice(part);
            len += part.len();
        }
        std::str::from_utf8(&text[..len]).unwrap_or_default().into()
    }

    /// Whether both are one allocation (a fast "surely equal").
    pub fn same(&self, other: &Str) -> bool {
        ArcStr::ptr_eq(&self.0, &other.0)
    }
}

/// A number that tells most texts apart, quickly: eight bytes at once. Every bit of it counts.
pub fn hash(text: &str) -> u32 {
    (digest(0, text).wrapping_mul(FACTOR) >> 32) as u32
}

/// The same in twice as many bits, of several texts: what comes before this one has `start`.
pub fn digest(start: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = start.wrapping_add(bytes.len() as u64);
    if let Some(last) = bytes.last_chunk::<8>() {
        // A plain loop: what is optimised for size calls every part of an iterator.
        for word in bytes.as_chunks::<8>().0 {
            hash = mixed(hash, u64::from_le_bytes(*word));
        }
        hash = mixed(hash, u64::from_le_bytes(*last));
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        hash = mixed(hash, u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32);
    } else {
        for byte in bytes {
            hash = (hash << 8) | u64::from(*byte);
        }
        hash = mixed(hash, 0);
    }
    hash
}

const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

/// What only the end of a word tells is brought down, so that it does not meet what comes next.
fn mixed(hash: u64, word: u64) -> u64 {
    let hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    hash ^ (hash >> 32)
}

/// Equality of texts that are short, most of them equal: in words, the last of which may overlap the one before.
pub(crate) fn same_text(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        let ((a, _), (b, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
        for idx in 0..a.len().min(b.len()) {
            if u64::from_le_bytes(a[idx]) != u64::from_le_bytes(b[idx]) {
                return false;
            }
        }
        return u64::from_le_bytes(*a_last) == u64::from_le_bytes(*b_last);
    }
    if let (Some(a_first), Some(b_first), Some(a_last), Some(b_last)) =
        (a.first_chunk::<4>(), b.first_chunk::<4>(), a.last_chunk::<4>(), b.last_chunk::<4>())
    {
        return u32::from_le_bytes(*a_first) == u32::from_le_bytes(*b_first)
            && u32::from_le_bytes(*a_last) == u32::from_le_bytes(*b_last);
    }
    // Three at most.
    a.first() == b.first() && a.get(1) == b.get(1) && a.last() == b.last()
}

/// The order of texts that are short: in words, without a call.
fn order(a: &[u8], b: &[u8]) -> Ordering {
    let ((a_words, _), (b_words, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let n_words = a_words.len().min(b_words.len());
    for idx in 0..n_words {
        let (a, b) = (u64::from_le_bytes(a_words[idx]), u64::from_le_bytes(b_words[idx]));
        if a != b {
            return a.swap_bytes().cmp(&b.swap_bytes());
        }
    }
    for (mine, other) in a[n_words * 8..].iter().zip(&b[n_words * 8..]) {
        if mine != other {
            return mine.cmp(other);
        }
    }
    a.len().cmp(&b.len())
}

/// The place of the first byte that is `wanted`.
pub(crate) fn position_of(text: &[u8], wanted: u8) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    let pattern = u64::from(wanted) * LOW_BITS;
    let mut at = 0;
    for word in words {
        let zeros = zero_bytes(u64::from_le_bytes(*word) ^ pattern);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    match text.last_chunk::<8>() {
        // It overlaps the words in which nothing was found.
        Some(last) if !rest.is_empty() => {
            let zeros = zero_bytes(u64::from_le_bytes(*last) ^ pattern);
            (zeros != 0).then(|| text.len() - 8 + zeros.trailing_zeros() as usize / 8)
        }
        _ => rest.iter().position(|it| *it == wanted).map(|it| at + it),
    }
}

/// The lowest bit of each byte of a word.
pub(crate) const LOW_BITS: u64 = 0x0101_0101_0101_0101;

/// The top bit of each byte that is zero; above the lowest such byte of some that are one, too.
pub(crate) fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW_BITS) & !word & (LOW_BITS << 7)
}

impl PartialEq for Str {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &Str) -> bool {
        self.same(other) || same_text(self.as_bytes(), other.as_bytes())
    }
}

impl Ord for Str {
    /// What is one allocation is not looked into.
    fn cmp(&self, other: &Str) -> Ordering {
        if self.same(other) { Ordering::Equal } else { order(self.as_bytes(), other.as_bytes()) }
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(ArcStr::from(text))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(ArcStr::from(text))
    }
}

impl From<u64> for Str {
    /// The number in decimal.
    fn from(mut number: u64) -> Self {
        let mut text = [0; 20];
        let mut start = text.len();
        while start == text.len() || number > 0 {
            start -= 1;
            text[start] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        std::str::from_utf8(&text[start..]).unwrap_or_default().into()
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Self {
        Str(ArcStr::from(text))
    }
}

impl From<&Str> for Str {
    fn from(text: &Str) -> Self {
        text.clone()
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        same_text(self.as_bytes(), other.as_bytes())
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        same_text(self.as_bytes(), other.as_bytes())
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

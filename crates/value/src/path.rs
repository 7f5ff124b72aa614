//! Dotted paths such as `spec.template`: where they stand in code, what can be told of them is told there.

use crate::shape::tag;

/// Paths that are taken apart ahead of their use: so many bytes and keys.
const BYTES_MAX: usize = 64;
const KEYS_MAX: usize = 4;

/// What tells the keys of a path apart, 16 bits for each from the lowest on: its length and its tag. Zero for paths that are
/// long or have an empty key.
#[inline(always)]
pub(crate) fn parts(path: &[u8]) -> u64 {
    if path.len() > BYTES_MAX {
        return 0;
    }
    let (mut dots, mut start, mut parts) = (dots(path), 0, 0);
    for idx in 0..KEYS_MAX {
        let end = if dots == 0 { path.len() } else { dots.trailing_zeros() as usize };
        if end == start {
            return 0;
        }
        let key = &path[start..end];
        parts |= (key.len() as u64 | u64::from(tag(key)) << 8) << (16 * idx);
        if dots == 0 {
            return parts;
        }
        dots &= dots - 1;
        start = end + 1;
    }
    0
}

/// A bit for each byte that is a dot.
#[inline(always)]
fn dots(path: &[u8]) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    let (mut dots, mut at) = (0_u64, 0);
    let (words, rest) = path.as_chunks::<8>();
    for word in words {
        let other = u64::from_le_bytes(*word) ^ u64::from_le_bytes([b'.'; 8]);
        // The top bit of each byte that is a dot, then these bits next to each other.
        let tops = !(((other & LOW) + LOW) | other | LOW);
        dots |= ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
        at += 8;
    }
    for byte in rest {
        dots |= u64::from(*byte == b'.') << at;
        at += 1;
    }
    dots
}

/// The readers of what has `at`, by type.
#[doc(hidden)]
#[macro_export]
macro_rules! readers {
    () => {
        $crate::readers! {
            fn str_at(it) -> Option<&str> { it?.as_str() }
            fn i64_at(it) -> Option<i64> { it?.as_i64() }
            fn bool_at(it) -> Option<bool> { it?.as_bool() }
            fn map_at(it) -> Option<&$crate::Map> { it?.as_map() }
            /// The list at a dotted path; empty where there is none.
            fn list_at(it) -> &[$crate::Value] { it.and_then($crate::Value::as_list).map_or(&[], |it| it) }
        }
    };
    ($($(#[$doc:meta])* fn $name:ident($it:ident) -> $res:ty { $what:expr })+) => {
        $($(#[$doc])*
        #[cfg_attr(not(any(debug_assertions, target_family = "wasm")), inline(always))]
        pub fn $name(&self, path: &str) -> $res {
            let $it = self.at(path);
            $what
        })+
    };
}

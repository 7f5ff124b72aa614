//! Addresses and blocks of them.

use std::net::IpAddr;

/// Whether an address is in a block such as `10.0.0.0/8`.
pub(crate) fn is_in(ip: IpAddr, block: &str) -> bool {
    let Some((base, length)) = block.split_once('/') else { return block.parse() == Ok(ip) };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let same = |a: u128, b: u128, width: u32| {
        let shift = width.saturating_sub(length);
        shift >= 128 || a >> shift == b >> shift
    };
    match (ip, base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => same(u32::from(ip).into(), u32::from(base).into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(base)) => same(ip.into(), base.into(), 128),
        _ => false,
    }
}

/// A number from a text, the same everywhere (FNV-1a).
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// One of several equals, the next one each turn.
pub(crate) fn choose<T: Copy>(list: &[T], turn: u64) -> Option<T> {
    let idx = turn.checked_rem(list.len() as u64)?;
    list.get(usize::try_from(idx).ok()?).copied()
}

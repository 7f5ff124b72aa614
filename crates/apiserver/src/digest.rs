//! Base64 for URLs and SHA-256, for tokens and for the names of contents.

use value::base64;

/// Base64 for URLs, without padding (`base64.RawURLEncoding`).
pub(crate) fn base64_url(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Reads [`base64_url`].
///
/// # Errors
/// The place of the first byte that does not fit, as Go tells it.
pub(crate) fn from_base64_url(text: &str) -> Result<Vec<u8>, String> {
    let mut res = Vec::with_capacity(text.len() * 3 / 4);
    let bad = |at: usize| format!("illegal base64 data at input byte {at}");
    // Go passes over line ends.
    let digits = text.bytes().enumerate().filter(|(_, it)| !matches!(it, b'\r' | b'\n'));
    let (mut bits, mut n_digits) = (0_u32, 0);
    for (at, byte) in digits {
        let digit = match byte {
            b'-' => 62,
            b'_' => 63,
            b'+' | b'/' => return Err(bad(at)),
            _ => base64::letter(byte).ok_or_else(|| bad(at))?,
        };
        bits = bits << 6 | digit;
        n_digits += 1;
        if n_digits % 4 == 0 {
            res.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    match n_digits % 4 {
        1 => return Err(bad(text.len() - 1)),
        2 => res.push((bits >> 4) as u8),
        3 => res.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => (),
    }
    Ok(res)
}

/// The first primes' square roots' fractions.
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The first 64 primes.
fn primes() -> [u64; 64] {
    let mut res = [0; 64];
    let mut n_found = 0;
    let mut number = 2_u64;
    while n_found < 64 {
        if (2..number).take_while(|it| it * it <= number).all(|it| !number.is_multiple_of(it)) {
            res[n_found] = number;
            n_found += 1;
        }
        number += 1;
    }
    res
}

/// The first 32 bits of the fraction of a number's cube root, by search: no floats, no table.
fn cube_root_fraction(number: u64) -> u32 {
    let wanted = u128::from(number) << 96;
    let mut root = 0_u128;
    for bit in (0..36).rev() {
        let next = root | 1 << bit;
        if next * next * next <= wanted {
            root = next;
        }
    }
    root as u32
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let constants = primes().map(cube_root_fraction);
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    let mut state = START;
    for block in padded.chunks_exact(64) {
        mix(&mut state, block, &constants);
    }
    let mut res = [0; 32];
    for (out, word) in res.chunks_exact_mut(4).zip(state) {
        out.copy_from_slice(&word.to_be_bytes());
    }
    res
}

fn mix(state: &mut [u32; 8], block: &[u8], constants: &[u32; 64]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, it| word << 8 | u32::from(*it));
    }
    for idx in 16..64 {
        let (a, b) = (words[idx - 15], words[idx - 2]);
        let small = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let large = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        words[idx] = words[idx - 16].wrapping_add(small).wrapping_add(words[idx - 7]).wrapping_add(large);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in words.iter().zip(constants) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(sum).wrapping_add(majority));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(add);
    }
}

/// Bytes as upper case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    bytes.iter().flat_map(|it| [it >> 4, it & 15]).map(|it| char::from(DIGITS[usize::from(it)])).collect()
}

#[cfg(test)]
mod tests;

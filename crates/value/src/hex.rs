//! Numbers in hexadecimal.

/// The sixteen digits of a number.
pub fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    digits[..8].copy_from_slice(&eight(number >> 32).to_be_bytes());
    digits[8..].copy_from_slice(&eight(number & 0xffff_ffff).to_be_bytes());
    digits
}

/// The eight digits of a number of 32 bits, a byte each, all at once.
fn eight(number: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // Halves move apart until each digit has a byte of its own.
    let it = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let it = (it | it << 8) & 0x00ff_00ff_00ff_00ff;
    let it = (it | it << 4) & (0x0f * ONES);
    let is_letter = ((it + 6 * ONES) >> 4) & ONES;
    it + u64::from(b'0') * ONES + is_letter * u64::from(b'a' - b'0' - 10)
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn digits_are_those_that_rust_prints() {
        for number in [0, 1, 0xf, 0x9a, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX, u64::MAX >> 3] {
            assert_eq!(str::from_utf8(&hex(number)), Ok(&*format!("{number:016x}")));
        }
    }
}

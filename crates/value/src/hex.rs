//! Numbers in hexadecimal.

/// The sixteen digits of a number.
pub fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (idx, digit) in digits.iter_mut().enumerate() {
        let value = (number >> (60 - 4 * idx)) as u8 & 0xf;
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
    }
    digits
}

//! Amounts such as `500m`, `1.5Gi` or `12e6` (`k8s.io/apimachinery/pkg/api/resource`).

use std::cmp::Ordering;
use std::fmt;

/// What upstream says of a text that is no quantity.
pub const FORMAT_ERROR: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// What upstream says of a suffix that does not exist.
pub const SUFFIX_ERROR: &str = "unable to parse quantity's suffix";

/// How an amount is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// `Ki`, `Mi` …
    Binary,
    /// `m`, `k`, `M` …
    Decimal,
    /// `e3`, `e6` …
    Exponent,
}

/// An exact amount: a whole number of billionths, and how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Reads a quantity. Parts below a billionth are rounded up, amounts beyond 2⁶³ are cut to it, as upstream does.
    ///
    /// # Errors
    /// [`FORMAT_ERROR`] or [`SUFFIX_ERROR`].
    pub fn parse(text: &str) -> Result<Quantity, &'static str> {
        let (negative, rest) = match text.as_bytes().first() {
            None => return Err(FORMAT_ERROR),
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            Some(_) => (false, text),
        };
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(FORMAT_ERROR);
        }
        if !suffix.bytes().all(|it| b"eEinumkKMGTP+-0123456789".contains(&it)) {
            return Err(FORMAT_ERROR);
        }
        let (format, base, exponent) = suffix_of(suffix).ok_or(SUFFIX_ERROR)?;
        let nanos = short(whole, fraction, base, exponent).unwrap_or_else(|| scaled(whole, fraction, base, exponent));
        Ok(Quantity { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// A whole number in decimal notation.
    pub fn from_int(amount: i64) -> Quantity {
        Quantity { nanos: i128::from(amount) * NANO, format: Format::Decimal }
    }

    /// A number of thousandths in decimal notation.
    pub fn from_milli(amount: i64) -> Quantity {
        Quantity { nanos: i128::from(amount) * 1_000_000, format: Format::Decimal }
    }

    /// The amount, rounded up to a whole number.
    pub fn value(&self) -> i64 {
        clamp(ceil(self.nanos, 1_000_000_000))
    }

    /// The amount in thousandths, rounded up.
    pub fn milli_value(&self) -> i64 {
        clamp(ceil(self.nanos, 1_000_000))
    }

    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    pub fn is_negative(&self) -> bool {
        self.nanos < 0
    }

    /// Whether it is a whole number.
    pub fn is_whole(&self) -> bool {
        self.nanos % NANO == 0
    }

    /// The sum, written as `self` is (or as `other`, if `self` is zero).
    #[must_use]
    pub fn saturating_add(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity { nanos: self.nanos.saturating_add(other.nanos), format }
    }

    /// The difference, written as `self` is (or as `other`, if `self` is zero).
    #[must_use]
    pub fn saturating_sub(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity { nanos: self.nanos.saturating_sub(other.nanos), format }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// Format, base and exponent of a suffix: `Mi` is 2²⁰, `M` is 10⁶, `e3` is 10³.
fn suffix_of(suffix: &str) -> Option<(Format, u32, i32)> {
    Some(match suffix {
        "" => (Format::Decimal, 10, 0),
        "n" => (Format::Decimal, 10, -9),
        "u" => (Format::Decimal, 10, -6),
        "m" => (Format::Decimal, 10, -3),
        "k" => (Format::Decimal, 10, 3),
        "M" => (Format::Decimal, 10, 6),
        "G" => (Format::Decimal, 10, 9),
        "T" => (Format::Decimal, 10, 12),
        "P" => (Format::Decimal, 10, 15),
        "E" => (Format::Decimal, 10, 18),
        "Ki" => (Format::Binary, 2, 10),
        "Mi" => (Format::Binary, 2, 20),
        "Gi" => (Format::Binary, 2, 30),
        "Ti" => (Format::Binary, 2, 40),
        "Pi" => (Format::Binary, 2, 50),
        "Ei" => (Format::Binary, 2, 60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            (Format::Exponent, 10, digits.parse::<i32>().ok()?.clamp(-60, 60))
        }
    })
}

/// The largest amount.
const MAX: i128 = i64::MAX as i128 * NANO;

/// [`scaled`] of amounts that are whole and short, as most are, with one wide multiplication. `None` for others.
fn short(whole: &str, fraction: &str, base: u32, exponent: i32) -> Option<i128> {
    if !fraction.is_empty() || whole.len() > 18 {
        return None;
    }
    let mantissa = whole.bytes().fold(0_u64, |it, digit| it * 10 + u64::from(digit - b'0'));
    let (amount, ten) = match base {
        10 => (mantissa, u32::try_from(9 + exponent).ok()?),
        _ => (mantissa.checked_mul(1_u64.checked_shl(u32::try_from(exponent).ok()?)?)?, 9),
    };
    (ten <= 18).then(|| (i128::from(amount) * i128::from(10_u64.pow(ten))).min(MAX))
}

/// `whole.fraction × base^exponent` in billionths, rounded away from zero and cut to what 64 bits hold.
fn scaled(whole: &str, fraction: &str, base: u32, exponent: i32) -> i128 {
    let mut mantissa: i128 = 0;
    let mut decimals: i32 = 0;
    let mut rest = false;
    for (idx, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        if mantissa > i128::MAX / 100 {
            // More digits than an amount can have: whole ones make it too large, others only round.
            if idx < whole.len() {
                return MAX;
            }
            rest |= digit != b'0';
            continue;
        }
        mantissa = mantissa * 10 + i128::from(digit - b'0');
        decimals += i32::from(idx >= whole.len());
    }
    let mut nanos = mantissa;
    let mut ten = 9 - decimals;
    if base == 10 {
        ten += exponent;
    } else {
        match nanos.checked_mul(1_i128 << exponent) {
            Some(it) => nanos = it,
            None => return wide(mantissa, exponent, ten).min(MAX),
        }
    }
    while ten > 0 {
        match nanos.checked_mul(10) {
            Some(it) => nanos = it,
            None => return MAX,
        }
        ten -= 1;
    }
    while ten < 0 && nanos != 0 {
        rest |= nanos % 10 != 0;
        nanos /= 10;
        ten += 1;
    }
    (nanos + i128::from(rest)).min(MAX)
}

/// The same where the product with a power of two does not fit: decimals are cut off first.
fn wide(mut mantissa: i128, exponent: i32, mut ten: i32) -> i128 {
    while ten < 0 && mantissa != 0 {
        mantissa /= 10;
        ten += 1;
    }
    let scale = 10_i128.checked_pow(ten.unsigned_abs()).unwrap_or(i128::MAX);
    mantissa.saturating_mul(scale).saturating_mul(1_i128 << exponent)
}

fn ceil(nanos: i128, unit: i64) -> i128 {
    // Wide divisions are slow, and few amounts need them.
    if let Ok(nanos) = i64::try_from(nanos) {
        return i128::from(nanos.div_euclid(unit) + i64::from(nanos.rem_euclid(unit) != 0));
    }
    let unit = i128::from(unit);
    nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) != 0)
}

fn clamp(it: i128) -> i64 {
    i64::try_from(it).unwrap_or(if it < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Quantity {
    /// The canonical text: the largest suffix that leaves a whole number (`CanonicalizeBytes`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        // Binary notation is for whole amounts of at least 1024.
        let binary = self.format == Format::Binary && self.nanos.abs() >= 1024 * NANO && self.nanos % NANO == 0;
        if binary {
            const NAMES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            let mut amount = self.nanos / NANO;
            let mut power = 0;
            while power + 1 < NAMES.len() && amount % 1024 == 0 {
                amount /= 1024;
                power += 1;
            }
            return write!(f, "{amount}{}", NAMES[power]);
        }
        const NAMES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        let mut amount = self.nanos;
        let mut power = 0;
        while power + 1 < NAMES.len() && amount % 1000 == 0 {
            amount /= 1000;
            power += 1;
        }
        if self.format == Format::Exponent {
            let exponent = (power as i32 - 3) * 3;
            return if exponent == 0 { write!(f, "{amount}") } else { write!(f, "{amount}e{exponent}") };
        }
        write!(f, "{amount}{}", NAMES[power])
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    fn check(text: &str, expected: &str) {
        let shown = Quantity::parse(text)
            .map(|it| format!("{it} {} {}", it.value(), it.milli_value()))
            .unwrap_or_else(|it| it[..10].to_owned());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn amounts_are_read_rounded_and_written_as_upstream_does() {
        check("0", "0 0 0");
        check("1000m", "1 1 1000");
        check("100m", "100m 1 100");
        check("1.5Gi", "1536Mi 1610612736 1610612736000");
        check("0.5Ki", "512 512 512000");
        check("12e6", "12e6 12000000 12000000000");
        check("1E", "1E 1000000000000000000 9223372036854775807");
        check("1.0000000001", "1000000001n 2 1001");
        check("-1.1", "-1100m -1 -1100");
        check("1024Mi", "1Gi 1073741824 1073741824000");
        check("99999999999999999999", "9223372036854775807 9223372036854775807 9223372036854775807");
        check("1.2.3", "quantities");
        check("1 Gi", "quantities");
        check("", "quantities");
        check("1Kii", "unable to ");
        check("1K", "unable to ");
    }

    #[test]
    fn short_amounts_are_what_the_long_way_makes_of_them() {
        for number in ["", "0", "1", "007", "64", "16384", "999999999999999999", "1000000000000000000"] {
            for suffix in ["", "n", "u", "m", "k", "P", "E", "Ki", "Gi", "Ei", "e3", "E9", "e10", "e-9", "e-12", "e60"]
            {
                let Some((_, base, exponent)) = super::suffix_of(suffix) else { panic!("{suffix}") };
                if let Some(it) = super::short(number, "", base, exponent) {
                    assert_eq!(it, super::scaled(number, "", base, exponent), "{number}{suffix}");
                }
            }
        }
    }

    #[test]
    fn no_text_is_a_panic() {
        for text in [
            "-",
            "+",
            ".",
            "1e",
            "1e99999999999",
            "999999999999999999999999999999999999999999Ei",
            "0.000000000000000000000000000000000000001Ei",
            "é",
        ] {
            let _ = Quantity::parse(text).map(|it| it.to_string());
        }
    }
}

//! Decimal numbers as Go prints them, without floats.

/// `0.DIGITS * 10^point`, the digits without zeros at either end.
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

/// A float64 has at most 17 digits that matter.
const DIGITS_MAX: usize = 17;

/// `1.5e3`, `.5` and `-1.`; `None` for other texts and for what a float64 cannot hold.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, exponent) = match rest.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent_of(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let mut point = i64::try_from(whole.len()).ok()? + exponent;
    let zeros = digits.bytes().take_while(|&it| it == b'0').count();
    digits.drain(..zeros);
    point -= i64::try_from(zeros).ok()?;
    point += round(&mut digits);
    digits.truncate(digits.trim_end_matches('0').len());
    if digits.is_empty() || point < -324 {
        return Some(Decimal { negative, digits: String::new(), point: 0 });
    }
    (point <= 309).then_some(Decimal { negative, digits, point })
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len() > digits.len() + 1 || digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(100_000);
    Some(if text.starts_with('-') { -size } else { size })
}

/// Cuts off the digits that do not matter; answers by how much the point moves.
fn round(digits: &mut String) -> i64 {
    if digits.len() <= DIGITS_MAX {
        return 0;
    }
    let up = digits.as_bytes()[DIGITS_MAX] >= b'5';
    digits.truncate(DIGITS_MAX);
    if !up {
        return 0;
    }
    let rounded = digits.parse::<u64>().unwrap_or_default() + 1;
    *digits = rounded.to_string();
    i64::from(digits.len() > DIGITS_MAX)
}

impl Decimal {
    /// As Go's `encoding/json` writes a float64: `1500`, `0.25`, `1e+21`, `1e-7`.
    pub(super) fn json(&self) -> String {
        if self.digits.is_empty() || (-5..=21).contains(&self.point) { self.plain() } else { self.scientific(false) }
    }

    /// As `strconv.FormatFloat(it, 'g', -1, 64)`: `1500.5`, `1e+06`, `1e-05`.
    pub(super) fn general(&self) -> String {
        if self.digits.is_empty() || (-3..=6).contains(&self.point) { self.plain() } else { self.scientific(true) }
    }

    fn plain(&self) -> String {
        let mut res = String::from(if self.negative { "-" } else { "" });
        let digits = &self.digits;
        let n_digits = digits.len();
        match usize::try_from(self.point) {
            Ok(point) if point >= n_digits => {
                res.push_str(digits);
                res.extend(std::iter::repeat_n('0', point - n_digits));
                if digits.is_empty() && point == 0 {
                    res.push('0');
                }
            }
            Ok(point) if point > 0 => {
                res.push_str(&digits[..point]);
                res.push('.');
                res.push_str(&digits[point..]);
            }
            _ => {
                res.push_str("0.");
                res.extend(std::iter::repeat_n('0', usize::try_from(-self.point).unwrap_or_default()));
                res.push_str(digits);
            }
        }
        res
    }

    fn scientific(&self, two_digits: bool) -> String {
        let mut res = String::from(if self.negative { "-" } else { "" });
        res.push_str(&self.digits[..1]);
        if self.digits.len() > 1 {
            res.push('.');
            res.push_str(&self.digits[1..]);
        }
        let exponent = self.point - 1;
        res.push_str(if exponent < 0 { "e-" } else { "e+" });
        if two_digits && exponent.unsigned_abs() < 10 {
            res.push('0');
        }
        res.push_str(&exponent.unsigned_abs().to_string());
        res
    }
}

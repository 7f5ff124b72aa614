//! Digits of pi, for the Job of the documentation.

/// One limb holds this many digits.
const DIGITS: usize = 9;
const BASE: u64 = 1_000_000_000;

/// So many digits with the rounded last one, as a text that begins with `3.`.
pub(super) fn digits(n: usize) -> String {
    let n_limbs = n / DIGITS + 4;
    // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)
    let (mut five, far) = (arctan(5, n_limbs), arctan(239, n_limbs));
    times(&mut five, 4);
    subtract(&mut five, &far);
    times(&mut five, 4);
    let mut text = String::with_capacity(n_limbs * DIGITS);
    for limb in five.iter().skip(1) {
        text.push_str(&format!("{limb:09}"));
    }
    let mut kept: Vec<u8> = format!("3{text}").into_bytes();
    let rounds_up = kept.get(n).is_some_and(|it| *it >= b'5');
    kept.truncate(n);
    if rounds_up {
        for digit in kept.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                break;
            }
            *digit = b'0';
        }
    }
    let text = String::from_utf8(kept).unwrap_or_default();
    format!("3.{}", text.get(1..).unwrap_or(""))
}

/// `arctan(1/x)` as limbs after a whole one.
fn arctan(x: u64, n_limbs: usize) -> Vec<u64> {
    let mut term = vec![0; n_limbs];
    term[0] = 1;
    divide(&mut term, x);
    let mut sum = term.clone();
    let (mut k, mut is_less) = (3, true);
    while term.iter().any(|it| *it != 0) {
        divide(&mut term, x * x);
        let mut part = term.clone();
        divide(&mut part, k);
        if is_less {
            subtract(&mut sum, &part)
        } else {
            add(&mut sum, &part)
        }
        (k, is_less) = (k + 2, !is_less);
    }
    sum
}

fn divide(number: &mut [u64], by: u64) {
    let mut rest = 0;
    for limb in number {
        let whole = rest * BASE + *limb;
        (*limb, rest) = (whole / by, whole % by);
    }
}

fn times(number: &mut [u64], by: u64) {
    let mut carry = 0;
    for limb in number.iter_mut().rev() {
        let whole = *limb * by + carry;
        (*limb, carry) = (whole % BASE, whole / BASE);
    }
}

fn add(number: &mut [u64], other: &[u64]) {
    let mut carry = 0;
    for (limb, other) in number.iter_mut().zip(other).rev() {
        let whole = *limb + other + carry;
        (*limb, carry) = (whole % BASE, whole / BASE);
    }
}

fn subtract(number: &mut [u64], other: &[u64]) {
    let mut borrow = 0;
    for (limb, other) in number.iter_mut().zip(other).rev() {
        let whole = *limb + BASE - other - borrow;
        (*limb, borrow) = (whole % BASE, u64::from(whole < BASE));
    }
}

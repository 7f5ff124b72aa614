//! Counts that may be percentages (`k8s.io/apimachinery/pkg/util/intstr`).

use value::Value;

/// The count that `3` or `25%` of `total` means; percentages round up or down. `None` for anything else.
pub fn scaled(value: &Value, total: i64, round_up: bool) -> Option<i64> {
    match value {
        Value::Int(it) => Some(*it),
        Value::Str(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let product = i128::from(percent) * i128::from(total) + if round_up { 99 } else { 0 };
            // Counts are 32 bits wide.
            Some(i64::from(i32::try_from(product.div_euclid(100)).unwrap_or(i32::MAX)))
        }
        _ => None,
    }
}

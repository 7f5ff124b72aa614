//! Counts that may be percentages (`k8s.io/apimachinery/pkg/util/intstr`).

use value::Value;

/// The count that `3` or `25%` of `total` means; percentages round up or down. `None` for anything else.
pub fn scaled(value: &Value, total: i64, round_up: bool) -> Option<i64> {
    match value {
        Value::Int(it) => Some(*it),
        Value::Str(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let product = percent.checked_mul(total)?;
            Some(if round_up {
                product.div_euclid(100) + i64::from(product.rem_euclid(100) > 0)
            } else {
                product.div_euclid(100)
            })
        }
        _ => None,
    }
}

//! Columns that most kinds have.

use meta::Object;
use value::Value;

use crate::{Cell, Column, Context};

/// What the API says of `metadata.name`.
pub(crate) const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// What the API says of `metadata.creationTimestamp`.
pub(crate) const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// A column of text that is always shown.
pub(crate) fn text(name: &str, description: &str, make: fn(&Object, &Context<'_>) -> Value) -> Column {
    Column { name: name.into(), kind: "string", format: "", description: description.into(), priority: 0, cell: Cell::Make(make) }
}

/// The first column of every table.
pub(crate) fn name() -> Column {
    Column { format: "name", ..text("Name", NAME, |it, _| Value::from(&it.meta.name)) }
}

/// How long ago the object was made.
pub(crate) fn created() -> Column {
    text("Age", CREATED, age)
}

/// How long ago the object was made, such as `5m3s`.
pub(crate) fn age(it: &Object, cx: &Context<'_>) -> Value {
    it.meta.created.map_or_else(|| "<unknown>".into(), |created| duration(cx.now - created).into())
}

/// Seconds as two units at most: `5m3s`, `2d4h` (`duration.HumanDuration`).
pub(crate) fn duration(seconds: i64) -> String {
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{small}{small_unit}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

//! Columns that most kinds have.

use meta::Object;
use value::Value;

use crate::{Cell, Column, Context};

/// A column of text that is always shown.
pub(crate) fn text(name: &str, description: &str, make: fn(&Object, &Context<'_>) -> Value) -> Column {
    Column {
        name: name.into(),
        kind: "string",
        format: "",
        description: description.into(),
        priority: 0,
        cell: Cell::Make(make),
    }
}

/// The first column of every table.
pub(crate) fn name() -> Column {
    Column {
        format: "name",
        ..text("Name", "Unique among the objects of its kind in a namespace.", |it, _| Value::from(&it.meta.name))
    }
}

/// How long ago the object was made.
pub(crate) fn created() -> Column {
    text("Age", "How long ago the object was created.", age)
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

//! The `value!` macro: a tree as a literal.

use crate::{Map, Str, Value};

/// A [`Value`](crate::Value) written as JSON; any part may be an expression that turns into a value.
///
/// ```
/// let name = "web";
/// let it = value::value!({"metadata": {"name": name, "labels": {}}, "ports": [80, {"port": 443}]});
/// assert_eq!(it.str_at("metadata.name"), Some("web"));
/// ```
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([ $($rest:tt)* ]) => { $crate::Value::from($crate::value_items!([] $($rest)*)) };
    ({ $($rest:tt)* }) => { $crate::Value::Map($crate::map!({ $($rest)* })) };
    ($it:literal) => { $crate::Constant::value($it) };
    ($it:expr) => { $crate::Value::from($it) };
}

/// A [`Map`](crate::Map) written as a JSON object.
#[macro_export]
macro_rules! map {
    ({ $($rest:tt)* }) => {{
        #[allow(unused_mut)]
        let entries: ::std::vec::Vec<($crate::Str, $crate::Value)> = {
            let mut entries = $crate::entries();
            $crate::value_entries!(entries $($rest)*);
            entries
        };
        $crate::Map::from(entries)
    }};
}

/// A map of the entries that have a value. Give them in the order of keys: then nothing has to be sorted.
pub fn present(entries: Vec<(&'static str, Option<Value>)>) -> Map {
    entries.into_iter().filter_map(|(key, it)| Some((Str::literal(key), it?))).collect()
}

/// Entries that a literal may have before they are moved.
const ENTRIES: usize = 8;

#[doc(hidden)]
pub fn entries() -> Vec<(Str, Value)> {
    Vec::with_capacity(ENTRIES)
}

#[doc(hidden)]
pub fn put(entries: &mut Vec<(Str, Value)>, key: Str, value: Value) {
    entries.push((key, value));
}

#[doc(hidden)]
#[macro_export]
macro_rules! value_items {
    ([ $($done:expr,)* ]) => { ::std::vec![$($done),*] };
    ([ $($done:expr,)* ] null $(, $($rest:tt)*)?) => { $crate::value_items!([$($done,)* $crate::Value::Null,] $($($rest)*)?) };
    ([ $($done:expr,)* ] { $($it:tt)* } $(, $($rest:tt)*)?) => { $crate::value_items!([$($done,)* $crate::value!({ $($it)* }),] $($($rest)*)?) };
    ([ $($done:expr,)* ] [ $($it:tt)* ] $(, $($rest:tt)*)?) => { $crate::value_items!([$($done,)* $crate::value!([ $($it)* ]),] $($($rest)*)?) };
    ([ $($done:expr,)* ] $it:literal $(, $($rest:tt)*)?) => { $crate::value_items!([$($done,)* $crate::Constant::value($it),] $($($rest)*)?) };
    ([ $($done:expr,)* ] $it:expr $(, $($rest:tt)*)?) => { $crate::value_items!([$($done,)* $crate::Value::from($it),] $($($rest)*)?) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! value_entries {
    ($entries:ident) => {};
    ($entries:ident $key:literal : null $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::literal($key), $crate::Value::Null); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:literal : { $($it:tt)* } $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::literal($key), $crate::value!({ $($it)* })); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:literal : [ $($it:tt)* ] $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::literal($key), $crate::value!([ $($it)* ])); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:literal : $it:literal $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::literal($key), $crate::Constant::value($it)); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:literal : $it:expr $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::literal($key), $crate::Value::from($it)); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:tt : null $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::from($key), $crate::Value::Null); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:tt : { $($it:tt)* } $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::from($key), $crate::value!({ $($it)* })); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:tt : [ $($it:tt)* ] $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::from($key), $crate::value!([ $($it)* ])); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:tt : $it:literal $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::from($key), $crate::Constant::value($it)); $crate::value_entries!($entries $($($rest)*)?); };
    ($entries:ident $key:tt : $it:expr $(, $($rest:tt)*)?) => { $crate::put(&mut $entries, $crate::Str::from($key), $crate::Value::from($it)); $crate::value_entries!($entries $($($rest)*)?); };
}

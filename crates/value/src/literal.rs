//! The `value!` macro: a tree as a literal.

use std::sync::{Mutex, OnceLock};

use crate::shape::Shape;
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
    ({}) => { $crate::Map::new() };
    ({ $($rest:tt)* }) => { $crate::value_entries!(known [] $($rest)*) };
}

/// A [`Map`](crate::Map) of those entries that have a value: what stands after a key is an `Option<Value>`.
#[macro_export]
macro_rules! present {
    ({ $($key:literal: $it:expr),+ $(,)? }) => {{
        static KEYS: $crate::Keys = $crate::Keys::new(&[$($key),+]);
        KEYS.present(&mut *::std::mem::ManuallyDrop::new([$($it),+]))
    }};
}

/// The keys of a literal, looked up once.
pub struct Keys {
    names: &'static [&'static str],
    all: OnceLock<Known>,
    /// Of some of the names, the last used last.
    some: Mutex<Vec<Known>>,
}

/// Where names stand in a map that has them.
struct Known {
    /// A bit for each name that the map has.
    bits: u64,
    shape: Shape,
    /// Which of the names stands at each place of the shape.
    order: Vec<u8>,
}

/// Sets of names that are kept of one literal.
const SOME_MAX: usize = 8;

impl Keys {
    pub const fn new(names: &'static [&'static str]) -> Keys {
        assert!(names.len() <= 64, "a bit for each");
        Keys { names, all: OnceLock::new(), some: Mutex::new(Vec::new()) }
    }

    fn known(&self, bits: u64) -> Known {
        let mut order: Vec<u8> = (0..self.names.len() as u8).filter(|idx| bits & (1 << idx) != 0).collect();
        order.sort_by_key(|idx| self.names[usize::from(*idx)]);
        let texts: Vec<Str> = order.iter().map(|idx| Str::literal(self.names[usize::from(*idx)])).collect();
        Known { bits, shape: Shape::new(texts.len(), &|idx| &texts[idx]), order }
    }

    /// The map of these values, one for each key. All are taken: nothing is left to drop.
    pub fn map(&self, values: &mut [Value]) -> Map {
        self.all.get_or_init(|| self.known(u64::MAX)).map(|idx| std::mem::take(&mut values[idx]))
    }

    /// The same of those that are there.
    pub fn present(&self, values: &mut [Option<Value>]) -> Map {
        let mut bits = 0_u64;
        for (idx, value) in values.iter().enumerate() {
            bits |= u64::from(value.is_some()) << idx;
        }
        let take = |idx: usize| values[idx].take().unwrap_or_default();
        let Ok(mut some) = self.some.lock() else { return self.known(bits).map(take) };
        let idx = some.iter().position(|it| it.bits == bits).unwrap_or_else(|| {
            if some.len() == SOME_MAX {
                some.remove(0);
            }
            some.push(self.known(bits));
            some.len() - 1
        });
        let last = some.len() - 1;
        some.swap(idx, last);
        some[last].map(take)
    }
}

impl Known {
    fn map(&self, mut take: impl FnMut(usize) -> Value) -> Map {
        Map::of_shape(self.shape.clone(), self.order.iter().map(|idx| take(usize::from(*idx))))
    }
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
    (known [ $(($key:expr, $it:expr))+ ]) => {{
        static KEYS: $crate::Keys = $crate::Keys::new(&[$($key),+]);
        KEYS.map(&mut *::std::mem::ManuallyDrop::new([$($it),+]))
    }};
    (computed [ $(($key:expr, $it:expr))+ ]) => { $crate::Map::from(::std::vec![$(($crate::Str::from($key), $it)),+]) };
    ($how:ident [ $($done:tt)* ] $key:literal : null $(, $($rest:tt)*)?) => { $crate::value_entries!($how [ $($done)* ($key, $crate::Value::Null) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:literal : { $($it:tt)* } $(, $($rest:tt)*)?) => { $crate::value_entries!($how [ $($done)* ($key, $crate::value!({ $($it)* })) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:literal : [ $($it:tt)* ] $(, $($rest:tt)*)?) => { $crate::value_entries!($how [ $($done)* ($key, $crate::value!([ $($it)* ])) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:literal : $it:literal $(, $($rest:tt)*)?) => { $crate::value_entries!($how [ $($done)* ($key, $crate::Constant::value($it)) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:literal : $it:expr $(, $($rest:tt)*)?) => { $crate::value_entries!($how [ $($done)* ($key, $crate::Value::from($it)) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:tt : null $(, $($rest:tt)*)?) => { $crate::value_entries!(computed [ $($done)* ($key, $crate::Value::Null) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:tt : { $($it:tt)* } $(, $($rest:tt)*)?) => { $crate::value_entries!(computed [ $($done)* ($key, $crate::value!({ $($it)* })) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:tt : [ $($it:tt)* ] $(, $($rest:tt)*)?) => { $crate::value_entries!(computed [ $($done)* ($key, $crate::value!([ $($it)* ])) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:tt : $it:literal $(, $($rest:tt)*)?) => { $crate::value_entries!(computed [ $($done)* ($key, $crate::Constant::value($it)) ] $($($rest)*)?) };
    ($how:ident [ $($done:tt)* ] $key:tt : $it:expr $(, $($rest:tt)*)?) => { $crate::value_entries!(computed [ $($done)* ($key, $crate::Value::from($it)) ] $($($rest)*)?) };
}

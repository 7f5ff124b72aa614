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
        KEYS.present(&mut [$($it),+])
    }};
}

/// The keys of a literal, looked up once.
pub struct Keys {
    names: &'static [&'static str],
    found: OnceLock<Found>,
}

struct Found {
    shape: Shape,
    /// Which of the names stands at each place of the shape.
    order: Vec<usize>,
    /// Shapes of some of the names, by a bit for each, the last used last.
    some: Mutex<Vec<(u64, Shape)>>,
}

/// Shapes that are kept of some of the names of a literal.
const SOME_MAX: usize = 8;

impl Keys {
    pub const fn new(names: &'static [&'static str]) -> Keys {
        assert!(names.len() <= 64, "a bit for each");
        Keys { names, found: OnceLock::new() }
    }

    fn found(&self) -> &Found {
        self.found.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.names.len()).collect();
            order.sort_by_key(|idx| self.names[*idx]);
            let texts: Vec<Str> = order.iter().map(|idx| Str::literal(self.names[*idx])).collect();
            let shape = Shape::new(texts.len(), &|idx| &texts[idx]);
            Found { shape, order, some: Mutex::default() }
        })
    }

    /// The map of these values, one for each key; they are taken.
    pub fn map(&self, values: &mut [Value]) -> Map {
        let Found { shape, order, .. } = self.found();
        Map::of_shape(shape.clone(), order.iter().map(|idx| std::mem::take(&mut values[*idx])))
    }

    /// The same of those that are there.
    pub fn present(&self, values: &mut [Option<Value>]) -> Map {
        let Found { shape, order, some } = self.found();
        let (mut bits, mut n) = (0_u64, 0);
        for (at, _) in order.iter().enumerate().filter(|(_, idx)| values[**idx].is_some()) {
            bits |= 1 << at;
            n += 1;
        }
        let shape = if n == order.len() { shape.clone() } else { some_of(shape, bits, n, some) };
        let mut taken = order.iter().filter_map(|idx| values[*idx].take());
        Map::of_shape(shape, (0..n).map(|_| taken.next().unwrap_or_default()))
    }
}

/// The shape of `n` keys, those of `bits`.
fn some_of(all: &Shape, bits: u64, n: usize, some: &Mutex<Vec<(u64, Shape)>>) -> Shape {
    let new = || {
        let keys: Vec<&Str> = (0..).zip(all.keys()).filter(|(at, _)| bits & (1 << at) != 0).map(|(_, it)| it).collect();
        Shape::new(n, &|idx| keys[idx])
    };
    let Ok(mut some) = some.lock() else { return new() };
    match some.iter().position(|it| it.0 == bits) {
        Some(idx) => {
            let last = some.len() - 1;
            some.swap(idx, last);
            some[last].1.clone()
        }
        None => {
            if some.len() == SOME_MAX {
                some.remove(0);
            }
            let shape = new();
            some.push((bits, shape.clone()));
            shape
        }
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
        KEYS.map(&mut [$($it),+])
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

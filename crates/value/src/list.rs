//! An immutable list of values.

use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

use crate::shared::Shared;
use crate::{Map, Value};

/// A list of values; cloning is a counter. Reads as a slice.
#[derive(Clone, Eq)]
pub struct List(Shared<(), Value>);

impl List {
    /// Whether both are one allocation.
    pub fn same(&self, other: &List) -> bool {
        self.0.same(&other.0)
    }

    /// Replaces the item at `idx`; the items are copied first when they are shared. None where there is no such item.
    pub fn set(&mut self, idx: usize, item: Value) -> Option<()> {
        (idx < self.0.len()).then(|| self.0.set(idx, item))
    }

    /// Changes each item in place; what `f` leaves as it was stays shared.
    pub fn edit_each(&mut self, f: &mut dyn FnMut(usize, &mut Value)) {
        for idx in 0..self.0.len() {
            self.0.edit(idx, |item| f(idx, item), Value::same);
        }
    }

    /// This list and one more item.
    pub fn pushed(&self, item: Value) -> List {
        let mut res = self.clone();
        res.0.splice((), self.len(), 0, Some(item));
        res
    }
}

/// The first map in which `key` is this text. Maps of one list have the same keys as a rule, and the key is looked up once.
pub fn find_by<'a>(items: &'a [Value], key: &str, text: &str) -> Option<&'a Value> {
    let mut last: Option<(&Map, Option<usize>)> = None;
    items.iter().find(|item| {
        let Some(map) = item.as_map() else { return false };
        let place = match last {
            Some((other, place)) if other.has_keys_of(map) => place,
            _ => map.find(key),
        };
        last = Some((map, place));
        place.and_then(|idx| map.nth(idx)?.as_str()) == Some(text)
    })
}

impl PartialEq for List {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &List) -> bool {
        self.same(other) || *self.0 == *other.0
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Default for List {
    fn default() -> Self {
        static EMPTY: LazyLock<List> = LazyLock::new(|| List(Shared::new((), std::iter::empty())));
        EMPTY.clone()
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> Self {
        List(Shared::new((), items.into_iter()))
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        items.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

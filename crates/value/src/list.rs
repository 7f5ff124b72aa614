//! An immutable list of values.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use crate::Value;

/// A list of values; cloning is a counter. Reads as a slice.
#[derive(Clone, Eq, Debug)]
pub struct List(Arc<[Value]>);

impl List {
    /// Whether both are one allocation.
    pub fn same(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The items for change; copied first when they are shared.
    pub fn make_mut(&mut self) -> &mut [Value] {
        Arc::make_mut(&mut self.0)
    }

    /// Changes each item in place; what `f` leaves as it was stays shared.
    pub fn edit_each(&mut self, f: &mut dyn FnMut(usize, &mut Value)) {
        for idx in 0..self.0.len() {
            let mut item = self.0[idx].clone();
            f(idx, &mut item);
            if !item.same(&self.0[idx]) {
                self.make_mut()[idx] = item;
            }
        }
    }

    /// This list and one more item.
    pub fn pushed(&self, item: Value) -> List {
        self.iter().cloned().chain(std::iter::once(item)).collect()
    }
}

impl PartialEq for List {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &List) -> bool {
        self.same(other) || self.0 == other.0
    }
}

impl Default for List {
    fn default() -> Self {
        static EMPTY: LazyLock<List> = LazyLock::new(|| List(Arc::from(Vec::new())));
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
        List(Arc::from(items))
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        List(items.into_iter().collect::<Vec<_>>().into())
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

//! A shared slice behind one pointer.

use std::ops::Deref;

use triomphe::{Arc, ThinArc};

/// Immutable items; cloning is a counter. One word wide, as the length lies with the items: trees are made of these.
#[derive(PartialEq, Eq)]
pub(crate) struct Shared<T>(ThinArc<(), T>);

impl<T> Shared<T> {
    pub(crate) fn new(items: impl ExactSizeIterator<Item = T>) -> Shared<T> {
        Shared(ThinArc::from_header_and_iter((), items))
    }

    /// Whether both are one allocation.
    pub(crate) fn same(&self, other: &Shared<T>) -> bool {
        std::ptr::eq(self.as_ptr(), other.as_ptr())
    }
}

impl<T: Clone> Shared<T> {
    /// Replaces the item at `idx`, which must exist; the items are copied first when they are shared.
    pub(crate) fn set(&mut self, idx: usize, item: T) {
        let unset = self.0.with_arc_mut(|it| match Arc::get_mut(it) {
            Some(own) => {
                own.slice_mut()[idx] = item;
                None
            }
            None => Some(item),
        });
        if unset.is_some() {
            *self = self.spliced(idx, 1, unset);
        }
    }

    /// A copy in which `new` stands for the `n_old` items from `idx` on.
    pub(crate) fn spliced(&self, idx: usize, n_old: usize, mut new: Option<T>) -> Shared<T> {
        let n_new = usize::from(new.is_some());
        let old = |at| &self[if at < idx { at } else { at + n_old - n_new }];
        let items = 0..self.len() + n_new - n_old;
        Shared::new(items.map(|at| new.take_if(|_| at == idx).unwrap_or_else(|| old(at).clone())))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0.slice
    }
}

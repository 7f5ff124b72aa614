//! A shared slice behind one pointer.

use std::ops::Deref;

use triomphe::{Arc, ThinArc};

/// Immutable items and what is said of them all; cloning is a counter. One word wide, as the length lies with the items:
/// trees are made of these.
#[derive(PartialEq, Eq)]
pub(crate) struct Shared<H, T>(ThinArc<H, T>);

impl<H, T> Shared<H, T> {
    pub(crate) fn new(header: H, items: impl ExactSizeIterator<Item = T>) -> Shared<H, T> {
        Shared(ThinArc::from_header_and_iter(header, items))
    }

    pub(crate) fn header(&self) -> &H {
        &self.0.header.header
    }

    /// Whether both are one allocation.
    pub(crate) fn same(&self, other: &Shared<H, T>) -> bool {
        std::ptr::eq(self.as_ptr(), other.as_ptr())
    }
}

impl<H: Clone, T: Clone + Default> Shared<H, T> {
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
            self.splice(self.header().clone(), idx, 1, unset);
        }
    }

    /// Changes the item at `idx`, which must exist. Of shared items a copy is changed, which counts unless it stayed the same.
    pub(crate) fn edit(&mut self, idx: usize, f: impl FnOnce(&mut T), same: impl FnOnce(&T, &T) -> bool) {
        let undone = self.0.with_arc_mut(|it| match Arc::get_mut(it) {
            Some(own) => {
                f(&mut own.slice_mut()[idx]);
                None
            }
            None => Some(f),
        });
        if let Some(f) = undone {
            let mut item = self[idx].clone();
            f(&mut item);
            if !same(&item, &self[idx]) {
                self.splice(self.header().clone(), idx, 1, Some(item));
            }
        }
    }

    /// Puts `new` in the place of the `n_old` items from `idx` on. The rest is moved, or copied where it is shared.
    pub(crate) fn splice(&mut self, header: H, idx: usize, n_old: usize, mut new: Option<T>) {
        let n_new = usize::from(new.is_some());
        let items = 0..self.len() + n_new - n_old;
        *self = self.0.with_arc_mut(|it| {
            let mut old = |at: usize| {
                let at = if at < idx { at } else { at + n_old - n_new };
                match Arc::get_mut(it) {
                    Some(own) => std::mem::take(&mut own.slice_mut()[at]),
                    None => it.slice()[at].clone(),
                }
            };
            Shared::new(header, items.map(|at| new.take_if(|_| at == idx).unwrap_or_else(|| old(at))))
        });
    }
}

impl<H, T> Clone for Shared<H, T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<H, T> Deref for Shared<H, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0.slice
    }
}

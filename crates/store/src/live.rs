//! The live objects of one kind: found by their keys at once, put in order when somebody wants all of them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use meta::{Key, Object, Places, Revision, hash_of_names};
use value::Str;

use crate::Error;

/// Numbers that are not free yet are looked through when they are this many, and as many as live ones.
const GONE_MIN: usize = 64;
/// Where fewer than one in this many objects are new, each is put where it belongs; otherwise all are sorted.
const FEW: usize = 16;

/// Live objects, each under a number that stays.
///
/// Most kinds are written all the time and listed seldom. So creations and deletions leave the order alone, and a list
/// catches up: after `b`, `c` and `a` came and `c` went, `objects` is `[b, _, a]` and the order, once it is asked for, `[2, 0]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    places: Places,
    objects: Vec<Option<Arc<Object>>>,
    n_live: usize,
    order: RefCell<Order>,
}

#[derive(Clone, Debug, Default)]
struct Order {
    /// Numbers of objects in the order of their keys, also of some that have gone.
    sorted: Arc<Vec<u32>>,
    /// Numbers that have come since.
    fresh: Vec<u32>,
    /// Numbers that have gone and may stand in the two above.
    gone: Vec<u32>,
    /// Numbers that can be given again.
    free: Vec<u32>,
}

/// Live objects in order.
#[derive(Default)]
pub struct List<'a> {
    objects: &'a [Option<Arc<Object>>],
    sorted: Arc<Vec<u32>>,
    /// What is left of `sorted`.
    places: Range<usize>,
}

impl<'a> Iterator for List<'a> {
    type Item = &'a Arc<Object>;

    fn next(&mut self) -> Option<&'a Arc<Object>> {
        let objects = self.objects;
        self.places.find_map(|at| objects[self.sorted[at] as usize].as_ref())
    }
}

impl Live {
    pub fn len(&self) -> usize {
        self.n_live
    }

    fn find(&self, hash: u32, namespace: &Str, name: &Str) -> Option<usize> {
        self.places.find(hash, |it| {
            let object = self.objects[it].as_ref();
            object.is_some_and(|it| it.meta.name == *name && it.meta.namespace == *namespace)
        })
    }

    fn number(&self, key: &Key) -> Option<usize> {
        // Many kinds have no objects.
        if self.n_live == 0 {
            return None;
        }
        self.find(hash_of_names(&key.namespace, &key.name), &key.namespace, &key.name)
    }

    pub fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects[self.number(key)?].as_ref()
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Arc<Object>> {
        let number = self.number(key)?;
        self.objects[number].as_mut()
    }

    /// Takes in a new object, unless its key is there already: whether it did.
    pub fn insert(&mut self, object: Arc<Object>) -> bool {
        let (namespace, name) = (&object.meta.namespace, &object.meta.name);
        let hash = hash_of_names(namespace, name);
        if self.find(hash, namespace, name).is_some() {
            return false;
        }
        let order = self.order.get_mut();
        if order.free.is_empty() && order.gone.len() >= self.n_live.max(GONE_MIN) {
            order.forget_gone(&self.objects);
        }
        let number = match order.free.pop() {
            Some(number) => {
                self.objects[number as usize] = Some(object);
                number
            }
            None => {
                self.objects.push(Some(object));
                (self.objects.len() - 1) as u32
            }
        };
        order.fresh.push(number);
        self.n_live += 1;
        self.places.insert(hash, number as usize);
        true
    }

    /// Takes out what has the key.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when `expect` is given and is not its revision.
    pub fn remove(&mut self, key: &Key, expect: Option<Revision>) -> Result<Arc<Object>, Error> {
        let hash = hash_of_names(&key.namespace, &key.name);
        let number = self.find(hash, &key.namespace, &key.name).ok_or(Error::NotFound)?;
        let object = self.objects[number].take_if(|it| expect.is_none_or(|expect| expect == it.meta.revision));
        let object = object.ok_or(Error::Conflict)?;
        self.places.remove(hash, number);
        self.order.get_mut().gone.push(number as u32);
        self.n_live -= 1;
        Ok(object)
    }

    /// Objects in the order of namespace and name; `namespace` of `None` means all.
    pub fn list(&self, namespace: Option<&str>) -> List<'_> {
        let sorted = self.sorted();
        let places = namespace.map_or(0..sorted.len(), |it| self.range(&sorted, it));
        List { objects: &self.objects, sorted, places }
    }

    fn range(&self, sorted: &[u32], namespace: &str) -> Range<usize> {
        let compared = |number: u32| self.objects[number as usize].as_ref().map(|it| it.namespace().cmp(namespace));
        let start = sorted.partition_point(|it| compared(*it) == Some(Ordering::Less));
        let n_objects = sorted[start..].partition_point(|it| compared(*it) == Some(Ordering::Equal));
        start..start + n_objects
    }

    fn sorted(&self) -> Arc<Vec<u32>> {
        let mut order = self.order.borrow_mut();
        order.forget_gone(&self.objects);
        order.take_fresh(&self.objects);
        order.sorted.clone()
    }
}

/// Objects of the same kind by their keys.
fn compared(a: Option<&Arc<Object>>, b: Option<&Arc<Object>>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
    a.meta.namespace.cmp(&b.meta.namespace).then_with(|| a.meta.name.cmp(&b.meta.name))
}

impl Order {
    fn forget_gone(&mut self, objects: &[Option<Arc<Object>>]) {
        let is_live = |it: &u32| objects[*it as usize].is_some();
        if !self.gone.is_empty() {
            Arc::make_mut(&mut self.sorted).retain(is_live);
            self.fresh.retain(is_live);
            self.free.append(&mut self.gone);
        }
    }

    fn take_fresh(&mut self, objects: &[Option<Arc<Object>>]) {
        if self.fresh.is_empty() {
            return;
        }
        let sorted = Arc::make_mut(&mut self.sorted);
        let compare = |a: &u32, b: &u32| compared(objects[*a as usize].as_ref(), objects[*b as usize].as_ref());
        if self.fresh.len() * FEW > sorted.len() {
            sorted.append(&mut self.fresh);
            sorted.sort_by(compare);
            return;
        }
        for number in self.fresh.drain(..) {
            let at = sorted.partition_point(|it| compare(it, &number) == Ordering::Less);
            sorted.insert(at, number);
        }
    }
}

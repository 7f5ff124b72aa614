//! The keys of a map, apart from its values: maps that have the same keys share them.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use triomphe::ThinArc;

use crate::Str;
use crate::str::{LOW_BITS, same_text, zero_bytes};

/// Keys up to this many are found by their tags; more are searched by halves.
const TAGS: usize = 24;

/// Places for shapes that were met lately.
const RECENT: usize = 1024;

/// A byte for each key of a map, see [`Tags`].
type ShapeTags = [u8; TAGS];

/// Keys in order, each once. As a rule there is one allocation of equal ones in use: a map costs its values and a pointer.
#[derive(Clone, Eq)]
pub(crate) struct Shape(ThinArc<Head, Str>);

#[derive(PartialEq, Eq)]
struct Head {
    tags: ShapeTags,
    number: u64,
}

impl Shape {
    /// Of `n` keys in order.
    pub(crate) fn new<'a>(n: usize, key: &dyn Fn(usize) -> &'a Str) -> Shape {
        let mut tags = [0; TAGS];
        for (idx, place) in tags.iter_mut().enumerate().take(n) {
            *place = tag(key(idx).as_bytes());
        }
        Shape::tagged(n, tags, key)
    }

    fn tagged<'a>(n: usize, tags: ShapeTags, key: &dyn Fn(usize) -> &'a Str) -> Shape {
        thread_local! {
            static SHAPES: RefCell<[Option<Shape>; RECENT]> = const { RefCell::new([const { None }; RECENT]) };
        }
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let new = || {
            let head = Head { tags, number: NUMBERS.fetch_add(1, Ordering::Relaxed) };
            Shape(ThinArc::from_header_and_iter(head, (0..n).map(|idx| key(idx).clone())))
        };
        if n > TAGS {
            return new();
        }
        SHAPES.with_borrow_mut(|shapes| {
            let place = &mut shapes[place_of(&tags, n)];
            if let Some(it) = place.as_ref().filter(|it| it.head().tags == tags && it.keys().len() == n)
                && it.keys().iter().enumerate().all(|(idx, have)| have == key(idx))
            {
                return it.clone();
            }
            place.insert(new()).clone()
        })
    }

    /// Whether both are one allocation (a fast "surely equal").
    pub(crate) fn same(&self, other: &Shape) -> bool {
        std::ptr::eq(self.0.as_ptr(), other.0.as_ptr())
    }

    fn head(&self) -> &Head {
        &self.0.header.header
    }

    /// A number that no other allocation has or had.
    pub(crate) fn number(&self) -> u64 {
        self.head().number
    }

    pub(crate) fn keys(&self) -> &[Str] {
        &self.0.slice
    }

    /// Where `key` is.
    // Inline: the tag of a name that stands in code is a constant.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        self.find_tagged(key, tag(key))
    }

    pub(crate) fn find_tagged(&self, key: &[u8], tag: u8) -> Option<usize> {
        let keys = self.keys();
        if keys.len() > TAGS {
            return self.find_by_halves(key);
        }
        search(&self.head().tags, keys.len(), tag, |idx| same_text(keys[idx].as_bytes(), key))
    }

    #[cold]
    #[inline(never)]
    fn find_by_halves(&self, key: &[u8]) -> Option<usize> {
        self.position(key).ok()
    }

    /// Where `key` is, or where it would be.
    pub(crate) fn place(&self, key: &[u8]) -> Result<usize, usize> {
        self.find(key).map_or_else(|| self.position(key), Ok)
    }

    fn position(&self, key: &[u8]) -> Result<usize, usize> {
        self.keys().binary_search_by(|have| have.as_bytes().cmp(key))
    }

    /// With `key` before the one at `idx`.
    pub(crate) fn with(&self, idx: usize, key: &Str) -> Shape {
        let mut tags = self.head().tags;
        if idx < TAGS {
            tags.copy_within(idx..TAGS - 1, idx + 1);
            tags[idx] = tag(key.as_bytes());
        }
        let old = self.keys();
        Shape::tagged(old.len() + 1, tags, &|at| if at == idx { key } else { &old[at - usize::from(at > idx)] })
    }

    /// Without the key at `idx`.
    pub(crate) fn without(&self, idx: usize) -> Shape {
        let old = self.keys();
        if old.len() > TAGS {
            return Shape::new(old.len() - 1, &|at| &old[at + usize::from(at >= idx)]);
        }
        let mut tags = self.head().tags;
        tags.copy_within(idx + 1.., idx);
        tags[TAGS - 1] = 0;
        Shape::tagged(old.len() - 1, tags, &|at| &old[at + usize::from(at >= idx)])
    }
}

impl PartialEq for Shape {
    /// What is one allocation is not looked into.
    fn eq(&self, other: &Shape) -> bool {
        self.same(other) || self.keys() == other.keys()
    }
}

/// A byte for each of some names, by which most are told apart without looking at them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    n: usize,
    /// Whole words.
    bytes: Vec<u8>,
}

impl Tags {
    pub fn of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Tags {
        let n = names.len();
        let mut bytes: Vec<u8> = names.map(|it| tag(it.as_bytes())).collect();
        bytes.resize(n.next_multiple_of(8), 0);
        Tags { n, bytes }
    }

    /// Where `key` is among the names, of which `name` tells each.
    pub fn find<'a>(&self, key: &str, name: impl Fn(usize) -> &'a str) -> Option<usize> {
        search(&self.bytes, self.n, tag(key.as_bytes()), |idx| same_text(name(idx).as_bytes(), key.as_bytes()))
    }
}

/// The first of the first `n` places that have the tag and of which `is_it` is true.
fn search(tags: &[u8], n: usize, tag: u8, is_it: impl Fn(usize) -> bool) -> Option<usize> {
    let wanted = u64::from(tag) * LOW_BITS;
    let (words, _) = tags.as_chunks::<8>();
    let mut first = 0;
    for word in words {
        let mut hits = zero_bytes(u64::from_le_bytes(*word) ^ wanted);
        while hits != 0 {
            let idx = first + hits.trailing_zeros() as usize / 8;
            if idx < n && is_it(idx) {
                return Some(idx);
            }
            hits &= hits - 1;
        }
        first += 8;
        if first >= n {
            break;
        }
    }
    None
}

#[inline(always)]
pub(crate) fn tag(key: &[u8]) -> u8 {
    let (first, last) = match key {
        [] => (0, 0),
        [it] => (*it, *it),
        [first, .., last] => (*first, *last),
    };
    (key.len() as u8).wrapping_mul(0x1d).wrapping_add(first.wrapping_mul(0x35)).wrapping_add(last.wrapping_mul(0x8b))
}

fn place_of(tags: &ShapeTags, n: usize) -> usize {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut hash = n as u64;
    for word in tags.as_chunks::<8>().0 {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    (hash >> 32) as usize % RECENT
}

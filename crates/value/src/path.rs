//! Dotted paths such as `spec.template`, and where they were found to lead.

use std::cell::Cell;

use crate::Value;
use crate::map::Map;
use crate::shape::Shape;
use crate::str::position_of;

/// Keys that are remembered; two may want one place, and the later takes it.
const PLACES: usize = 4096;

/// Where the first key of a path is among the keys of a map.
///
/// Maps share their keys, and paths stand in code: most steps were made before, and two numbers tell which.
#[derive(Clone, Copy)]
struct Step {
    /// The number of a shape; zero for none.
    shape: u64,
    /// The address of the path: what stands in code stays there. Its length shows in where the key ends.
    path: usize,
    len: u32,
    place: u32,
}

impl Step {
    const NONE: Step = Step { shape: 0, path: 0, len: 0, place: 0 };
    /// The place of a key that is absent.
    const ABSENT: u32 = u32::MAX;

    fn is(&self, shape: &Shape, path: &'static str) -> bool {
        self.shape == shape.number()
            && self.path == path.as_ptr().addr()
            && path.as_bytes().get(self.len as usize).map_or(path.len() == self.len as usize, |it| *it == b'.')
    }
}

/// The value at a path in a map.
// Not inline: it is called from everywhere.
#[inline(never)]
pub(crate) fn walk<'a>(mut map: &'a Map, mut path: &'static str) -> Option<&'a Value> {
    thread_local! {
        static STEPS: [Cell<Step>; PLACES] = const { [const { Cell::new(Step::NONE) }; PLACES] };
    }
    STEPS.with(|steps| {
        loop {
            let shape = map.shape();
            let known = &steps[place_of(shape, path)];
            let step = known.get();
            if !step.is(shape, path) {
                return learn(known, map, path);
            }
            let value = map.nth(step.place as usize)?;
            let Some((_, rest)) = path.split_at_checked(step.len as usize + 1) else { return Some(value) };
            (map, path) = (value.as_map()?, rest);
        }
    })
}

/// Makes the first step as if for the first time, then the others.
#[cold]
#[inline(never)]
fn learn<'a>(known: &Cell<Step>, map: &'a Map, path: &'static str) -> Option<&'a Value> {
    let len = position_of(path.as_bytes(), b'.').unwrap_or(path.len());
    let place = map.find(&path[..len]).map_or(Step::ABSENT, |it| it as u32);
    known.set(Step { shape: map.shape().number(), path: path.as_ptr().addr(), len: len as u32, place });
    walk(map, path)
}

fn place_of(shape: &Shape, path: &'static str) -> usize {
    const FACTOR: u32 = 0x9e37_79b1;
    let sum = (shape.number() as u32).wrapping_shl(7).wrapping_add(path.as_ptr().addr() as u32);
    (sum.wrapping_mul(FACTOR) >> 16) as usize % PLACES
}

/// The readers of what has `at`, by type.
#[doc(hidden)]
#[macro_export]
macro_rules! readers {
    () => {
        $crate::readers! {
            fn str_at(it) -> Option<&str> { it?.as_str() }
            fn i64_at(it) -> Option<i64> { it?.as_i64() }
            fn bool_at(it) -> Option<bool> { it?.as_bool() }
            fn map_at(it) -> Option<&$crate::Map> { it?.as_map() }
            /// The list at a dotted path; empty where there is none.
            fn list_at(it) -> &[$crate::Value] { it.and_then($crate::Value::as_list).map_or(&[], |it| it) }
        }
    };
    ($($(#[$doc:meta])* fn $name:ident($it:ident) -> $res:ty { $what:expr })+) => {
        $($(#[$doc])*
        pub fn $name(&self, path: &'static str) -> $res {
            let $it = self.at(path);
            $what
        })+
    };
}

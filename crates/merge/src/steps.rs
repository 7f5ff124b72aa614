//! The differences between two objects as a walk. Equal walks are equal differences, so that the sets of fields of a walk
//! that was seen before need not be made again.
//!
//! ```text
//! Field("status") Field("conditions") Key("type", "Ready") Field("status") Changed Up Up Up Up
//! ```

use std::iter::Peekable;
use std::slice::Iter;

use value::{Map, Str, Value};

use crate::fields::{key_text, leaf, node, share, value_text};
use crate::memo::Names;

/// One step; `S` are texts and `V` values. Every step down has its `Up` and something between them.
#[derive(Clone, Debug)]
pub(crate) enum Step<S, V> {
    /// Down to a field.
    Field(S),
    /// Down to a field that is new or different, and back up: most steps are this one.
    Set(S),
    /// The same of a field that is gone.
    Unset(S),
    /// Down to an item, by a field that tells it from others; by several of them in a row where it takes them all.
    Key(S, V),
    /// Down to an item of a list of scalars.
    Value(V),
    /// Down to an item by its element.
    Item(Str),
    Up,
    /// Where we are is something new or different.
    Changed,
    /// What was here is gone.
    Removed,
}

/// A step while we walk.
pub(crate) type StepOf<'a> = Step<&'a Str, &'a Value>;
/// A step that is remembered.
pub(crate) type KeptStep = Step<Str, Value>;

/// How one field at the top of an object differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    /// Such as `f:spec`.
    pub element: Str,
    /// Whether the field itself is new or different.
    pub is_changed: bool,
    pub is_removed: bool,
    /// How what is in it differs, in the order of elements.
    pub parts: Vec<Part>,
}

/// How something differs that is in a field at the top.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// Such as `f:replicas`.
    pub element: Str,
    /// What is new or different in it.
    pub changed: Option<Map>,
    pub removed: Option<Map>,
}

/// How two objects differ.
pub(crate) type Changes = Vec<Change>;

/// All fields that are new or different.
pub(crate) fn changed(changes: &[Change]) -> Map {
    set(changes, |it| it.is_changed, |it| &it.changed)
}

/// All fields that are gone.
pub(crate) fn removed(changes: &[Change]) -> Map {
    set(changes, |it| it.is_removed, |it| &it.removed)
}

fn set(changes: &[Change], is_member: fn(&Change) -> bool, set: fn(&Part) -> &Option<Map>) -> Map {
    let below = |it: &Change| {
        let parts = it.parts.iter().filter_map(|it| Some((it.element.clone(), Value::Map(set(it).clone()?))));
        node(is_member(it), parts.collect())
    };
    changes.iter().filter_map(|it| Some((it.element.clone(), Value::Map(below(it)?)))).collect()
}

/// Splits a walk after it has come back up from its first step. The number is the [`print`] of the first part.
pub(crate) fn split<'s, 'a>(steps: &'s [StepOf<'a>]) -> (u32, &'s [StepOf<'a>], &'s [StepOf<'a>]) {
    let mut depth = 0_usize;
    let mut was_key = false;
    for (idx, step) in steps.iter().enumerate() {
        // Keys in a row are one step down.
        let is_key = matches!(step, Step::Key(..));
        let is_down = is_key || matches!(step, Step::Field(_) | Step::Value(_) | Step::Item(_));
        depth += usize::from(is_down && !(is_key && was_key));
        depth -= usize::from(matches!(step, Step::Up));
        was_key = is_key;
        if depth == 0 {
            let (part, rest) = steps.split_at(idx + 1);
            return (print(part), part, rest);
        }
    }
    (print(steps), steps, &[])
}

/// A number that is the same for equal walks and tells most others apart.
pub(crate) fn print(steps: &[StepOf<'_>]) -> u32 {
    let mut print = steps.len() as u32;
    for step in steps {
        // Fields of one length seldom stand for each other; what tells items apart often has one length: uids.
        let text = |it: &Value| it.as_str().map_or(0, value::hash);
        let (kind, more) = match step {
            Step::Field(it) => (1, it.len() as u32),
            Step::Key(_, it) => (2, text(it)),
            Step::Value(it) => (3, text(it)),
            Step::Item(it) => (4, value::hash(it)),
            Step::Up => (5, 0),
            Step::Changed => (6, 0),
            Step::Removed => (7, 0),
            Step::Set(it) => (8, it.len() as u32),
            Step::Unset(it) => (9, it.len() as u32),
        };
        print = (print ^ kind ^ (more << 4)).wrapping_mul(0x9e37_79b1).rotate_left(5);
    }
    print
}

/// Whether a walk is a remembered one.
pub(crate) fn equal(steps: &[StepOf<'_>], kept: &[KeptStep]) -> bool {
    steps.len() == kept.len() && steps.iter().zip(kept).all(|(a, b)| a.is(b))
}

/// A walk that can be remembered.
pub(crate) fn kept(steps: &[StepOf<'_>]) -> Vec<KeptStep> {
    steps.iter().map(Step::kept).collect()
}

impl StepOf<'_> {
    fn is(&self, kept: &KeptStep) -> bool {
        match (self, kept) {
            (Step::Set(a), Step::Set(b)) | (Step::Field(a), Step::Field(b)) | (Step::Unset(a), Step::Unset(b)) => {
                *a == b
            }
            (Step::Up, Step::Up) | (Step::Changed, Step::Changed) | (Step::Removed, Step::Removed) => true,
            (Step::Key(a, it), Step::Key(b, kept)) => *a == b && *it == kept,
            (Step::Value(it), Step::Value(kept)) => *it == kept,
            (Step::Item(a), Step::Item(b)) => a == b,
            _ => false,
        }
    }

    fn kept(&self) -> KeptStep {
        match self {
            Step::Field(it) => Step::Field((*it).clone()),
            Step::Set(it) => Step::Set((*it).clone()),
            Step::Unset(it) => Step::Unset((*it).clone()),
            Step::Key(name, it) => Step::Key((*name).clone(), (*it).clone()),
            Step::Value(it) => Step::Value((*it).clone()),
            Step::Item(it) => Step::Item(it.clone()),
            Step::Up => Step::Up,
            Step::Changed => Step::Changed,
            Step::Removed => Step::Removed,
        }
    }
}

impl Change {
    /// Whether anything is new or different.
    pub fn changes(&self) -> bool {
        self.is_changed || self.parts.iter().any(|it| it.changed.is_some())
    }
}

impl Part {
    /// What a walk down and back up tells.
    pub fn of(steps: &[StepOf<'_>], names: &mut Names) -> Option<Part> {
        let mut root = Walk { steps: steps.iter().peekable(), names }.node();
        let (changed, removed) = (root.changed.children.pop(), root.removed.children.pop());
        let element = changed.as_ref().or(removed.as_ref())?.0.clone();
        let set = |it: Option<(Str, Value)>| it.and_then(|(_, it)| it.as_map().cloned());
        Some(Part { element, changed: set(changed), removed: set(removed) })
    }

    /// Makes what is equal in another one the same allocation.
    pub fn share(&mut self, known: &Part) {
        for (set, known) in [(&mut self.changed, &known.changed), (&mut self.removed, &known.removed)] {
            if let (Some(set), Some(known)) = (set, known) {
                share(set, known);
            }
        }
    }

    /// Whether the sets of both are the same allocations.
    pub fn same(&self, other: &Part) -> bool {
        same(&self.changed, &other.changed) && same(&self.removed, &other.removed)
    }
}

/// Whether two sets are one allocation, or neither is there.
fn same(a: &Option<Map>, b: &Option<Map>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        _ => a.is_none() && b.is_none(),
    }
}

struct Walk<'a> {
    steps: Peekable<Iter<'a, StepOf<'a>>>,
    names: &'a mut Names,
}

/// One node of both sets.
#[derive(Default)]
struct Node {
    changed: Level,
    removed: Level,
}

/// One node of a set while its children are collected.
#[derive(Default)]
struct Level {
    is_member: bool,
    children: Vec<(Str, Value)>,
}

impl Level {
    fn push(&mut self, element: &Str, child: Level) {
        self.children.extend(child.finish().map(|it| (element.clone(), Value::Map(it))));
    }

    fn finish(self) -> Option<Map> {
        node(self.is_member, self.children)
    }
}

impl<'a> Walk<'a> {
    /// Reads up to where the walk leaves the node.
    fn node(&mut self) -> Node {
        let mut res = Node::default();
        while let Some(step) = self.steps.next() {
            let element = match step {
                Step::Up => break,
                Step::Changed => {
                    res.changed.is_member = true;
                    continue;
                }
                Step::Removed => {
                    res.removed.is_member = true;
                    continue;
                }
                Step::Set(name) | Step::Unset(name) => {
                    let level = if matches!(step, Step::Set(_)) { &mut res.changed } else { &mut res.removed };
                    level.children.push((self.names.element(name), leaf()));
                    continue;
                }
                Step::Field(name) => self.names.element(name),
                Step::Key(name, key) => self.keys(name, key),
                Step::Value(it) => value_text(it),
                Step::Item(element) => element.clone(),
            };
            let child = self.node();
            res.changed.push(&element, child.changed);
            res.removed.push(&element, child.removed);
        }
        res
    }

    fn keys(&mut self, name: &'a Str, key: &'a Value) -> Str {
        let mut keys: Vec<(&str, Value)> = vec![(name, key.clone())];
        while let Some(Step::Key(name, key)) = self.steps.next_if(|it| matches!(it, Step::Key(..))) {
            keys.push((name, (*key).clone()));
        }
        keys.sort_by_key(|it| it.0);
        key_text(&keys)
    }
}

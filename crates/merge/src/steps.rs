//! The differences between two objects as a walk. Equal walks are equal differences, so that the sets of fields of a walk
//! that was seen before need not be made again.
//!
//! ```text
//! Field("status") Field("conditions") Key("type", "Ready") Field("status") Changed Up Up Up Up
//! ```

use std::iter::Peekable;
use std::slice::Iter;

use value::{Map, Str, Value};

use crate::fields::{key_text, node, value_text};
use crate::memo::Names;

/// One step. Every step down has its `Up` and something between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Down to a field.
    Field(Str),
    /// Down to an item, by a field that tells it from others; by several of them in a row where it takes them all.
    Key(Str, Value),
    /// Down to an item of a list of scalars.
    Value(Value),
    /// Down to an item by its element.
    Item(Str),
    Up,
    /// Where we are is something new or different.
    Changed,
    /// What was here is gone.
    Removed,
}

/// Sets of fields in which two objects differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Changes {
    /// What is new or different.
    pub changed: Map,
    pub removed: Map,
}

impl Changes {
    /// What a whole walk tells.
    pub fn of(steps: &[Step], names: &mut Names) -> Changes {
        let root = Walk { steps: steps.iter().peekable(), names }.node();
        let set = |it: Level| match node(false, it.children) {
            Some(Value::Map(it)) => it,
            _ => Map::new(),
        };
        Changes { changed: set(root.changed), removed: set(root.removed) }
    }

    /// Whether both are the same allocations.
    pub fn same(&self, other: &Changes) -> bool {
        self.changed.same(&other.changed) && self.removed.same(&other.removed)
    }
}

struct Walk<'a> {
    steps: Peekable<Iter<'a, Step>>,
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
        self.children.extend(node(child.is_member, child.children).map(|it| (element.clone(), it)));
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
            keys.push((name, key.clone()));
        }
        keys.sort_by_key(|it| it.0);
        key_text(&keys)
    }
}

//! What is remembered from one write to the next: it makes writes quick and equal sets one allocation, and changes nothing.

use std::collections::{BTreeMap, VecDeque};

use meta::Object;
use schema::{Schema, TypeId};
use value::{Map, Str};

use crate::managed::Outcome;
use crate::objects;
use crate::resets::Resets;
use crate::steps::{Changes, Step};

/// Places for names of fields.
const NAMES: usize = 1_024;
/// Of each type: walks, outcomes and sets remembered.
const OF_TYPE_MAX: usize = 32;

/// The element of a field: `name` to `f:name`.
pub(crate) fn element(name: &str) -> Str {
    Str::from(format!("f:{name}"))
}

/// Writes are like one another: pods of one template change in the same fields, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    names: Names,
    /// Bodies of types before anything is set.
    empty: BTreeMap<TypeId, Map>,
    of_types: BTreeMap<Option<TypeId>, OfType>,
    /// Room for the walk of the next comparison.
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Default)]
struct OfType {
    /// Walks over differences and what they come to: the second follows from the first.
    walks: Recent<(Vec<Step>, Changes)>,
    outcomes: Recent<Outcome>,
    sets: Recent<Map>,
}

/// Elements of fields, each where the hash of its name says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<Option<Str>>);

impl Names {
    /// The element of a field, without a new text where it is known.
    pub fn element(&mut self, name: &Str) -> Str {
        self.0.resize(NAMES, None);
        let place = &mut self.0[value::hash(name) as usize % NAMES];
        match place {
            Some(known) if known.get(2..) == Some(name) => known.clone(),
            _ => place.insert(element(name)).clone(),
        }
    }
}

/// What was used of late, the latest last; the rest is forgotten.
#[derive(Clone, Debug)]
struct Recent<T>(VecDeque<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Recent(VecDeque::new())
    }
}

impl<T> Recent<T> {
    fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let idx = self.0.iter().rposition(is_it)?;
        let found = self.0.remove(idx)?;
        Some(self.keep(found))
    }

    fn keep(&mut self, it: T) -> &mut T {
        if self.0.len() == OF_TYPE_MAX {
            self.0.pop_front();
        }
        self.0.push_back(it);
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

impl Memo {
    /// The body of a type before anything is set.
    pub(crate) fn empty_body(&mut self, schema: &Schema, ty: Option<TypeId>) -> Map {
        let Some(ty) = ty else { return Map::new() };
        self.empty.entry(ty).or_insert_with(|| objects::empty_body(schema, ty)).clone()
    }

    /// In what `new` differs from `old`, but for what nobody owns and what the write sets back.
    pub(crate) fn changes(
        &mut self,
        schema: &Schema,
        ty: Option<TypeId>,
        old: Option<&Object>,
        new: &Object,
        resets: Resets,
    ) -> Changes {
        let empty = if old.is_none() { self.empty_body(schema, ty) } else { Map::new() };
        let steps = objects::walk(schema, ty, old, &empty, new, resets, std::mem::take(&mut self.steps));
        let walks = &mut self.of_types.entry(ty).or_default().walks;
        let changes = match walks.find(|it| it.0 == steps) {
            Some((_, known)) => known.clone(),
            None => {
                let changes = Changes::of(&steps, &mut self.names);
                walks.keep((steps.clone(), changes.clone()));
                changes
            }
        };
        self.steps = steps;
        self.steps.clear();
        changes
    }

    /// What became of the sets of owners when they changed in the same way.
    pub(crate) fn outcome(&mut self, ty: Option<TypeId>, is_it: impl Fn(&Outcome) -> bool) -> Option<&mut Outcome> {
        self.of_types.entry(ty).or_default().outcomes.find(is_it)
    }

    pub(crate) fn keep_outcome(&mut self, ty: Option<TypeId>, outcome: Outcome) -> &mut Outcome {
        self.of_types.entry(ty).or_default().outcomes.keep(outcome)
    }

    /// The same set as it was seen before, so that equal sets are one allocation; of another one, its equal parts.
    pub(crate) fn shared(&mut self, ty: Option<TypeId>, mut set: Map) -> Map {
        let sets = &mut self.of_types.entry(ty).or_default().sets;
        if let Some(known) = sets.find(|it| meta::maps_equal(it, &set)) {
            return known.clone();
        }
        if let Some(last) = sets.0.iter().rfind(|it| it.keys().eq(set.keys())) {
            share_parts(&mut set, last);
        }
        sets.keep(set).clone()
    }
}

/// Makes what is equal in both the allocation of `known`.
fn share_parts(set: &mut Map, known: &Map) {
    for (key, known) in known.iter() {
        set.edit(key, |value| match (value, known) {
            (value::Value::Map(it), value::Value::Map(known)) if meta::maps_equal(it, known) => *it = known.clone(),
            (value::Value::Map(it), value::Value::Map(known)) => share_parts(it, known),
            _ => (),
        });
    }
}

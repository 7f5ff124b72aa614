//! What is remembered from one write to the next: it makes writes quick and equal sets one allocation, and changes nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use meta::{ManagedEntry, Metadata, Object};
use schema::{Schema, TypeId};
use value::{Map, Str, Value};

use crate::alike::{self, Change};
use crate::compare::Difference;
use crate::objects;
use crate::resets::Resets;

/// Places for names of fields.
const NAMES: usize = 1_024;
/// Creations remembered; the oldest is forgotten, unless it was repeated of late.
const CREATIONS_MAX: usize = 32;
/// Of each type: creations looked at, changes of values and whole sets remembered.
const OF_TYPE_MAX: usize = 4;

/// The element of a field: `name` to `f:name`.
pub(crate) fn element(name: &str) -> Str {
    Str::from(format!("f:{name}"))
}

/// Writes are like one another: pods of one template have one set, not one each.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// Elements of fields, each where the hash of its name says.
    names: Vec<Option<Str>>,
    sets: BTreeMap<Option<TypeId>, VecDeque<Map>>,
    /// Bodies of types before anything is set.
    empty: BTreeMap<TypeId, Map>,
    creations: VecDeque<Creation>,
    parts: BTreeMap<TypeId, VecDeque<Part>>,
}

/// An object as somebody created it.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    ty: Option<TypeId>,
    resets: Resets,
    meta: Metadata,
    body: Map,
    /// What the creator owns of it.
    pub fields: Map,
    /// The entries of the last object like it.
    entries: Arc<[ManagedEntry]>,
}

/// A changed value and in what it differs.
#[derive(Clone, Debug)]
struct Part {
    old: Option<Value>,
    new: Option<Value>,
    res: Difference,
}

impl Memo {
    /// The element of a field, without a new text where it is known.
    pub(crate) fn field(&mut self, name: &Str) -> Str {
        self.names.resize(NAMES, None);
        let place = &mut self.names[value::hash(name) as usize % NAMES];
        match place {
            Some(known) if known.get(2..) == Some(name) => known.clone(),
            _ => place.insert(element(name)).clone(),
        }
    }

    /// The body of a type before anything is set.
    pub(crate) fn empty_body(&mut self, schema: &Schema, ty: Option<TypeId>) -> Map {
        let Some(ty) = ty else { return Map::new() };
        self.empty.entry(ty).or_insert_with(|| objects::empty_body(schema, ty)).clone()
    }

    /// What a creator owns of a new object.
    pub(crate) fn creation(
        &mut self,
        schema: &Schema,
        ty: Option<TypeId>,
        object: &Object,
        resets: Resets,
    ) -> &mut Creation {
        let (nothing, empty) = (Metadata::default(), self.empty_body(schema, ty));
        let is_alike = |it: &Creation| {
            let meta = |new| Change { old: &nothing, new };
            let body = |new| Change { old: &empty, new };
            alike::metadata(schema, meta(&it.meta), meta(&object.meta))
                && alike::bodies(schema, ty, body(&it.body), body(&object.body))
        };
        let of_kind = self.creations.iter().enumerate().rev().filter(|(_, it)| it.ty == ty && it.resets == resets);
        let known = of_kind.take(OF_TYPE_MAX).find(|(_, it)| is_alike(it)).map(|(idx, _)| idx);
        if known.is_none() || cfg!(debug_assertions) {
            let fields = objects::compare(schema, ty, None, object, resets, self).changed();
            debug_assert!(known.is_none_or(|idx| self.creations[idx].fields == fields));
            if known.is_none() {
                let fields = self.shared(ty, fields);
                let (meta, body) = (object.meta.clone(), object.body.clone());
                self.creations.push_back(Creation { ty, resets, meta, body, fields, entries: Arc::default() });
                if self.creations.len() > CREATIONS_MAX {
                    self.creations.pop_front();
                }
            }
        }
        let last = self.creations.len() - 1;
        self.creations.swap(known.unwrap_or(last), last);
        &mut self.creations[last]
    }

    /// In what a value differs that changed as another did.
    pub(crate) fn part(
        &mut self,
        schema: &Schema,
        ty: TypeId,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Option<Difference> {
        let parts = self.parts.get_mut(&ty)?;
        let change = Change { old, new };
        let is_alike = |it: &Part| {
            let known = Change { old: it.old.as_ref(), new: it.new.as_ref() };
            alike::values(schema, ty, known, change)
        };
        let idx = parts.iter().rposition(is_alike)?;
        let known = parts.remove(idx)?;
        let res = known.res.clone();
        parts.push_back(known);
        Some(res)
    }

    pub(crate) fn keep_part(&mut self, ty: TypeId, old: Option<&Value>, new: Option<&Value>, res: &Difference) {
        let parts = self.parts.entry(ty).or_default();
        if parts.len() == OF_TYPE_MAX {
            parts.pop_front();
        }
        parts.push_back(Part { old: old.cloned(), new: new.cloned(), res: res.clone() });
    }

    /// The same set as it was seen before, so that equal sets are one allocation; of another one, its equal parts.
    pub(crate) fn shared(&mut self, ty: Option<TypeId>, mut set: Map) -> Map {
        let sets = self.sets.entry(ty).or_default();
        if let Some(known) = sets.iter().find(|it| meta::maps_equal(it, &set)) {
            return known.clone();
        }
        if let Some(last) = sets.iter().rfind(|it| it.keys().eq(set.keys())) {
            share_parts(&mut set, last);
        }
        if sets.len() == OF_TYPE_MAX {
            sets.pop_front();
        }
        sets.push_back(set.clone());
        set
    }
}

/// Makes what is equal in both the allocation of `known`.
fn share_parts(set: &mut Map, known: &Map) {
    for (key, known) in known.iter() {
        set.edit(key, |value| match (value, known) {
            (Value::Map(it), Value::Map(known)) if meta::maps_equal(it, known) => *it = known.clone(),
            (Value::Map(it), Value::Map(known)) => share_parts(it, known),
            _ => (),
        });
    }
}

impl Creation {
    /// The entries of the object; those of objects created in the same second are one allocation.
    pub(crate) fn share(&mut self, entries: Vec<ManagedEntry>) -> Arc<[ManagedEntry]> {
        if entries != *self.entries {
            self.entries = entries.into();
        }
        self.entries.clone()
    }
}

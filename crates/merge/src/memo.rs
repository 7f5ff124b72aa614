//! What is remembered from one write to the next.

use std::collections::{BTreeMap, VecDeque};

use schema::TypeId;
use value::{List, Map, Str, Value};

/// Names of fields remembered.
const NAMES_MAX: usize = 4_096;
/// Lists whose sets are remembered; the oldest is forgotten.
const LISTS_MAX: usize = 64;
/// Whole sets remembered; the oldest is forgotten.
const SETS_MAX: usize = 32;

/// The element of a field: `name` to `f:name`.
pub(crate) fn element(name: &str) -> Str {
    Str::from(format!("f:{name}"))
}

/// Sets of shared subtrees: pods of one template have one set, not one each.
///
/// Holding the lists keeps their allocations, so that a pointer means the same for as long as it is remembered.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// `name` to `f:name`.
    names: BTreeMap<Str, Str>,
    lists: VecDeque<(List, Map)>,
    /// Of each type the set of the last map that held scalars only, such as a condition.
    plain: BTreeMap<TypeId, Value>,
    sets: VecDeque<Map>,
}

impl Memo {
    /// The element of a field, without a new text where it is known.
    pub(crate) fn field(&mut self, name: &Str) -> Str {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let element = element(name);
        if self.names.len() < NAMES_MAX {
            self.names.insert(name.clone(), element.clone());
        }
        element
    }

    pub(crate) fn items(&self, list: &List) -> Option<Map> {
        self.lists.iter().find(|(known, _)| known.same(list)).map(|(_, set)| set.clone())
    }

    pub(crate) fn keep_items(&mut self, list: &List, set: &Map) {
        if list.first().is_none_or(|it| it.as_map().is_none_or(|it| it.len() < 3)) {
            return;
        }
        if self.lists.len() == LISTS_MAX {
            self.lists.pop_front();
        }
        self.lists.push_back((list.clone(), set.clone()));
    }

    /// The set of a map of scalars, where the last one of its type had the same keys.
    pub(crate) fn plain(&self, ty: Option<TypeId>, map: &Map) -> Option<Value> {
        let known = self.plain.get(&ty?)?;
        let set = known.as_map()?;
        let fits = set.len() == map.len() + 1
            && set.keys().skip(1).zip(map.iter()).all(|(element, (name, value))| {
                is_scalar(value) && element.strip_prefix("f:").is_some_and(|it| it == name.as_str())
            });
        fits.then(|| known.clone())
    }

    pub(crate) fn keep_plain(&mut self, ty: Option<TypeId>, map: &Map, set: &Value) {
        if let Some(ty) = ty
            && map.values().all(is_scalar)
        {
            self.plain.insert(ty, set.clone());
        }
    }

    /// The same set as it was seen before, so that equal sets are one allocation.
    pub(crate) fn shared(&mut self, set: Map) -> Map {
        if let Some(known) = self.sets.iter().find(|it| meta::maps_equal(it, &set)) {
            return known.clone();
        }
        if self.sets.len() == SETS_MAX {
            self.sets.pop_front();
        }
        self.sets.push_back(set.clone());
        set
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Map(_))
}

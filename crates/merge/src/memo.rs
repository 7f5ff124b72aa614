//! What is remembered from one write to the next: it makes writes quick and equal sets one allocation, and changes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use meta::{ManagedEntry, Object};
use schema::{Schema, TypeId};
use value::{Map, Str, Value};

use crate::compare::{Compare, FieldTypes};
use crate::fields::{child, children, difference, difference_at, is_member, node, share, union, union_at};
use crate::objects::{self, Field};
use crate::resets::Resets;
use crate::steps::{Change, Changes, KeptStep, Part, Step, StepOf, changed, equal, kept, print, removed, split};

/// Places for names of fields.
const NAMES: usize = 1_024;
/// Of each type: walks and outcomes remembered.
const WALKS_MAX: usize = 32;
/// The same of whole sets and of lists of entries.
const SETS_MAX: usize = 16;
/// Of each walk: sets and what became of them.
const AFTERS_MAX: usize = 8;

/// The element of a field: `name` to `f:name`.
pub(crate) fn element(name: &str) -> Str {
    Str::from(format!("f:{name}"))
}

/// What the writes of one API server remember, also those whose managed fields are worked out later.
#[derive(Clone, Debug, Default)]
pub struct Memo(Arc<Mutex<Memory>>);

impl Memo {
    /// Where somebody is at it already, one that remembers nothing does as well: it is only slower.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        match self.0.try_lock() {
            Ok(mut memo) => f(&mut memo),
            Err(_) => f(&mut Memory::default()),
        }
    }
}

/// Writes are like one another: pods of one template change in the same fields, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    names: Names,
    /// Bodies of types before anything is set.
    empty: BTreeMap<TypeId, Map>,
    of_types: BTreeMap<Option<TypeId>, OfType>,
    types: FieldTypes,
    /// Room for the next comparison.
    fields: Vec<Field>,
    steps: Vec<StepOf<'static>>,
}

#[derive(Clone, Debug, Default)]
struct OfType {
    /// Prints of walks that were met once.
    met: Recent<u32, WALKS_MAX>,
    walked: Recent<Box<Walked>, WALKS_MAX>,
    walks: Recent<Walk, WALKS_MAX>,
    outcomes: Recent<Outcome, WALKS_MAX>,
    sets: Recent<Map, SETS_MAX>,
    lists: Recent<Arc<[ManagedEntry]>, SETS_MAX>,
}

/// How two objects differ and what that made of sets: all follows from the walk over the differences.
#[derive(Clone, Debug)]
pub(crate) struct Walked {
    /// See [`print`].
    print: u32,
    /// Empty where it is not worth remembering: the first of its kind.
    steps: Vec<KeptStep>,
    pub changes: Changes,
    afters: Recent<After, AFTERS_MAX>,
}

/// What became of somebody's set, which is kept here, so that its allocation stands for nothing else.
#[derive(Clone, Debug)]
struct After {
    before: Map,
    /// Whether it is the set of the one who made the change.
    is_own: bool,
    after: Map,
}

/// A walk over a part of differences and what it comes to: that follows from the steps alone.
#[derive(Clone, Debug)]
struct Walk {
    /// See [`print`].
    print: u32,
    steps: Vec<KeptStep>,
    part: Part,
}

/// What becomes of somebody's set under a field when the field changes. It follows from the allocations of the rest, which
/// stand for nothing else as they are kept here.
#[derive(Clone, Debug)]
struct Outcome {
    before: Map,
    part: Part,
    /// Whether it is the set of the one who made the change.
    is_own: bool,
    after: Option<Map>,
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

/// The `MAX` things that were used of late, each with the number of its last use; the rest is forgotten.
#[derive(Clone, Debug)]
struct Recent<T, const MAX: usize> {
    items: Vec<(u64, T)>,
    n_uses: u64,
}

impl<T, const MAX: usize> Default for Recent<T, MAX> {
    fn default() -> Self {
        Recent { items: Vec::new(), n_uses: 0 }
    }
}

impl<T, const MAX: usize> Recent<T, MAX> {
    fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let (last_use, found) = self.items.iter_mut().find(|it| is_it(&it.1))?;
        self.n_uses += 1;
        *last_use = self.n_uses;
        Some(found)
    }

    fn take(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let idx = self.items.iter().position(|it| is_it(&it.1))?;
        Some(self.items.swap_remove(idx).1)
    }

    fn latest(&self, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        self.items.iter().filter(|it| is_it(&it.1)).max_by_key(|it| it.0).map(|it| &it.1)
    }

    fn keep(&mut self, it: T) -> &mut T {
        self.n_uses += 1;
        let it = (self.n_uses, it);
        let n = self.items.len();
        let oldest = (0..n).filter(|_| n == MAX).min_by_key(|idx| self.items[*idx].0);
        match oldest {
            Some(idx) => self.items[idx] = it,
            None => self.items.push(it),
        }
        &mut self.items[oldest.unwrap_or(n)].1
    }
}

/// Room for other steps.
fn emptied<'a>(mut steps: Vec<StepOf<'_>>) -> Vec<StepOf<'a>> {
    steps.clear();
    // Collecting what came from a vector takes its allocation.
    steps.into_iter().map_while(|_| None).collect()
}

impl Memory {
    /// The body of a type before anything is set.
    pub(crate) fn empty_body(&mut self, schema: &Schema, ty: Option<TypeId>) -> Map {
        let Some(ty) = ty else { return Map::new() };
        self.empty.entry(ty).or_insert_with(|| objects::empty_body(schema, ty)).clone()
    }

    /// In what `new` differs from `old`, but for what nobody owns and what the write sets back. To be given to
    /// [`Memory::keep`].
    pub(crate) fn walked(
        &mut self,
        schema: &Schema,
        ty: Option<TypeId>,
        old: Option<&Object>,
        new: &Object,
        resets: Resets,
    ) -> Box<Walked> {
        let empty = if old.is_none() { self.empty_body(schema, ty) } else { Map::new() };
        let mut fields = std::mem::take(&mut self.fields);
        objects::differing(schema, ty, old, &empty, new, resets, &mut fields);
        let (steps, types) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.types));
        let mut compare = Compare { schema, steps: emptied(steps), types };
        objects::walk(&mut compare, &fields);
        let Compare { steps, types, .. } = compare;
        self.types = types;
        let print = print(&steps);
        let of_type = self.of_types.entry(ty).or_default();
        let known = of_type.walked.take(|it| it.print == print && equal(&steps, &it.steps));
        let walked = known.unwrap_or_else(|| {
            let is_met = of_type.met.find(|it| *it == print).is_some();
            if !is_met {
                of_type.met.keep(print);
            }
            let changes = of_type.changes(&steps, &mut self.names);
            let steps = if is_met { kept(&steps) } else { Vec::new() };
            Box::new(Walked { print, steps, changes, afters: Recent::default() })
        });
        debug_assert_eq!(walked.changes, OfType::default().changes(&steps, &mut self.names));
        self.steps = emptied(steps);
        fields.clear();
        self.fields = fields;
        walked
    }

    /// Remembers a walk.
    pub(crate) fn keep(&mut self, ty: Option<TypeId>, walked: Box<Walked>) {
        if !walked.steps.is_empty() {
            self.of_types.entry(ty).or_default().walked.keep(walked);
        }
    }

    /// [`Memory::walked`] where only the changes matter.
    pub(crate) fn changes(
        &mut self,
        schema: &Schema,
        ty: Option<TypeId>,
        old: Option<&Object>,
        new: &Object,
        resets: Resets,
    ) -> Changes {
        let walked = self.walked(schema, ty, old, new, resets);
        let changes = walked.changes.clone();
        self.keep(ty, walked);
        changes
    }

    /// What becomes of somebody's set when there are changes; `is_own`: made by the same.
    pub(crate) fn after(&mut self, ty: Option<TypeId>, set: &Map, walked: &mut Walked, is_own: bool) -> Map {
        let known = walked.afters.find(|it| it.is_own == is_own && it.before.same(set));
        let after = match known {
            Some(it) => it.after.clone(),
            None => {
                let after = self.of_types.entry(ty).or_default().set_after(set, &walked.changes, is_own);
                walked.afters.keep(After { before: set.clone(), is_own, after: after.clone() });
                after
            }
        };
        debug_assert_eq!(after, directly(set, &walked.changes, is_own));
        after
    }

    /// The same set as it was seen before, so that equal sets are one allocation; of another one, its equal parts.
    pub(crate) fn shared(&mut self, ty: Option<TypeId>, mut set: Map) -> Map {
        let of_type = self.of_types.entry(ty).or_default();
        if let Some(last) = of_type.sets.latest(|it| it.keys().eq(set.keys())) {
            share(&mut set, last);
        }
        of_type.shared(set)
    }

    /// The same entries as they were seen before: objects that are written in the same second share them.
    pub(crate) fn shared_list(&mut self, ty: Option<TypeId>, entries: Vec<ManagedEntry>) -> Arc<[ManagedEntry]> {
        let is_same = |a: &ManagedEntry, b: &ManagedEntry| {
            a.time == b.time
                && a.fields.same(&b.fields)
                && (a.operation, &a.manager, &a.api_version, &a.subresource)
                    == (b.operation, &b.manager, &b.api_version, &b.subresource)
        };
        let same = |it: &Arc<[ManagedEntry]>| {
            it.len() == entries.len() && it.iter().rev().zip(entries.iter().rev()).all(|(a, b)| is_same(a, b))
        };
        let lists = &mut self.of_types.entry(ty).or_default().lists;
        match lists.find(same) {
            Some(known) => known.clone(),
            None => lists.keep(entries.into()).clone(),
        }
    }
}

/// [`Memory::after`] without what is remembered.
fn directly(set: &Map, changes: &[Change], is_own: bool) -> Map {
    let (changed, removed) = (changed(changes), removed(changes));
    let left = difference(&difference(set, &changed), &removed);
    if is_own { union(&changed, &left) } else { left }
}

impl OfType {
    /// What a walk tells.
    fn changes(&mut self, steps: &[StepOf<'_>], names: &mut Names) -> Changes {
        let mut changes = Changes::new();
        let mut rest = steps;
        while let Some((step, below)) = rest.split_first() {
            let (Step::Field(name) | Step::Set(name) | Step::Unset(name)) = step else { break };
            let element = names.element(name);
            let (is_changed, is_removed) = (matches!(step, Step::Set(_)), matches!(step, Step::Unset(_)));
            let mut change = Change { element, is_changed, is_removed, parts: Vec::new() };
            rest = below;
            while let (Step::Field(_), Some((step, after))) = (step, rest.split_first()) {
                match step {
                    Step::Changed => change.is_changed = true,
                    Step::Removed => change.is_removed = true,
                    Step::Up => (),
                    _ => {
                        let (print, steps, after) = split(rest);
                        change.parts.extend(self.part(print, steps, names));
                        rest = after;
                        continue;
                    }
                }
                rest = after;
                if matches!(step, Step::Up) {
                    break;
                }
            }
            change.parts.sort_by(|a, b| a.element.cmp(&b.element));
            changes.push(change);
        }
        changes
    }

    /// What becomes of somebody's set.
    fn set_after(&mut self, set: &Map, changes: &[Change], is_own: bool) -> Map {
        let mut res = set.clone();
        for change in changes {
            let before = child(set, &change.element);
            match self.after(before, change, is_own) {
                Some(after) if before.is_none_or(|it| !it.same(&after)) => res.insert(&change.element, after),
                None if before.is_some() => {
                    res.remove(&change.element);
                }
                _ => (),
            }
        }
        if res.same(set) { res } else { self.shared(res) }
    }

    /// What a walk down and back up tells.
    fn part(&mut self, print: u32, steps: &[StepOf<'_>], names: &mut Names) -> Option<Part> {
        if let [Step::Set(name)] = steps {
            return Some(Part { element: names.element(name), changed: Some(Map::new()), removed: None });
        }
        if let Some(known) = self.walks.find(|it| it.print == print && equal(steps, &it.steps)) {
            return Some(known.part.clone());
        }
        let mut part = Part::of(steps, names)?;
        if let Some(last) = self.walks.latest(|it| it.part.element == part.element) {
            part.share(&last.part);
        }
        self.walks.keep(Walk { print, steps: kept(steps), part: part.clone() });
        Some(part)
    }

    /// What becomes of somebody's set under a field at the top.
    fn after(&mut self, before: Option<&Map>, change: &Change, is_own: bool) -> Option<Map> {
        if before.is_none() && !is_own {
            return None;
        }
        let (was_member, nothing) = (before.is_some_and(is_member), Map::new());
        let keeps = was_member && !change.is_changed && !change.is_removed;
        let belongs = keeps || (is_own && change.is_changed);
        let mut same = before.is_some() && belongs == was_member;
        // One more for the field itself.
        let n_max = before.map_or(0, Map::len) + change.parts.len() + 1;
        let mut res: Vec<(Str, Value)> = Vec::with_capacity(n_max);
        let mut parts = change.parts.iter().peekable();
        let mut put = |element: &Str, set: Option<Map>| res.extend(set.map(|it| (element.clone(), Value::Map(it))));
        for (element, set) in children(before.unwrap_or(&nothing)) {
            while let Some(part) = parts.next_if(|it| it.element < *element) {
                same &= !is_own || part.changed.is_none();
                put(&part.element, part.changed.clone().filter(|_| is_own));
            }
            let after = match parts.next_if(|it| it.element == *element) {
                Some(part) => self.part_after(set, part, is_own),
                None => Some(set.clone()),
            };
            same &= after.as_ref().is_some_and(|it| it.same(set));
            put(element, after);
        }
        for part in parts {
            same &= !is_own || part.changed.is_none();
            put(&part.element, part.changed.clone().filter(|_| is_own));
        }
        match before.filter(|_| same) {
            Some(before) => Some(before.clone()),
            None => node(belongs, res).map(|it| self.shared(it)),
        }
    }

    /// The same of one part of it.
    fn part_after(&mut self, before: &Map, part: &Part, is_own: bool) -> Option<Map> {
        let is_it = |it: &Outcome| it.before.same(before) && it.is_own == is_own && it.part.same(part);
        // What has nothing below it is told at once.
        let known = if before.is_empty() { None } else { self.outcomes.find(is_it) };
        if let Some(known) = known {
            return known.after.clone();
        }
        let mut after = Some(before.clone());
        for gone in [&part.changed, &part.removed].into_iter().flatten() {
            after = after.and_then(|it| difference_at(&it, gone));
        }
        if let Some(changed) = part.changed.as_ref().filter(|_| is_own) {
            after = Some(after.map_or_else(|| changed.clone(), |it| union_at(changed, &it)));
        }
        if !before.is_empty() {
            if let Some(after) = &mut after {
                let like = |it: &Outcome| it.part.element == part.element && it.after.is_some();
                if let Some(last) = self.outcomes.latest(like).and_then(|it| it.after.as_ref()) {
                    share(after, last);
                }
            }
            self.outcomes.keep(Outcome { before: before.clone(), part: part.clone(), is_own, after: after.clone() });
        }
        after
    }

    /// The same set as it was seen before with the same allocations in it.
    fn shared(&mut self, set: Map) -> Map {
        let same = |it: &Map| it.has_keys_of(&set) && it.values().zip(set.values()).all(|(a, b)| a.same(b));
        match self.sets.find(same) {
            Some(known) => known.clone(),
            None => self.sets.keep(set).clone(),
        }
    }
}

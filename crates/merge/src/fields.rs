//! Sets of fields, kept in the form in which the API shows them (`FieldsV1`), so that subtrees are shared.
//!
//! ```text
//! {"f:spec": {"f:replicas": {}, "f:ports": {".": {}, "k:{\"port\":80}": {".": {}, "f:port": {}}}}}
//! ```
//! A node is a member of the set when it is empty or has a `.`; the root never is, and the empty root is the empty set.
//! Follows `fieldpath.Set` of sigs.k8s.io/structured-merge-diff.

mod element;

use std::cmp::Ordering;
use std::sync::LazyLock;

use value::{Map, Str, Value};

pub(crate) use self::element::{Element, key_text, value_text};

const SELF: &str = ".";
static SELF_KEY: LazyLock<Str> = LazyLock::new(|| SELF.into());

/// A member without children.
pub(crate) fn leaf() -> Value {
    Value::map()
}

/// Whether the node that `set` is belongs to the set itself.
pub(crate) fn is_member(set: &Map) -> bool {
    set.keys().next().is_none_or(|it| it == SELF)
}

/// What is below a node.
pub(crate) fn children(set: &Map) -> impl Iterator<Item = (&Str, &Map)> {
    set.iter().filter(|(key, _)| *key != SELF).filter_map(|(key, it)| Some((key, it.as_map()?)))
}

/// A node of sorted children. `None`: nothing is left of it.
pub(crate) fn node(member: bool, mut children: Vec<(Str, Value)>) -> Option<Map> {
    if children.is_empty() {
        return member.then(Map::new);
    }
    if member {
        children.insert(0, (SELF_KEY.clone(), leaf()));
    }
    Some(children.into())
}

/// What to do with nodes that both sides have or that only one side has.
#[derive(Clone, Copy)]
struct Rule {
    left: bool,
    right: bool,
    both: bool,
}

const UNION: Rule = Rule { left: true, right: true, both: true };
const INTERSECTION: Rule = Rule { left: false, right: false, both: true };
const DIFFERENCE: Rule = Rule { left: true, right: false, both: false };

/// What is in either set.
pub(crate) fn union(a: &Map, b: &Map) -> Map {
    roots(UNION, a, b)
}

/// What is in both sets.
pub(crate) fn intersection(a: &Map, b: &Map) -> Map {
    roots(INTERSECTION, a, b)
}

/// What is in `a` and not in `b`. Children of a member are members of their own right.
pub(crate) fn difference(a: &Map, b: &Map) -> Map {
    roots(DIFFERENCE, a, b)
}

/// [`union`] of what lies under one field.
pub(crate) fn union_at(a: &Map, b: &Map) -> Map {
    combined(UNION, a, b, false).unwrap_or_default()
}

/// [`difference`] of what lies under one field; `None` where nothing is left.
pub(crate) fn difference_at(a: &Map, b: &Map) -> Option<Map> {
    combined(DIFFERENCE, a, b, false)
}

fn roots(rule: Rule, a: &Map, b: &Map) -> Map {
    combined(rule, a, b, true).unwrap_or_default()
}

fn combined(rule: Rule, a: &Map, b: &Map, root: bool) -> Option<Map> {
    if a.same(b) && !(a.is_empty() && root) {
        return rule.both.then(|| a.clone());
    }
    let (in_a, in_b) = (!root && is_member(a), !root && is_member(b));
    let member = if in_a && in_b { rule.both } else { (in_a && rule.left) || (in_b && rule.right) };
    if !rule.both && !rule.right && member == in_a && !b.keys().any(|it| a.contains_key(it)) {
        return (root || !a.is_empty() || member).then(|| a.clone());
    }
    let mut res: Vec<(Str, Value)> = Vec::with_capacity(a.len() + 1);
    let (mut same_a, mut same_b) = (member == in_a, member == in_b);
    let (mut left, mut right) = (children(a).peekable(), children(b).peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((k, _)), Some((l, _))) => k.cmp(l),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let of_a = if order.is_le() { left.next() } else { None };
        let of_b = if order.is_ge() { right.next() } else { None };
        let new = match (of_a, of_b) {
            (Some((_, a)), Some((_, b))) => combined(rule, a, b, false),
            (Some((_, a)), None) => rule.left.then(|| a.clone()),
            (None, Some((_, b))) => rule.right.then(|| b.clone()),
            (None, None) => None,
        };
        same_a &= is_same(&new, of_a);
        same_b &= is_same(&new, of_b);
        if let (Some(new), Some((key, _))) = (new, of_a.or(of_b)) {
            res.push((key.clone(), Value::Map(new)));
        }
    }
    if same_a {
        return (root || !a.is_empty() || member).then(|| a.clone());
    }
    if same_b {
        return (root || !b.is_empty() || member).then(|| b.clone());
    }
    node(member, res)
}

fn is_same(new: &Option<Map>, old: Option<(&Str, &Map)>) -> bool {
    match (new, old) {
        (Some(new), Some((_, old))) => new.same(old),
        (None, None) => true,
        _ => false,
    }
}

/// Makes what is equal in both sets the allocation of `known`.
pub(crate) fn share(set: &mut Map, known: &Map) {
    if set == known {
        *set = known.clone();
        return;
    }
    for (key, known) in known.iter() {
        set.edit(key, |value| {
            if let (Value::Map(it), Value::Map(known)) = (value, known) {
                share(it, known);
            }
        });
    }
}

/// The set at a child.
pub(crate) fn child<'s>(set: &'s Map, element: &str) -> Option<&'s Map> {
    set.get(element)?.as_map()
}

/// Whether a child is a member.
pub(crate) fn has(set: &Map, element: &str) -> bool {
    child(set, element).is_some_and(is_member)
}

/// Whether anything lies below a node.
pub(crate) fn has_children(set: &Map) -> bool {
    children(set).next().is_some()
}

/// Every path of the set such as `.spec.ports[port=80]`: members of a node first, then what lies below its children.
pub(crate) fn paths(set: &Map) -> Vec<String> {
    let mut res = Vec::new();
    list_paths(set, &mut String::new(), &mut res);
    res
}

fn list_paths(set: &Map, prefix: &mut String, res: &mut Vec<String>) {
    let mut elements: Vec<(Element, &Map)> =
        children(set).filter_map(|(key, child)| Some((Element::parse(key)?, child))).collect();
    elements.sort_by(|(a, _), (b, _)| a.cmp(b));
    let len = prefix.len();
    for below in [false, true] {
        for (element, child) in &elements {
            prefix.push_str(&element.to_string());
            if below {
                list_paths(child, prefix, res);
            } else if is_member(child) {
                res.push(prefix.clone());
            }
            prefix.truncate(len);
        }
    }
}

/// A set that a client wrote, with every element as we would write it. `None` where it cannot be read.
pub(crate) fn canonical(set: &Map) -> Option<Map> {
    match read(set)? {
        (_, Some(Value::Map(it))) => Some(it),
        _ => Some(Map::new()),
    }
}

/// Whether a node is a member, and its children.
fn read(set: &Map) -> Option<(bool, Option<Value>)> {
    let mut member = set.is_empty();
    let mut res: Vec<(Str, Value)> = Vec::with_capacity(set.len());
    for (key, child) in set.iter() {
        if key == SELF {
            member = true;
            continue;
        }
        let Some(text) = element::canonical(key)? else { continue };
        let (is_member, below) = read(child.as_map()?)?;
        let below = match below {
            Some(Value::Map(it)) => it.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            _ => Vec::new(),
        };
        if let Some(child) = node(is_member, below) {
            res.push((text, Value::Map(child)));
        }
    }
    if res.is_empty() {
        return Some((true, None));
    }
    Some((member, Some(Value::Map(res.into()))))
}

#[cfg(test)]
mod tests;

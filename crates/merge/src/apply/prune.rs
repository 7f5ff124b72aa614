//! Takes out what the applier owned and no longer wants, unless others own it.

use schema::{Schema, TypeId};
use value::{Map, Value};

use super::remove::remove;
use super::set::{set_of, with_named};
use crate::fields::{difference, intersection, union};

/// `last` is what the applier owned, `managed` what anybody owns now, the applier's new wishes included.
pub(super) fn prune(schema: &Schema, ty: Option<TypeId>, merged: Value, last: &Map, managed: &Map) -> Value {
    if last.is_empty() {
        return merged;
    }
    let named = |set: &Map| with_named(schema, ty, set);
    let last = named(last);
    let pruned = remove(schema, ty, &merged, &last);
    let merged_set = named(&set_of(schema, ty, &merged));
    // What others own comes back, and then what nobody owned.
    let kept = union(&named(&set_of(schema, ty, &pruned)), &named(managed));
    let pruned = remove(schema, ty, &merged, &difference(&merged_set, &kept));
    let gone = difference(&merged_set, &named(&set_of(schema, ty, &pruned)));
    remove(schema, ty, &merged, &intersection(&gone, &last))
}

//! Managed fields: who owns which field of an object.

use meta::Object;
use schema::{Schema, TypeId};
use value::Str;

/// What is remembered from one write to the next: sets of shared subtrees.
#[derive(Clone, Debug, Default)]
pub struct Memo {}

/// Sets the managed fields of an object that `manager` created or changed otherwise than by applying.
#[allow(clippy::too_many_arguments)]
pub fn update(
    _schema: &Schema,
    _ty: Option<TypeId>,
    live: Option<&Object>,
    object: &mut Object,
    _manager: &Str,
    _api_version: &Str,
    _sub: &str,
    _now_secs: i64,
    _memo: &mut Memo,
) {
    if let Some(live) = live {
        object.meta.managed = live.meta.managed.clone();
    }
}

//! Moments and keys as data, for actors that begin anew and go on with what they knew.

use std::collections::BTreeMap;

use meta::Key;
use sim::Instant;
use value::{Map, Str, Value};

/// Nanoseconds since the Unix epoch: more than numbers in JSON are good for.
pub fn instant(it: Instant) -> Value {
    it.nanos().to_string().into()
}

/// What [`instant`] made.
pub fn to_instant(saved: &Value) -> Option<Instant> {
    saved.as_str()?.parse().ok().map(Instant::from_nanos)
}

/// Moments by name.
pub fn instants(map: &BTreeMap<Str, Instant>) -> Value {
    map.iter().map(|(name, at)| (name.clone(), instant(*at))).collect::<Map>().into()
}

/// What [`instants`] made.
pub fn to_instants(saved: &Value) -> BTreeMap<Str, Instant> {
    let entries = saved.as_map().into_iter().flat_map(Map::iter);
    entries.filter_map(|(name, at)| Some((name.clone(), to_instant(at)?))).collect()
}

/// A key of a namespaced object that [`ToString`] made a text of.
pub fn to_key(saved: &str) -> Option<Key> {
    saved.split_once('/').map(|(namespace, name)| Key::new(namespace, name))
}

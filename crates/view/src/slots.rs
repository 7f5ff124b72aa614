//! Places on a node: a pod keeps its own for as long as it is there, and a newcomer takes the first that is free.

use std::collections::BTreeMap;

/// The places of one node, by the pods' uids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    by_uid: BTreeMap<String, u32>,
}

impl Slots {
    /// The place of a pod; its own if it has one.
    pub fn take(&mut self, uid: &str) -> u32 {
        if let Some(slot) = self.by_uid.get(uid) {
            return *slot;
        }
        let mut taken = self.by_uid.values().copied().collect::<Vec<_>>();
        taken.sort_unstable();
        let slot = (0..).zip(&taken).find(|(free, slot)| free != *slot).map_or(taken.len() as u32, |(free, _)| free);
        self.by_uid.insert(uid.to_owned(), slot);
        slot
    }

    pub fn free(&mut self, uid: &str) {
        self.by_uid.remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_pod_keeps_its_place_and_a_newcomer_takes_the_first_free_one() {
        let mut slots = Slots::default();
        assert_eq!(["a", "b", "c"].map(|it| slots.take(it)), [0, 1, 2]);
        slots.free("b");
        assert_eq!(slots.take("c"), 2);
        assert_eq!(["d", "e"].map(|it| slots.take(it)), [1, 3]);
    }
}

//! One number that stands for the whole state: equal runs have equal numbers.

use value::json;

use crate::Cluster;

impl Cluster {
    /// A hash over every stored object, in order, with the revision and the time.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        hash.add(&self.now().nanos().to_le_bytes());
        hash.add(&self.revision().0.to_le_bytes());
        let mut text = Vec::new();
        for object in self.api.store().all() {
            text.clear();
            json::write(&object.to_value("", ""), &mut text);
            hash.add(&object.kind.0.to_le_bytes());
            hash.add(&text);
        }
        hash.0
    }
}

/// FNV-1a, 64 bits: frozen, so that a number means the same in every version.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

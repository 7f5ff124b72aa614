//! Seeded chance: SplitMix64, frozen so that a seed means the same run in every version.

/// A stream of numbers that a seed determines.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The stream of the actor `name`: independent of every other name under the same seed.
    pub fn stream(seed: u64, name: &str) -> Rng {
        // FNV-1a over the name, then one step, so that neighbouring seeds do not give neighbouring streams.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mut rng = Rng(seed ^ hash);
        let start = rng.next_u64();
        Rng(start)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound` (0 for a bound of 0); the bias is below 2⁻³² for bounds below 2³².
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// `n` characters of the alphabet of generated names (no vowels, no look-alikes), as apimachinery's `rand.String`.
    pub fn suffix(&mut self, n: usize) -> String {
        const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..n).map(|_| char::from(ALPHABET[self.below(27) as usize])).collect()
    }

    /// The state, for saving.
    pub fn state(&self) -> u64 {
        self.0
    }
}

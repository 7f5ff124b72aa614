//! The same seed and the same inputs give the same cluster, however time is cut into pieces.

use cluster::{Config, Duration};
use sim::Rng;
use tests::session::Session;

use crate::operations;

const SEEDS: u64 = 5;
const LENGTH: u64 = 15;

/// Plays the same operations with long and with short waits.
pub fn check() -> Result<(), String> {
    for seed in 0..SEEDS {
        let whole = play(seed, None);
        for longest_ms in [700, 9_000] {
            let cut = play(seed, Some(longest_ms));
            if let Some(step) = (0..whole.len()).find(|it| whole[*it] != cut[*it]) {
                return Err(format!(
                    "seed {seed}: with pieces up to {longest_ms} ms step {step} ends in another state"
                ));
            }
        }
    }
    Ok(())
}

/// The fingerprint after each operation and its wait.
fn play(seed: u64, longest_ms: Option<u64>) -> Vec<u64> {
    let mut rng = Rng::stream(seed, "determinism");
    let mut pieces = Rng::stream(seed, "pieces");
    let mut session = Session::new(&Config { seed, ..Config::default() });
    let mut one = || {
        operations::one(&mut rng, &mut session);
        let end = session.cluster.now() + Duration::from_millis(rng.below(40_000));
        while session.cluster.now() < end {
            let left = end.since(session.cluster.now());
            session.wait(longest_ms.map_or(left, |it| Duration::from_millis(1 + pieces.below(it)).min(left)));
        }
        session.cluster.fingerprint()
    };
    (0..LENGTH).map(|_| one()).collect()
}

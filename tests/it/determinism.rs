//! The same seed and the same inputs give the same cluster, however time is cut into pieces.

use cluster::{Cluster, Config, Duration};
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

/// Plays operations with checkpoints among them: what is restored from one goes on to the byte as what runs on, and
/// the recording of the whole run, in which they are inputs, gives the same.
pub fn check_checkpoints() -> Result<(), String> {
    for seed in 0..SEEDS {
        let mut rng = Rng::stream(seed, "determinism");
        let mut checkpoints = Rng::stream(seed, "checkpoints");
        let mut session = Session::new(&Config { seed, ..Config::default() });
        let mut restored: Option<(Rng, Session)> = None;
        for step in 0..2 * LENGTH {
            if checkpoints.below(4) == 0 {
                let saved = session.cluster.checkpoint();
                restored = Some((rng.clone(), Session { cluster: Cluster::restore(&saved)? }));
            }
            let one = |rng: &mut Rng, session: &mut Session| {
                operations::one(rng, session);
                session.wait(Duration::from_millis(rng.below(20_000)));
                session.cluster.fingerprint()
            };
            let live = one(&mut rng, &mut session);
            if let Some((rng, again)) = &mut restored
                && one(rng, again) != live
            {
                return Err(format!("seed {seed}: what was restored ends step {step} in another state"));
            }
        }
        if Cluster::replay(&session.cluster.recording())?.fingerprint() != session.cluster.fingerprint() {
            return Err(format!("seed {seed}: the recording ends in another state"));
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

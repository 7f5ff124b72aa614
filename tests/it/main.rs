//! Whole-cluster tests: sessions, invariants and determinism.
//!
//! Each folder of `scenarios` is a test, played by our kubectl and by the real one.

mod determinism;
mod invariants;
mod mask;
mod operations;
mod ours;
mod real;
mod transcript;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use transcript::{Player, Transcript};

/// Runs by chance, unless the environment wants more.
const SEEDS: u64 = 50;
const SEEDS_OF_TRIAL: u64 = 10;

fn main() {
    let mut trials = Vec::new();
    for folder in scenarios() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = folder.clone();
        trials.push(Trial::test(format!("ours::{name}"), move || play(&ours, ours::start)));
        // Without the real program there is nothing to compare with; `cargo xtask test` always names one.
        let has_kubectl = real::kubectl().is_some();
        trials.push(
            Trial::test(format!("real::{name}"), move || play(&folder, real::start)).with_ignored_flag(!has_kubectl),
        );
    }
    trials.extend(by_chance());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Runs by chance, some seeds in each test; `DRYDOCK_SEEDS` says how many in all.
fn by_chance() -> Vec<Trial> {
    let n_seeds = std::env::var("DRYDOCK_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(SEEDS);
    let groups = (0..n_seeds).step_by(SEEDS_OF_TRIAL as usize);
    let mut trials: Vec<Trial> = groups
        .map(|first| {
            let last = (first + SEEDS_OF_TRIAL).min(n_seeds);
            let name = format!("invariants::seeds_{first}_to_{}", last - 1);
            Trial::test(name, move || invariants::seeds(first..last).map_err(Failed::from))
        })
        .collect();
    trials
        .push(Trial::test("determinism::many_small_advances_equal_one", || determinism::check().map_err(Failed::from)));
    trials.push(Trial::test("determinism::a_checkpoint_goes_on_to_the_byte", || {
        determinism::check_checkpoints().map_err(Failed::from)
    }));
    trials
}

fn scenarios() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|it| it.path()).filter(|it| it.join("session.txt").is_file()).collect();
    folders.sort();
    folders
}

type Start = fn(&Transcript) -> Result<Box<dyn Player>, String>;

fn play(folder: &Path, start: Start) -> Result<(), Failed> {
    let transcript = Transcript::read(folder)?;
    let mut player = start(&transcript)?;
    let played = transcript.play(player.as_mut())?;
    transcript.compare(player.as_ref(), &played).map_err(Failed::from)
}

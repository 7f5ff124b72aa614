//! Whole-cluster tests: each folder of `tests/scenarios` is a test, played by our kubectl and by the real one.

mod mask;
mod ours;
mod real;
mod transcript;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use transcript::{Player, Transcript};

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
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
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

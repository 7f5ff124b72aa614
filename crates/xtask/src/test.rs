//! `cargo xtask test`: every test, as steps of one list.

use crate::{
    files, page,
    process::{self, Res},
    setup::{self, browser, kubectl},
    tidy, wasm,
};
use std::{process::Command, thread};

/// A part of the tests that can be run alone: `cargo xtask test NAME`.
struct Step {
    name: &'static str,
    run: fn() -> Res<()>,
}

/// Enough for several clusters, and done in half a minute.
const FUZZ_REQUESTS: &str = "5000";

/// The steps of a lane run one after another, and lanes side by side: the compiler joins a whole program on one core.
const LANES: &[&[Step]] = &[
    // What has the machine first, and all that is built for wasm.
    &[
        Step { name: "page", run: page::build },
        Step { name: "browser", run: in_browser },
        Step { name: "determinism", run: determinism },
    ],
    // Cheap ones first.
    &[
        Step { name: "tidy", run: || tidy::run(&[]) },
        Step { name: "format", run: || process::run(cargo().args(["fmt", "--all", "--check"])) },
        Step { name: "lint", run: || process::run(cargo().arg("lint")) },
        Step { name: "native", run: native },
        Step { name: "fuzz", run: fuzz },
    ],
];

/// Runs the named steps, or all. A step that fails does not keep the later ones from running.
pub fn run(args: &[String]) -> Res<()> {
    let all = || LANES.iter().copied().flatten();
    if let Some(unknown) = args.iter().find(|arg| all().all(|it| it.name != **arg)) {
        let names = all().map(|it| it.name).collect::<Vec<_>>().join(", ");
        return Err(format!("no step {unknown}; there are {names}"));
    }
    setup::for_tests()?;
    let failed = run_lanes(args);
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Answers which steps failed.
fn run_lanes(wanted: &[String]) -> Vec<&'static str> {
    thread::scope(|scope| {
        let lanes: Vec<_> = LANES.iter().map(|lane| scope.spawn(|| run_lane(lane, wanted))).collect();
        lanes.into_iter().flat_map(|it| it.join().unwrap_or_else(|_| vec!["a lane"])).collect()
    })
}

/// Runs the steps that are wanted, all if none is named; answers which failed.
fn run_lane(lane: &'static [Step], wanted: &[String]) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for Step { name, run } in lane.iter().filter(|it| wanted.is_empty() || wanted.iter().any(|name| name == it.name)) {
        if let Err(error) = process::timed(name, run) {
            eprintln!("{error}");
            failed.push(*name);
        }
    }
    failed
}

/// Cargo, which lets the page go first, with the real kubectl for the tests that compare with it.
fn cargo() -> Command {
    let mut res = process::command("nice");
    res.arg("cargo");
    for (version, name) in kubectl::VERSIONS.iter().zip(["DRYDOCK_KUBECTL", "DRYDOCK_KUBECTL_NEXT"]) {
        if let Ok(path) = kubectl::path(version) {
            res.env(name, path);
        }
    }
    res
}

fn native() -> Res<()> {
    process::run(cargo().args(["test", "--workspace"]))
}

/// Requests made by chance are answered, and the engine comes to rest after each.
fn fuzz() -> Res<()> {
    process::run(cargo().args(["run", "--quiet", "--package", "tests", "--bin", "fuzz", "--", FUZZ_REQUESTS]))
}

/// Programs are split at random places as often, to see that splitting changes nothing.
const SPLITS: u64 = 3;

/// The same seed and inputs must leave the same fingerprints natively, in wasm, and in wasm that is split in two.
fn determinism() -> Res<()> {
    let native = process::output(cargo().args(["run", "--quiet", "--package", "tests", "--bin", "fingerprints"]))?;
    let program = wasm::Program::build("tests", "fingerprints")?;
    let in_wasm = program.run(&[])?;
    print!("{native}");
    if native.trim().is_empty() {
        return Err("no fingerprints were printed".into());
    }
    if native != in_wasm {
        return Err(format!("in wasm they differ:\n{in_wasm}"));
    }
    for seed in 0..SPLITS {
        let split = program.run_split(seed)?;
        if native != split {
            return Err(format!("in wasm that is split by seed {seed} they differ:\n{split}"));
        }
    }
    Ok(())
}

fn in_browser() -> Res<()> {
    let browser = browser::path().ok_or("no browser")?;
    process::run(
        process::command("node")
            .args(["--test-reporter=spec", "tests/browser/run.mjs"])
            .env("CHROMIUM", browser)
            .env("DRYDOCK_DIST", page::dist())
            .env("DRYDOCK_SCREENSHOTS", files::target().join("screenshots")),
    )
}

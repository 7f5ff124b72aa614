//! `cargo xtask test`: every test, as steps of one list.

use crate::{
    files, page,
    process::{self, Res},
    setup::{self, browser, kubectl},
    tidy, wasm,
};
use std::process::Command;

/// A part of the tests that can be run alone: `cargo xtask test NAME`.
struct Step {
    name: &'static str,
    run: fn() -> Res<()>,
}

/// Enough for several clusters, and done in half a minute.
const FUZZ_REQUESTS: &str = "5000";

/// Cheap ones first. A step that fails does not keep the later ones from running.
const STEPS: &[Step] = &[
    Step { name: "tidy", run: || tidy::run(&[]) },
    Step { name: "format", run: || process::run(cargo().args(["fmt", "--all", "--check"])) },
    Step { name: "lint", run: || process::run(cargo().arg("lint")) },
    Step { name: "native", run: native },
    Step { name: "fuzz", run: fuzz },
    Step { name: "page", run: page::build },
    Step { name: "determinism", run: determinism },
    Step { name: "browser", run: in_browser },
];

/// Runs the named steps, or all.
pub fn run(args: &[String]) -> Res<()> {
    let steps = chosen(args)?;
    setup::for_tests()?;
    let mut failed = Vec::new();
    for Step { name, run } in steps {
        if let Err(error) = process::timed(name, run) {
            eprintln!("{error}");
            failed.push(*name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn chosen(args: &[String]) -> Res<Vec<&'static Step>> {
    if args.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    let find = |name: &String| {
        let names = || STEPS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
        STEPS.iter().find(|it| it.name == name).ok_or_else(|| format!("no step {name}; there are {}", names()))
    };
    args.iter().map(find).collect()
}

/// Cargo, with the real kubectl for the tests that compare with it.
fn cargo() -> Command {
    let mut res = process::command("cargo");
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
    let in_wasm = wasm::run_in_node("tests", "fingerprints", &[])?;
    print!("{native}");
    if native.trim().is_empty() {
        return Err("no fingerprints were printed".into());
    }
    if native != in_wasm {
        return Err(format!("in wasm they differ:\n{in_wasm}"));
    }
    for seed in 0..SPLITS {
        let split = wasm::run_split_in_node("tests", "fingerprints", seed)?;
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

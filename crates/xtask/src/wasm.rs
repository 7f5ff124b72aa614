//! Building for wasm with the right compiler, and running what was built under Node.

use crate::{
    files,
    page::split,
    process::{self, Res},
    setup::sysroot,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A program with the environment that wasm builds need.
///
/// The compiler may differ from the one of native builds, so the target directory does too: otherwise each would
/// throw away the other's work.
pub fn command(program: &str) -> Res<Command> {
    let bin = files::root().join("web/js/node_modules/.bin");
    let mut res = process::command(program);
    res.env("CARGO_TARGET_DIR", files::wasm_target()).env("PATH", process::path_with(&[&bin])?);
    if let Some(rustc) = sysroot::rustc()? {
        // The flags are unstable; a library and its users must agree on how they panic.
        res.env("RUSTC", rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", sysroot::PRIVATE_FLAGS);
    }
    Ok(res)
}

/// Builds a binary for wasm and runs it under Node; returns what it printed.
pub fn run_in_node(package: &str, bin: &str, args: &[&str]) -> Res<String> {
    let dir = build_for_node(package, bin)?;
    process::output(node(&dir, bin).args(args))
}

/// The same with the program split in two, as the page's engine is, but at places that chance chose.
pub fn run_split_in_node(package: &str, bin: &str, seed: u64) -> Res<String> {
    let dir = build_for_node(package, bin)?;
    let (whole, rest) = (dir.join(format!("{bin}_bg.wasm")), dir.join("rest.wasm"));
    let wasm = files::read_bytes(&whole)?;
    let hits = (0..split::counted(&wasm)?.n as u64).map(|it| (mix(seed ^ it) & 1) as u8).collect::<Vec<_>>();
    let parts = split::split(&wasm, &hits)?;
    files::write(&whole, parts.first)?;
    files::write(&rest, parts.rest)?;
    process::output(node(&dir, bin).env("REST", rest))
}

/// Node with the script that starts a program.
fn node(dir: &Path, bin: &str) -> Command {
    let mut res = process::command("node");
    res.arg("--require").arg(files::root().join("tests/rest.cjs")).arg(dir.join(format!("{bin}.js")));
    res
}

/// The finaliser of SplitMix64: each bit of the result depends on all of `n`.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The folder with the program and the script that starts it.
fn build_for_node(package: &str, bin: &str) -> Res<PathBuf> {
    process::run(command("cargo")?.args(["build", "--target", sysroot::TARGET, "--profile", "page"]).args([
        "--package",
        package,
        "--bin",
        bin,
    ]))?;
    let built = files::wasm_target().join(sysroot::TARGET).join("page");
    let out = files::wasm_target().join("node");
    process::run(
        process::command("wasm-bindgen")
            .args(["--target", "nodejs", "--no-typescript", "--out-dir"])
            .arg(&out)
            .arg(built.join(format!("{bin}.wasm"))),
    )?;
    Ok(out)
}

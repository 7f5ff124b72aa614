//! Building for wasm with the right compiler, and running what was built under Node.

use crate::{
    files,
    process::{self, Res},
    setup::sysroot,
};
use std::process::Command;

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
    process::output(process::command("node").arg(out.join(format!("{bin}.js"))).args(args))
}

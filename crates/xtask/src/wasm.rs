//! Building for wasm with the right compiler, and running what was built under Node.

use crate::{
    files,
    page::split,
    process::{self, Res},
    setup::sysroot,
};
use std::{path::PathBuf, process::Command};

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

/// A binary that was built for wasm, and its script for Node.
pub struct Program {
    /// Where both are.
    dir: PathBuf,
    name: &'static str,
    wasm: Vec<u8>,
}

impl Program {
    pub fn build(package: &str, name: &'static str) -> Res<Program> {
        process::run(command("cargo")?.args(["build", "--target", sysroot::TARGET, "--profile", "page"]).args([
            "--package",
            package,
            "--bin",
            name,
        ]))?;
        let built = files::wasm_target().join(sysroot::TARGET).join("page");
        let dir = files::wasm_target().join("node");
        process::run(
            process::command("wasm-bindgen")
                .args(["--target", "nodejs", "--no-typescript", "--out-dir"])
                .arg(&dir)
                .arg(built.join(format!("{name}.wasm"))),
        )?;
        let wasm = files::read_bytes(&dir.join(format!("{name}_bg.wasm")))?;
        Ok(Program { dir, name, wasm })
    }

    /// Runs it; returns what it printed.
    pub fn run(&self, args: &[&str]) -> Res<String> {
        process::output(self.node().args(args))
    }

    /// The same with the program split in two, as the page's engine is, but at places that chance chose.
    pub fn run_split(&self, seed: u64) -> Res<String> {
        let (whole, rest) = (self.dir.join(format!("{}_bg.wasm", self.name)), self.dir.join("rest.wasm"));
        let n_places = split::counted(&self.wasm)?.n as u64;
        let hits = (0..n_places).map(|it| (mix(seed ^ it) & 1) as u8).collect::<Vec<_>>();
        let parts = split::split(&self.wasm, &hits)?;
        files::write(&whole, parts.first)?;
        files::write(&rest, parts.rest)?;
        process::output(self.node().env("REST", rest))
    }

    fn node(&self) -> Command {
        let mut res = process::command("node");
        let script = self.dir.join(format!("{}.js", self.name));
        res.arg("--require").arg(files::root().join("tests/rest.cjs")).arg(script);
        res
    }
}

/// The finaliser of SplitMix64: each bit of the result depends on all of `n`.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

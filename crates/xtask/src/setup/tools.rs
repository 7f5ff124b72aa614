//! Trunk and wasm-bindgen's command, from crates.io into cargo's own folder of programs.

use crate::{
    files,
    process::{self, Res},
};

const TRUNK: &str = "0.21.14";

pub fn trunk_ready() -> Res<bool> {
    Ok(has_version("trunk", TRUNK))
}

pub fn install_trunk() -> Res<()> {
    cargo_install("trunk", TRUNK, "0")
}

pub fn wasm_bindgen_ready() -> Res<bool> {
    Ok(has_version("wasm-bindgen", &wasm_bindgen_version()?))
}

pub fn install_wasm_bindgen() -> Res<()> {
    // Level 1: the tool reads every wasm file that is built, and at level 0 that takes longer than it saves.
    cargo_install("wasm-bindgen-cli", &wasm_bindgen_version()?, "1")
}

/// The command must be of exactly the version of the library.
fn wasm_bindgen_version() -> Res<String> {
    let lock = files::read(&files::root().join("Cargo.lock"))?;
    locked_version(&lock, "wasm-bindgen").ok_or_else(|| "Cargo.lock holds no wasm-bindgen".into())
}

/// The version of a package in the text of a `Cargo.lock`.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|it| *it != format!("name = \"{package}\""));
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"').map(str::to_owned)
}

fn has_version(program: &str, version: &str) -> bool {
    process::output(process::command(program).arg("--version"))
        .is_ok_and(|it| it.split_whitespace().nth(1) == Some(version))
}

/// Builds without link-time optimisation: these programs run for seconds and would take minutes to build.
fn cargo_install(package: &str, version: &str, opt_level: &str) -> Res<()> {
    let install = |locked: &[&str]| {
        process::run(
            process::command("cargo")
                .args(["install", package, "--version", version, "--force"])
                .args(locked)
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", opt_level)
                .env("CARGO_TARGET_DIR", files::target().join("tools"))
                .env_remove("RUSTC"),
        )
    };
    // A lock file may name a version that was withdrawn since.
    install(&["--locked"]).or_else(|_| install(&[]))
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_locked_version_is_read() {
        let lock = "[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.9\"\n\n[[package]]\nname = \"yew\"\nversion = \"1.0.0\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.9"));
        assert_eq!(locked_version(lock, "yew").as_deref(), Some("1.0.0"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}

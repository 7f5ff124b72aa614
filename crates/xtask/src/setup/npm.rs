//! The npm packages of `web/js`: the editor's parts, esbuild and what browser tests use.

use crate::{
    files,
    process::{self, Res},
};
use std::path::PathBuf;

/// The oldest Node.js that builds and tests run with.
const NODE_MIN: u32 = 20;

pub fn node_ready() -> Res<bool> {
    let version = process::output(process::command("node").arg("--version")).unwrap_or_default();
    Ok(major(&version).is_some_and(|it| it >= NODE_MIN) && process::find("npm").is_some())
}

pub fn node_missing() -> Res<()> {
    let how = "Debian: sudo apt-get install nodejs npm";
    Err(format!("node or npm is not on PATH, or node is too old; install Node.js {NODE_MIN} or newer ({how})"))
}

/// 20 of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Compares contents, not times: a fresh checkout has fresh times.
pub fn packages_ready() -> Res<bool> {
    let mark = mark();
    Ok(mark.is_file() && files::read(&mark)? == lock_fingerprint()?)
}

pub fn install_packages() -> Res<()> {
    let dir = files::root().join("web/js");
    process::run(process::command("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(dir))?;
    files::write(&mark(), lock_fingerprint()?)
}

fn lock_fingerprint() -> Res<String> {
    let lock = files::root().join("web/js/package-lock.json");
    Ok(format!("{:016x}", files::fingerprint(&files::read_bytes(&lock)?)))
}

/// Holds the fingerprint of the lock file that `node_modules` was made from.
fn mark() -> PathBuf {
    files::root().join("web/js/node_modules/.drydock-lock")
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!([major("v20.1.0\n"), major("v8"), major("20.1"), major("")], [Some(20), Some(8), None, None]);
    }
}

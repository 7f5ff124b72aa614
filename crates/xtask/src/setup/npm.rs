//! The npm packages of `web/js`: the editor's parts, esbuild and what browser tests use.

use crate::{
    files,
    process::{self, Res},
};
use std::path::PathBuf;

pub fn node_ready() -> Res<bool> {
    Ok(process::find("node").is_some() && process::find("npm").is_some())
}

pub fn node_missing() -> Res<()> {
    Err("node and npm are not on PATH; install Node.js 20 or newer (Debian: sudo apt-get install nodejs npm)".into())
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

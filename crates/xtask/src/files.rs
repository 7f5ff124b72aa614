//! Where things are, and reading and writing them with errors that name the file.

use crate::process::Res;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub fn root() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.ancestors().nth(2).unwrap_or(crate_dir).to_path_buf()
}

/// Where tools and libraries that outlive a clone are kept: `$XDG_CACHE_HOME/drydock` or `~/.cache/drydock`.
pub fn cache() -> Res<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("drydock"))
}

/// Cargo's target directory, as cargo itself would choose it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The target directory of wasm builds: apart, since their compiler may be another one.
pub fn wasm_target() -> PathBuf {
    target().join("wasm")
}

pub fn read(path: &Path) -> Res<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn read_bytes(path: &Path) -> Res<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Res<()> {
    if let Some(dir) = path.parent() {
        make_dir(dir)?;
    }
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn make_dir(path: &Path) -> Res<()> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Removes a folder with all that it holds; nothing to remove is fine.
pub fn remove_dir(path: &Path) -> Res<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
        _ => Ok(()),
    }
}

/// All files below a folder, but not in folders of a skipped name; sorted by path.
pub fn below(dir: &Path, skipped: &[&str]) -> Res<Vec<PathBuf>> {
    let mut res = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", dir.display()))?.path();
            if path.is_dir() {
                let is_skipped = path.file_name().is_some_and(|it| skipped.iter().any(|name| it == *name));
                dirs.extend((!is_skipped).then_some(path));
            } else {
                res.push(path);
            }
        }
    }
    res.sort();
    Ok(res)
}

/// FNV-1a over the bytes: names a content, guards against no attacker.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

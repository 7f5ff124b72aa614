//! The standard library for `wasm32-unknown-unknown`.
//!
//! Three ways, first that works: the toolchain has it; Debian's compiler and the library that is built once from
//! Debian's source into a private folder, named by the compiler's commit; `rustup target add`.

use super::{apt_install, apt_update, apt_usable};
use crate::{
    files,
    process::{self, Res},
};
use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// The compiler and the library's source; the linker must be named since it is only recommended.
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "rust-web-src", "rust-web-llvm", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";

/// For the private library and for what is built with it: a panic traps and has no text, which makes programs smaller.
/// The page notices that the engine stopped and starts it again.
pub const PRIVATE_FLAGS: &str = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none";
/// Sorting and formatting that is small first.
const PRIVATE_FEATURES: &str = "-Zbuild-std-features=optimize_for_size";

pub fn ready() -> Res<bool> {
    Ok(in_toolchain() || private_rustc()?.is_some())
}

pub fn install() -> Res<()> {
    if Path::new(DEBIAN_SOURCE).is_dir() {
        return build_private();
    }
    if apt_usable() && apt_update().is_ok() && debian_has_packages() {
        apt_install(DEBIAN_PACKAGES)?;
        return build_private();
    }
    process::run(process::command("rustup").args(["target", "add", TARGET]))
        .map_err(|error| format!("{error}\nno way to a standard library for {TARGET}; run: rustup target add {TARGET}"))
}

/// The compiler to build wasm with, where it is not the one that cargo takes by itself.
pub fn rustc() -> Res<Option<PathBuf>> {
    if in_toolchain() { Ok(None) } else { private_rustc() }
}

fn in_toolchain() -> bool {
    let args = ["--print", "target-libdir", "--target", TARGET];
    process::output(process::command("rustc").args(args)).is_ok_and(|it| has_std(Path::new(it.trim())))
}

fn has_std(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|it| it.file_name().to_string_lossy().starts_with("libstd-"))
}

fn debian_has_packages() -> bool {
    process::output(process::command("apt-cache").args(["show", "--no-all-versions"]).args(DEBIAN_PACKAGES)).is_ok()
}

fn private_rustc() -> Res<Option<PathBuf>> {
    if !Path::new(DEBIAN_RUSTC).is_file() {
        return Ok(None);
    }
    let rustc = private_dir()?.join("bin/rustc");
    Ok(rustc.is_file().then_some(rustc))
}

/// Named by the compiler's commit and by the flags, so that a change of either gets a new library and not errors.
fn private_dir() -> Res<PathBuf> {
    let version = process::output(process::command(DEBIAN_RUSTC).arg("-vV"))?;
    let commit = version.lines().find_map(|it| it.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let flags = files::fingerprint(format!("{PRIVATE_FLAGS} {PRIVATE_FEATURES}").as_bytes());
    Ok(files::cache()?.join(format!("sysroot-{commit}-{flags:016x}")))
}

fn build_private() -> Res<()> {
    let sysroot = private_dir()?;
    let work = sysroot.with_extension("work");
    files::remove_dir(&sysroot)?;
    files::remove_dir(&work)?;
    let libs = build_std(&work)?;

    let rustlib = sysroot.join("lib/rustlib");
    let own = rustlib.join(TARGET).join("lib");
    files::make_dir(&own)?;
    for lib in files::below(&libs, &[])? {
        let name = lib.file_name().unwrap_or_default().to_owned();
        if lib.extension().is_some_and(|it| it == "rlib") && !name.to_string_lossy().starts_with("libempty-") {
            std::fs::copy(&lib, own.join(name)).map_err(|error| format!("{}: {error}", lib.display()))?;
        }
    }
    link_host_libraries(&rustlib)?;
    files::remove_dir(&work)?;
    write_wrapper(&sysroot)
}

/// Builds the standard library as a dependency of an empty crate; returns the folder of the libraries.
fn build_std(work: &Path) -> Res<PathBuf> {
    let manifest =
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n[profile.release]\nopt-level = \"s\"\n";
    files::write(&work.join("Cargo.toml"), manifest)?;
    files::write(&work.join("src/lib.rs"), "")?;
    process::run(
        process::command("cargo")
            .args(["build", "--release", "-Zbuild-std=std,panic_abort", PRIVATE_FEATURES, "--target", TARGET])
            .current_dir(work)
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            // Without bitcode the libraries cannot take part in link-time optimisation.
            .env("RUSTFLAGS", format!("-Cembed-bitcode=yes {PRIVATE_FLAGS}"))
            .env("CARGO_TARGET_DIR", work.join("target")),
    )?;
    Ok(work.join("target").join(TARGET).join("release/deps"))
}

/// Build scripts and macros run on this machine and need its own libraries.
fn link_host_libraries(rustlib: &Path) -> Res<()> {
    let entries = std::fs::read_dir("/usr/lib/rustlib").map_err(|error| format!("/usr/lib/rustlib: {error}"))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy() != TARGET {
            symlink(entry.path(), rustlib.join(&name)).map_err(|error| format!("{}: {error}", rustlib.display()))?;
        }
    }
    Ok(())
}

/// Written last: its presence says that the rest is whole.
fn write_wrapper(sysroot: &Path) -> Res<()> {
    let rustc = sysroot.join("bin/rustc");
    let script = format!("#!/bin/sh\nexec {DEBIAN_RUSTC} --sysroot '{}' \"$@\"\n", sysroot.display());
    let unfinished = sysroot.join("bin/rustc.new");
    files::write(&unfinished, script)?;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&unfinished, mode)
        .and_then(|()| std::fs::rename(&unfinished, &rustc))
        .map_err(|error| format!("{}: {error}", rustc.display()))
}

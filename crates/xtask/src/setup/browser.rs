//! A Chromium for the browser tests.

use super::apt_install;
use crate::process::{self, Res};
use std::path::PathBuf;

pub fn ready() -> Res<bool> {
    Ok(path().is_some())
}

pub fn install() -> Res<()> {
    // The fonts are for the screenshots: a fresh machine has none.
    apt_install(&["chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"])
        .map_err(|error| format!("{error}\nor set CHROMIUM to the path of a Chromium or Chrome"))
}

/// The browser: `CHROMIUM` if set, else the first that `PATH` has.
pub fn path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(process::find)
}

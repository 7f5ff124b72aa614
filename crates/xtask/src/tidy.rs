//! `cargo xtask tidy`: the rules of the architecture that a program can check.

mod layers;
mod licences;
mod modules;
mod sorted;
mod text;

use crate::{
    files,
    process::{self, Res},
};
use std::path::Path;

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &[".git", "dist", "node_modules", "target"];
const TEXT_EXTENSIONS: &[&str] = &["css", "html", "js", "json", "md", "mjs", "py", "rs", "svg", "toml", "txt", "yaml"];

/// A file as the checks see it.
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    pub text: String,
}

/// One broken rule, in words that name the place.
pub type Finding = String;

pub fn run(_args: &[String]) -> Res<()> {
    let sources = sources()?;
    let metadata = metadata()?;
    let mut findings = Vec::new();
    findings.extend(text::check(&sources));
    findings.extend(modules::check(&sources));
    findings.extend(sorted::check(&sources));
    findings.extend(layers::check(&metadata)?);
    findings.extend(licences::check(&metadata, &files::read(&files::root().join("deny.toml"))?)?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        n_findings => Err(format!("{n_findings} rules are broken")),
    }
}

fn sources() -> Res<Vec<Source>> {
    let root = files::root();
    let mut res = Vec::new();
    for path in files::below(&root, SKIPPED)? {
        let is_text = path.extension().is_some_and(|it| TEXT_EXTENSIONS.iter().any(|ext| it == *ext));
        if is_text {
            let name = path.strip_prefix(&root).unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/");
            res.push(Source { path: name, text: files::read(&path)? });
        }
    }
    Ok(res)
}

/// What cargo knows of the workspace and of everything that it depends on.
fn metadata() -> Res<serde_json::Value> {
    let text = process::output(process::command("cargo").args(["metadata", "--format-version", "1"]))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
}

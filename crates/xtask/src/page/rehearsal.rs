//! Runs the app and the engine under Node as with a first visitor, and splits both by what ran.

use std::path::Path;

use serde_json::json;

use super::{
    names,
    split::{self, Parts},
};
use crate::{
    files,
    process::{self, Res},
};

/// What the visitor applies.
const MANIFEST: &str = "web/examples/fluentd-elasticsearch.yaml";

/// What Trunk and wasm-bindgen call the programs of the page; their rests are named in `web/js`.
const PROGRAMS: &[&str] = &["app", "worker"];

/// Replaces each program of a site by its two parts.
pub fn split_programs(site: &Path) -> Res<()> {
    // By `type` Node takes the glue for modules.
    let stage = files::target().join("rehearsal");
    files::make_dir(&stage)?;
    let mut counters = json!({ "type": "module" });
    files::write(&stage.join("package.json"), counters.to_string())?;
    for name in PROGRAMS {
        let counted = split::counted(&files::read_bytes(&site.join(wasm(name)))?)?;
        files::write(&stage.join(wasm(name)), counted.wasm)?;
        files::write(&stage.join(glue(name)), files::read_bytes(&site.join(glue(name)))?)?;
        counters[*name] = json!({ "at": counted.at, "n": counted.n });
    }
    files::write(&stage.join("counters.json"), counters.to_string())?;
    let script = files::root().join("web/js/rehearsal/app.mjs");
    process::run(process::command("node").arg(script).arg(&stage).arg(files::root().join(MANIFEST)))?;
    PROGRAMS.iter().try_for_each(|it| split_program(it, site, &stage))
}

fn split_program(name: &str, site: &Path, stage: &Path) -> Res<()> {
    let whole = files::read_bytes(&site.join(wasm(name)))?;
    let hits = files::read_bytes(&stage.join(format!("{name}.hits")))?;
    let Parts { first, rest } = split::split(&whole, &hits)?;
    files::write(&site.join(wasm(name)), first)?;
    files::write(&site.join(format!("{name}_rest.wasm")), rest)?;
    names::shorten(&site.join(wasm(name)), &site.join(glue(name)))
}

fn wasm(name: &str) -> String {
    format!("{name}_bg.wasm")
}

fn glue(name: &str) -> String {
    format!("{name}.js")
}

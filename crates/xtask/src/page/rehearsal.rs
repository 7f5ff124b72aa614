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

/// A visit, and what is split off since it does not need it.
struct Visit {
    /// What the visitor applies, if he does.
    manifest: Option<&'static str>,
    /// A part of the programs, by number and name; `web/js` knows both.
    part: (u8, &'static str),
}

/// The longest first.
const VISITS: &[Visit] = &[
    Visit { manifest: Some("web/examples/fluentd-elasticsearch.yaml"), part: (2, "rest") },
    Visit { manifest: None, part: (1, "next") },
];

/// What Trunk and wasm-bindgen call the programs of the page.
const PROGRAMS: &[&str] = &["app", "worker"];

/// Replaces each program of a site by its parts.
pub fn split_programs(site: &Path) -> Res<()> {
    VISITS.iter().try_for_each(|it| split_by(it, site))?;
    PROGRAMS.iter().try_for_each(|it| names::shorten(&site.join(wasm(it)), &site.join(glue(it))))
}

fn split_by(visit: &Visit, site: &Path) -> Res<()> {
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
    let manifest = visit.manifest.map(|it| files::root().join(it));
    process::run(process::command("node").arg(script).arg(&stage).args(manifest))?;
    for name in PROGRAMS {
        let whole = files::read_bytes(&site.join(wasm(name)))?;
        let hits = files::read_bytes(&stage.join(format!("{name}.hits")))?;
        let (number, part) = visit.part;
        let Parts { first, rest } = split::split(&whole, &hits, number)?;
        files::write(&site.join(wasm(name)), first)?;
        // Should a shorter visit come by it after all, it is there.
        files::write(&stage.join(format!("{name}_{part}.wasm")), &rest)?;
        files::write(&site.join(format!("{name}_{part}.wasm")), rest)?;
    }
    Ok(())
}

fn wasm(name: &str) -> String {
    format!("{name}_bg.wasm")
}

fn glue(name: &str) -> String {
    format!("{name}.js")
}

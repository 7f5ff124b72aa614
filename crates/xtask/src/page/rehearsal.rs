//! Runs the app and the engine under Node as with a first visitor, and splits both by what ran.

use std::path::Path;

use serde_json::json;

use super::split::{self, Parts};
use crate::{
    files,
    process::{self, Res},
};

/// What the visitor applies.
const MANIFEST: &str = "web/examples/fluentd-elasticsearch.yaml";

/// A program of the page.
struct Program {
    /// What Trunk and wasm-bindgen call it; its rest is named in `web/js`.
    name: &'static str,
    /// Long texts in it that little of it uses.
    texts: &'static [&'static str],
}

const PROGRAMS: &[Program] = &[
    Program { name: "app", texts: &[] },
    Program {
        name: "worker",
        texts: &[
            "crates/apiserver/data/descriptions.txt",
            "crates/apiserver/data/openapi.txt",
            "crates/cron/data/zones.txt",
        ],
    },
];

/// Replaces each program of a site by its two parts.
pub fn split_programs(site: &Path) -> Res<()> {
    // By `type` Node takes the glue for modules.
    let stage = files::target().join("rehearsal");
    files::make_dir(&stage)?;
    let mut counters = json!({ "type": "module" });
    files::write(&stage.join("package.json"), counters.to_string())?;
    for Program { name, .. } in PROGRAMS {
        let counted = split::counted(&files::read_bytes(&site.join(wasm(name)))?)?;
        files::write(&stage.join(wasm(name)), counted.wasm)?;
        let glue = format!("{name}.js");
        files::write(&stage.join(&glue), files::read_bytes(&site.join(&glue))?)?;
        counters[name] = json!({ "at": counted.at, "n": counted.n });
    }
    files::write(&stage.join("counters.json"), counters.to_string())?;
    let script = files::root().join("web/js/rehearsal/app.mjs");
    process::run(process::command("node").arg(script).arg(&stage).arg(files::root().join(MANIFEST)))?;
    PROGRAMS.iter().try_for_each(|it| split_program(it, site, &stage))
}

fn split_program(Program { name, texts }: &Program, site: &Path, stage: &Path) -> Res<()> {
    let whole = files::read_bytes(&site.join(wasm(name)))?;
    let hits = files::read_bytes(&stage.join(format!("{name}.hits")))?;
    let texts = texts.iter().map(|it| files::read_bytes(&files::root().join(it))).collect::<Res<Vec<_>>>()?;
    let Parts { first, rest } = split::split(&whole, &hits, &texts)?;
    files::write(&site.join(wasm(name)), first)?;
    files::write(&site.join(format!("{name}_rest.wasm")), rest)
}

fn wasm(name: &str) -> String {
    format!("{name}_bg.wasm")
}

//! Runs the engine under Node as the page does with a first manifest, and splits it by what ran.

use std::path::Path;

use super::split::{self, Counted, Parts};
use crate::{
    files,
    process::{self, Res},
};

/// What Trunk and wasm-bindgen call the engine.
const ENGINE: &str = "worker_bg.wasm";
const GLUE: &str = "worker.js";
/// The part that is loaded later; `web/js/engine.js` names it, too.
const REST: &str = "worker_rest.wasm";

/// Long texts in the engine that little of it uses.
const TEXTS: &[&str] =
    &["crates/apiserver/data/descriptions.txt", "crates/apiserver/data/openapi.txt", "crates/cron/data/zones.txt"];

/// Replaces the engine of a site by its two parts.
pub fn split_engine(site: &Path) -> Res<()> {
    let wasm = files::read_bytes(&site.join(ENGINE))?;
    let hits = rehearse(site, &split::counted(&wasm)?)?;
    let texts = TEXTS.iter().map(|it| files::read_bytes(&files::root().join(it))).collect::<Res<Vec<_>>>()?;
    let Parts { first, rest } = split::split(&wasm, &hits, &texts)?;
    files::write(&site.join(ENGINE), first)?;
    files::write(&site.join(REST), rest)
}

/// What the counters hold at the end.
fn rehearse(site: &Path, counted: &Counted) -> Res<Vec<u8>> {
    let stage = files::target().join("rehearsal");
    files::make_dir(&stage)?;
    files::write(&stage.join(ENGINE), &counted.wasm)?;
    files::write(&stage.join(GLUE), files::read_bytes(&site.join(GLUE))?)?;
    // Node takes the glue for a module by this.
    files::write(&stage.join("package.json"), r#"{ "type": "module" }"#)?;
    let hits = stage.join("hits");
    process::run(
        process::command("node")
            .arg(files::root().join("web/js/rehearse.mjs"))
            .arg(&stage)
            .arg(files::root().join("web/examples"))
            .args([counted.at.to_string(), counted.n.to_string()])
            .arg(&hits),
    )?;
    files::read_bytes(&hits)
}

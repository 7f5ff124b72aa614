//! What applying the manifest would change: `kubectl diff` of each document, in dry runs that leave no trace.

use std::collections::BTreeMap;

use kubectl::Input;
use value::json;
use value::yaml::Document;
use web::{Difference, Tell, Verdict};

use crate::client::Engine;
use crate::manifest;

const FILE: &str = "manifest.yaml";
/// kubectl's way to say that there are differences.
const DIFFERS: i32 = 1;

/// What the app is to be told.
pub fn of(engine: &mut Engine, text: &str) -> Tell {
    let documents = match manifest::read(text) {
        Ok(documents) => documents,
        Err(problem) => return Tell::Differences { found: Vec::new(), problem: Some(problem) },
    };
    engine.is_looking = true;
    let found = documents.iter().map(|it| one(engine, it)).collect();
    engine.is_looking = false;
    Tell::Differences { found, problem: None }
}

fn one(engine: &mut Engine, document: &Document) -> Difference {
    let file = json::to_string(&document.value).into_bytes();
    let input = Input { files: BTreeMap::from([(FILE.to_owned(), file)]), ..Input::default() };
    let said = kubectl::run(&["diff", "-f", FILE], input, engine, &mut |_| false);
    // What comes before the first hunk names files that nobody has.
    let hunks = said.stdout.find("@@").and_then(|at| said.stdout.get(at..)).unwrap_or_default();
    let (verdict, text) = match said.code {
        0 => (Verdict::Same, ""),
        DIFFERS if hunks.starts_with("@@ -0,0 ") => (Verdict::New, hunks),
        DIFFERS => (Verdict::Differs, hunks),
        _ => (Verdict::Refused, said.stderr.trim()),
    };
    let target = manifest::target(engine, &document.value);
    Difference { target, line: document.position("kind").line, verdict, text: text.to_owned() }
}

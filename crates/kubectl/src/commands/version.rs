//! `version`.

use value::{Value, value, yaml};

use super::{Command, Help};
use crate::api::Url;
use crate::failure::{Result, fail};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "version",
    help: || Help { usage: "[flags]", about: "Print the client and server version information" },
    flags: &["client:b o/output:s"],
    run: version,
}];

/// The kubectl that this one is like.
const VERSION: &str = "v1.36.4";
/// The kustomize in it.
const KUSTOMIZE: &str = "v5.8.1";

fn version(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        return fail(format!("extra arguments: [{}]", cx.flags().args.join(" ")));
    }
    let output = cx.text("output");
    if !matches!(&*output, "" | "yaml" | "json") {
        return fail("--output must be 'yaml' or 'json'");
    }
    let server = match cx.is("client") {
        true => Value::Null,
        false => cx.get(&Url::new("/version"))?,
    };
    if output.is_empty() {
        cx.line(&format!("Client Version: {VERSION}\nKustomize Version: {KUSTOMIZE}"));
        if let Some(text) = server.str_at("gitVersion") {
            cx.line(&format!("Server Version: {text}"));
        }
        return Ok(Flow::Done);
    }
    let mut info = value!({
        "clientVersion": {"gitVersion": VERSION, "major": "1", "minor": "36"}, "kustomizeVersion": KUSTOMIZE,
    });
    if !server.is_null() {
        info.set("serverVersion", server);
    }
    match &*output {
        "yaml" => cx.line(&yaml::emit(&info)),
        _ => cx.out(&ordered(&info)),
    }
    Ok(Flow::Done)
}

/// In this order JSON has them.
const ORDER: &[&str] = &[
    "major",
    "minor",
    "emulationMajor",
    "emulationMinor",
    "minCompatibilityMajor",
    "minCompatibilityMinor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
];

fn ordered(info: &Value) -> String {
    let mut parts = Vec::new();
    for field in ["clientVersion", "kustomizeVersion", "serverVersion"] {
        match info.get(field) {
            None => {}
            Some(Value::Str(text)) => parts.push(format!("  \"{field}\": \"{text}\"")),
            Some(version) => {
                let entry = |key: &&'static str| version.str_at(key).map(|it| format!("    \"{key}\": \"{it}\""));
                let entries: Vec<String> = ORDER.iter().filter_map(entry).collect();
                parts.push(format!("  \"{field}\": {{\n{}\n  }}", entries.join(",\n")));
            }
        }
    }
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

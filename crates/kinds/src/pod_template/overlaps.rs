//! Files of a volume that hide each other.

use meta::quoted;
use value::Map;

use super::fields::{child, has, maps, opt_text, text};

/// A file, and what it is of where a volume has several sources.
struct File<'a> {
    path: &'a str,
    source: String,
}

impl File<'_> {
    fn shown(&self) -> String {
        match self.source.as_str() {
            "" => quoted(self.path),
            source => format!("{} ({source})", quoted(self.path)),
        }
    }

    /// Whether one is the other or is inside of it.
    fn overlaps(&self, other: &File<'_>) -> bool {
        let inside =
            |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|it| it.is_empty() || it.starts_with('/'));
        !self.path.is_empty()
            && !other.path.is_empty()
            && (inside(self.path, other.path) || inside(other.path, self.path))
    }
}

/// Adds the warnings of all volumes (`warningsForOverlappingVirtualPaths`).
pub(super) fn collect(spec: &Map, out: &mut Vec<String>) {
    for (_, volume) in maps(spec, "volumes") {
        let name = quoted(text(volume, "name"));
        for (key, name_key, kind) in
            [("configMap", "name", "ConfigMap"), ("secret", "secretName", "Secret"), ("downwardAPI", "", "DownwardAPI")]
        {
            let Some(source) = child(volume, key) else { continue };
            let mut files = Vec::new();
            let description = described(kind, opt_text(source, name_key));
            add_items(source, "", &mut files, &mut |body| {
                out.push(format!("volume {name} ({description}): overlapping paths: {body}"))
            });
        }
        if let Some(projected) = child(volume, "projected") {
            let mut files = Vec::new();
            for (_, source) in maps(projected, "sources") {
                if source.values().all(value::Value::is_null) {
                    out.push(format!("volume {name} (Projected) has no sources provided"));
                    continue;
                }
                add_source(source, &mut files, &mut |body| {
                    out.push(format!("volume {name} (Projected): overlapping paths: {body}"))
                });
            }
        }
    }
}

fn described(kind: &str, name: Option<&str>) -> String {
    name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {}", quoted(name)))
}

/// Only the first of several kinds counts.
fn add_source<'a>(source: &'a Map, files: &mut Vec<File<'a>>, warn: &mut dyn FnMut(String)) {
    for (key, kind) in [("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")] {
        let Some(it) = child(source, key).filter(|it| has(it, "items")) else { continue };
        let name = if key == "downwardAPI" { None } else { Some(text(it, "name")) };
        return add_items(it, &described(kind, name), files, warn);
    }
    if let Some(token) = child(source, "serviceAccountToken") {
        add(text(token, "path"), "ServiceAccountToken", files, warn);
    }
}

fn add_items<'a>(source: &'a Map, description: &str, files: &mut Vec<File<'a>>, warn: &mut dyn FnMut(String)) {
    for (_, item) in maps(source, "items") {
        add(text(item, "path"), description, files, warn);
    }
}

fn add<'a>(path: &'a str, description: &str, files: &mut Vec<File<'a>>, warn: &mut dyn FnMut(String)) {
    let file = File { path: path.trim_end_matches('/'), source: description.to_owned() };
    for other in files.iter().filter(|it| it.overlaps(&file)) {
        warn(format!("{} with {}", file.shown(), other.shown()));
    }
    files.push(file);
}

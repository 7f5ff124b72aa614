//! Manifests in, kubeconfig out.

use std::fs;
use std::path::{Path, PathBuf};

use value::{Value, yaml};

/// Every document of the files, in order.
///
/// # Errors
/// One line that names the file.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).map_err(|it| format!("cannot read {}: {it}", path.display()))?;
        let parsed = yaml::parse_documents(&text).map_err(|it| format!("{}: {it}", path.display()))?;
        documents.extend(parsed.into_iter().map(|it| it.value).filter(|it| !it.is_null()));
    }
    Ok(documents)
}

/// A client's configuration for the server on this port.
///
/// # Errors
/// One line that names the file.
pub(crate) fn write_kubeconfig(path: &Path, port: u16) -> Result<(), String> {
    let config = value::value!({
        "apiVersion": "v1", "kind": "Config", "current-context": "drydock",
        "clusters": [{ "cluster": { "server": format!("http://127.0.0.1:{port}") }, "name": "drydock" }],
        "contexts": [{ "context": { "cluster": "drydock", "user": "drydock" }, "name": "drydock" }],
        "users": [{ "name": "drydock", "user": {} }],
    });
    fs::write(path, yaml::emit(&config)).map_err(|it| format!("cannot write {}: {it}", path.display()))
}

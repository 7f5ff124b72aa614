//! Runs without a server: files are applied, virtual time passes, the outcome is printed.

use std::path::Path;

use cluster::Cluster;
use http::Method;
use value::{Value, json, yaml};

use crate::apply::{apply, bytes, request};
use crate::files;
use crate::options::Run;

/// Turns at once while time passes.
const TURNS_AT_ONCE: u32 = 100_000;

/// Applies the files to a fresh cluster, lets the time pass and prints what is asked for.
///
/// # Errors
/// One line: a file that cannot be read, a manifest or request that is refused.
pub(crate) fn run(options: &Run) -> Result<(), String> {
    let manifests = files::read(&options.files)?;
    let mut cluster = Cluster::new(&options.config);
    while !cluster.settle(TURNS_AT_ONCE).done {}
    for manifest in &manifests {
        apply(&mut |request| bytes(cluster.handle(request)), manifest)?;
        while !cluster.settle(TURNS_AT_ONCE).done {}
    }
    let until = cluster.now() + options.time;
    while !cluster.advance(until, TURNS_AT_ONCE).done {}
    for resource in options.get.split(',') {
        print!("{}", get(&mut cluster, resource, &options.output)?);
    }
    Ok(())
}

/// Repeats a recorded run and prints its fingerprint.
///
/// # Errors
/// One line: a file that cannot be read or is no recording.
pub(crate) fn replay(file: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file).map_err(|it| format!("cannot read {}: {it}", file.display()))?;
    let cluster = Cluster::replay(&bytes).map_err(|it| format!("{}: {it}", file.display()))?;
    println!("{:016x}", cluster.fingerprint());
    Ok(())
}

/// The server's list as text.
fn get(cluster: &mut Cluster, resource: &str, output: &str) -> Result<String, String> {
    let root = if resource == "daemonsets" { "/apis/apps/v1" } else { "/api/v1" };
    let answer = bytes(cluster.handle(request(Method::GET, &format!("{root}/{resource}"), "", Vec::new())));
    let list: Value = json::parse(answer.body()).map_err(|it| it.to_string())?;
    Ok(if output == "json" { json::to_string_pretty(&list, "    ") } else { yaml::emit(&list) })
}

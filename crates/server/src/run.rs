//! Runs without a server: files are applied, virtual time passes, the outcome is printed.

use std::io::Write;
use std::path::Path;

use cluster::Cluster;
use http::{Request, Response};
use kubectl::{Body, Client, Input, Output};

use crate::apply::{apply, bytes};
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
    let Output { stdout, stderr, code } = get(&mut cluster, &options.get, &options.output);
    std::io::stdout().write_all(stdout.as_bytes()).map_err(|it| format!("cannot print: {it}"))?;
    if code != 0 {
        return Err(stderr.trim_end().to_owned());
    }
    eprint!("{stderr}");
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

/// What `kubectl get RESOURCES --all-namespaces` prints.
fn get(cluster: &mut Cluster, resources: &str, output: &str) -> Output {
    let mut words = vec!["get", resources, "--all-namespaces"];
    if !output.is_empty() {
        words.extend(["--output", output]);
    }
    kubectl::run(&words, Input::default(), &mut InMemory(cluster), &mut |_| false)
}

/// A cluster of this process, for commands that watch nothing.
struct InMemory<'a>(&'a mut Cluster);

impl Client for InMemory<'_> {
    fn send(&mut self, request: Request<Vec<u8>>) -> Response<Body> {
        bytes(self.0.handle(request)).map(Body::Whole)
    }

    fn read(&mut self, _stream: u64) -> Option<Vec<u8>> {
        None
    }

    fn close(&mut self, _stream: u64) {}

    fn now_secs(&self) -> i64 {
        self.0.now().secs()
    }
}

#[cfg(test)]
mod tests;

//! Commands that are run in containers from outside (`kubectl exec`).

use std::collections::BTreeMap;

use kinds::{MACHINE, NODE, POD};
use meta::{Key, Object, Status};
use runtime::{Ran, View};
use value::{Str, Value};

use crate::kubelets::{is_live, node_of};
use crate::shell::{self, Programs};
use crate::{environment, logs};

/// Why no command was run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The API server's answer.
    Status(Status),
    /// The kubelet's own, which is a text.
    Text(String),
}

/// Whether the API server gets through to the kubelet of a pod.
///
/// # Errors
/// What it says when it does not.
pub fn dial(view: &View<'_>, pod: &Object) -> Result<(), String> {
    let node = node_of(pod);
    let Some(machine) = view.get(MACHINE, &Key::cluster(node)).filter(|it| !is_live(it)) else { return Ok(()) };
    let addresses = view.get(NODE, &Key::cluster(node)).map_or(&[][..], |it| it.list_at("status.addresses"));
    let internal = addresses.iter().find(|it| it.str_at("type") == Some("InternalIP"));
    let address = internal.and_then(|it| it.str_at("address")).unwrap_or(node);
    let why = if machine.str_at("spec.power") == Some("Off") { "connect: no route to host" } else { "i/o timeout" };
    Err(format!("dial tcp {address}:10250: {why}"))
}

/// Runs a command in a running container. `files` are those that every container has beside its volumes'.
///
/// # Errors
/// Why the command could not be begun.
pub fn exec(
    view: &View<'_>,
    key: &Key,
    container: &str,
    command: &[&str],
    stdin: &str,
    files: BTreeMap<String, String>,
    programs: Programs<'_>,
) -> Result<Ran, Refused> {
    let pod = view.get(POD, key).ok_or_else(|| Refused::Status(Status::not_found("", "pods", &key.name)))?;
    if let Err(why) = dial(view, pod) {
        return Err(Refused::Status(Status::new(500, "", format!("error dialing backend: {why}"))));
    }
    let Some((pod, container, _)) = logs::running(view, key, container) else {
        return Err(Refused::Text(format!("container not found (\"{container}\")")));
    };
    let mut around = environment::with_files(view, pod, container);
    let mut variables: Vec<(Str, Str)> = environment::of_every_process(view, pod);
    variables.push(("HOSTNAME".into(), around.hostname.clone()));
    if let Some(folder) = container.get("workingDir").and_then(Value::as_shared_str) {
        variables.push(("PWD".into(), folder.clone()));
    }
    variables.append(&mut around.variables);
    around.variables = variables;
    let mut all = std::mem::take(&mut around.files);
    all.extend(files);
    Ok(shell::exec(command, &around, all, stdin, view.now, programs))
}

/// Whether what a container runs is a shell that waits for commands.
pub fn runs_shell(container: &Value) -> bool {
    let words = container.list_at("command").iter().chain(container.list_at("args")).filter_map(Value::as_str);
    let words: Vec<&str> = words.collect();
    let image = container.str_at("image").unwrap_or("").rsplit('/').next().unwrap_or("");
    match words.as_slice() {
        [] => matches!(image.split([':', '@']).next(), Some("alpine" | "bash" | "busybox" | "debian" | "ubuntu")),
        [shell] | [shell, "-i" | "-l"] => shell::is_shell(shell),
        _ => false,
    }
}

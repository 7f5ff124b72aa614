//! `exec`: a command in a simulated container.

use http::Method;

use super::Command;
use crate::api::Url;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail, usage};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "exec",
    usage: "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    about: "Execute a command in a container",
    flags: &["c/container:s i/stdin:b t/tty:b q/quiet:b pod-running-timeout:d f/filename:c"],
    run: exec,
}];

fn exec(cx: &mut Cx<'_>) -> Result<Flow> {
    let flags = cx.flags();
    let n_before = flags.n_before_dash.unwrap_or(flags.args.len());
    let (target, command) = flags.args.split_at(n_before);
    let (target, command) = match (target, command) {
        ([], _) => return usage("exec", "pod, type/name or --filename must be specified"),
        ([_, _, ..], []) => {
            return fail(
                "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples",
            );
        }
        (_, []) => return usage("exec", "you must specify at least one command for the container"),
        ([target, ..], command) => (target.clone(), command.to_vec()),
    };
    let words = if target.contains('/') { vec![target] } else { vec!["pods".to_owned(), target] };
    let rules = Rules { args: Some(words), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    let Some(pod) = infos.first() else { return fail("expected a resource") };
    let phase = pod.object.str_at("status.phase").unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return fail(format!("cannot exec into a container in a completed pod; current phase is {phase}"));
    }
    let mut url = Url::of(&pod.resource, &pod.namespace, &pod.name, "exec");
    for word in &command {
        url = url.with("command", word);
    }
    let url = url.with("container", cx.flags().text("container")).with("stdout", "true").with("stderr", "true");
    let bytes = cx.raw(Method::POST, &url, "*/*", "", cx.shell.input.stdin.clone())?;
    cx.out(&String::from_utf8_lossy(&bytes));
    Ok(Flow::Done)
}

//! `exec`, `attach` and `port-forward`: into a simulated container.

use value::{Value, json};

mod session;

use self::session::Session;
use super::logs::{containers, ranked_pods};
use super::{Command, FILES, Help};
use crate::api::Url;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail, usage};
use crate::manifest::Info;
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "attach",
        help: || Help { usage: "(POD | TYPE/NAME) -c CONTAINER", about: "Attach to a running container" },
        flags: &["c/container:s i/stdin:b t/tty:b q/quiet:b pod-running-timeout:d"],
        run: attach,
    },
    Command {
        name: "exec",
        help: || Help {
            usage: "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
            about: "Execute a command in a container",
        },
        flags: &["c/container:s i/stdin:b t/tty:b q/quiet:b pod-running-timeout:d", FILES],
        run: exec,
    },
    Command {
        name: "port-forward",
        help: || Help {
            usage: "TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
            about: "Forward one or more local ports to a pod",
        },
        flags: &["address:c pod-running-timeout:d"],
        run: port_forward,
    },
];

/// The pod that words such as `web` or `ds/web` mean.
fn pod(cx: &mut Cx<'_>, words: &[String]) -> Result<Info> {
    let words = match words {
        [target] if !target.contains('/') => vec!["pods".to_owned(), target.clone()],
        words => words.to_vec(),
    };
    let rules = Rules { args: Some(words), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    let [info] = infos.as_slice() else { return fail("cannot exec into multiple objects at a time") };
    if info.resource.is("", "Pod") {
        return Ok(info.clone());
    }
    match ranked_pods(cx, info)?.into_iter().next() {
        Some(pod) => Ok(pod),
        None => fail("timed out waiting for the condition"),
    }
}

/// Runs a command in a pod's container, or attaches to it; shows what came of it.
pub(super) fn connect(
    cx: &mut Cx<'_>,
    pod: &Info,
    container: &str,
    subresource: &str,
    command: &[String],
) -> Result<Flow> {
    let mut url = Url::of(&pod.resource, &pod.namespace, &pod.name, subresource);
    for word in command {
        url = url.with("command", word);
    }
    let is_read = cx.is("stdin");
    let stdin = if is_read { "true" } else { "" };
    let url = url.with("container", container).with("stdin", stdin).with("stdout", "true").with("stderr", "true");
    if is_read && cx.shell.input.is_typed {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        if let Some(reads) = session::reads(&words) {
            return Ok(Flow::Wait(Box::new(Session::new(cx, url, reads))));
        }
    }
    let input = if is_read && !cx.shell.input.is_typed { cx.shell.input.stdin.clone() } else { Vec::new() };
    match run_once(cx, &url, input)? {
        Some(status) => ended(&status),
        None => Ok(Flow::Done),
    }
}

/// Runs a command and shows what it says; answers the `Status` of one that failed.
fn run_once(cx: &mut Cx<'_>, url: &Url, input: Vec<u8>) -> Result<Option<Value>> {
    let (code, bytes) = cx.connect(url, input)?;
    if !(200..300).contains(&code) {
        // The API server answers with a Status, a kubelet with a text.
        let status = json::parse(&bytes).ok().filter(|it| it.str_at("kind") == Some("Status"));
        let text = String::from_utf8_lossy(&bytes);
        let why = status.as_ref().and_then(|it| it.str_at("message")).unwrap_or(text.trim());
        return fail(format!("unable to upgrade connection: {why}"));
    }
    let mut ending = None;
    for (channel, bytes) in channels(&bytes) {
        let text = String::from_utf8_lossy(bytes);
        match channel {
            1 => cx.out(&text),
            2 => cx.shell.print_error(&text),
            3 => ending = json::parse(bytes).ok(),
            _ => {}
        }
    }
    Ok(ending.filter(|it| it.str_at("status") == Some("Failure")))
}

/// Whether the container of a pod that `run` made runs a shell that waits for commands.
pub(super) fn runs_shell(pod: &Value) -> bool {
    let Some(container) = pod.list_at("spec.containers").first() else { return false };
    let words: Vec<&str> =
        container.list_at("command").iter().chain(container.list_at("args")).filter_map(Value::as_str).collect();
    let image = container.str_at("image").unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let is_shell = matches!(image.split([':', '@']).next(), Some("alpine" | "bash" | "busybox" | "debian" | "ubuntu"));
    match words.as_slice() {
        [] => is_shell,
        words => session::reads(words) == Some(session::Reads::Lines),
    }
}

/// The pieces of what `exec` is answered: for each a byte for its channel, four for its length (the largest first), and itself.
pub fn channels(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut res = Vec::new();
    while let [channel, a, b, c, d, rest @ ..] = bytes {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        let Some((piece, after)) = rest.split_at_checked(length) else { break };
        res.push((*channel, piece));
        bytes = after;
    }
    res
}

/// A command that failed: its exit code is ours.
fn ended(status: &Value) -> Result<Flow> {
    let causes = status.list_at("details.causes");
    let code = causes.iter().find(|it| it.str_at("reason") == Some("ExitCode")).and_then(|it| it.str_at("message"));
    match code.and_then(|it| it.parse::<i32>().ok()) {
        Some(code) => {
            let text = Failure::Exact(format!("command terminated with exit code {code}"));
            Err(Failure::Coded(Box::new(text), code))
        }
        None => fail(status.str_at("message").unwrap_or_default()),
    }
}

fn refuse_ended(pod: &Info, action: &str) -> Result<()> {
    match pod.object.str_at("status.phase").unwrap_or_default() {
        phase @ ("Succeeded" | "Failed") => {
            fail(format!("cannot {action} a container in a completed pod; current phase is {phase}"))
        }
        _ => Ok(()),
    }
}

fn exec(cx: &mut Cx<'_>) -> Result<Flow> {
    let flags = cx.flags();
    let n_before = flags.n_before_dash.unwrap_or(flags.args.len());
    let (target, command) = flags.args.split_at(n_before);
    let (target, command) = match (target, command) {
        ([], _) if !flags.changed("filename") => {
            return fail("pod, type/name or --filename must be specified");
        }
        ([_, _, ..], []) => {
            return fail(
                "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples",
            );
        }
        (_, []) => return fail("you must specify at least one command for the container"),
        (target, command) => (target.iter().take(1).cloned().collect::<Vec<_>>(), command.to_vec()),
    };
    let pod = pod(cx, &target)?;
    refuse_ended(&pod, "exec into")?;
    let wanted = cx.text("container");
    let container = containers(cx, &pod, &wanted)?.remove(0);
    connect(cx, &pod, &container, "exec", &command)
}

fn attach(cx: &mut Cx<'_>) -> Result<Flow> {
    let words = cx.flags().args.clone();
    match words.len() {
        0 => return fail("at least 1 argument is required for attach"),
        1 | 2 => {}
        n => {
            let all = words.join(" ");
            return fail(format!("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {n}: [{all}]"));
        }
    }
    let pod = pod(cx, &words)?;
    refuse_ended(&pod, "attach")?;
    let wanted = cx.text("container");
    let container =
        containers(cx, &pod, &wanted).map_err(|it| it.prefixed("cannot attach to the container: "))?.remove(0);
    if !cx.is("quiet") {
        cx.note("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
        cx.note("If you don't see a command prompt, try pressing enter.");
    }
    connect(cx, &pod, &container, "attach", &[])
}

fn port_forward(cx: &mut Cx<'_>) -> Result<Flow> {
    let words = cx.flags().args.clone();
    if words.len() < 2 {
        return usage("port-forward", "TYPE/NAME and list of ports are required for port-forward");
    }
    let pod = pod(cx, &words[..1])?;
    let phase = pod.object.str_at("status.phase").unwrap_or_default();
    if phase != "Running" {
        return fail(format!("unable to forward port because pod is not running. Current status={phase}"));
    }
    fail(
        "port-forward is not simulated: no bytes flow here. Ask with `kubectl exec POD -- wget -qO- URL` or a NetworkRequest",
    )
}

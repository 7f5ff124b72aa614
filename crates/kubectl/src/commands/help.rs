//! `help`, and what commands say of themselves.

use super::{Command, GROUPS, all, find};
use crate::args;
use crate::failure::{Result, fail};
use crate::shell::{Cx, Flow};
use meta::quoted;

pub(super) const COMMANDS: &[Command] =
    &[Command { name: "help", usage: "[command] [flags]", about: "Help about any command", flags: &[], run: help }];

const MORE: &str = "Use \"kubectl <command> --help\" for more information about a given command.";

fn help(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if words.is_empty() {
        return overview(cx);
    }
    match find(&words) {
        Some(command) => of(cx, command),
        None => fail(format!("Unknown help topic {}", quoted(&words.join(" ")))),
    }
}

fn listed(commands: &[&Command], parent: &str) -> String {
    let name = |it: &Command| it.name[parent.len()..].trim_start().to_owned();
    let width = commands.iter().map(|it| name(it).len()).max().unwrap_or(0).max(12);
    commands.iter().map(|it| format!("  {:width$}  {}\n", name(it), it.about)).collect()
}

/// Every command in its group.
pub(super) fn overview(cx: &mut Cx<'_>) -> Result<Flow> {
    cx.line("kubectl controls the Kubernetes cluster manager.\n");
    for (title, files) in GROUPS {
        let commands: Vec<&Command> =
            files.iter().flat_map(|it| it.iter()).filter(|it| !it.name.contains(' ')).collect();
        cx.line(&format!("{title}:\n{}", listed(&commands, "")));
    }
    cx.line(&format!("Usage:\n  kubectl [flags] [options]\n\n{MORE}"));
    Ok(Flow::Done)
}

/// The commands below a command.
pub(super) fn children(cx: &mut Cx<'_>, parent: &str) -> Result<Flow> {
    match find(&parent.split(' ').collect::<Vec<_>>()) {
        Some(command) => of(cx, command),
        None => Ok(Flow::Done),
    }
}

/// What a command does and takes.
pub(super) fn of(cx: &mut Cx<'_>, command: &Command) -> Result<Flow> {
    cx.line(&format!("{}.\n", command.about));
    let prefix = format!("{} ", command.name);
    let below: Vec<&Command> = all().filter(|it| it.name.starts_with(&prefix)).collect();
    if !below.is_empty() {
        cx.line(&format!("Available Commands:\n{}", listed(&below, command.name)));
    }
    let flags = args::shown(command.flags);
    if !flags.is_empty() {
        cx.line(&format!("Options:\n{}\n", flags.join("\n")));
    }
    let usage = format!("{} {}", command.name, command.usage);
    cx.line(&format!("Usage:\n  kubectl {} [options]", usage.trim_end()));
    if !below.is_empty() {
        cx.line(&format!(
            "\nUse \"kubectl {} <command> --help\" for more information about a given command.",
            command.name
        ));
    }
    Ok(Flow::Done)
}

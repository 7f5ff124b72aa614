//! `help`, and what commands say of themselves.

use super::{Command, GROUPS, Help, all, find};
use crate::args;
use crate::failure::{Failure, Result, usage};
use crate::order;
use crate::shell::{Cx, Flow};
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        help: || Help { usage: "[command]", about: "Help about any command" },
        flags: &[],
        run: help,
    },
    Command {
        name: "options",
        help: || Help { usage: "", about: "Print the list of flags inherited by all commands" },
        flags: &[],
        run: |cx| {
            let flags = args::shown_global().join("\n");
            cx.line(&format!("The following options can be passed to any command:\n\n{flags}"));
            Ok(Flow::Done)
        },
    },
];

const OPTIONS: &str = "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";

fn help(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if words.is_empty() {
        return overview(cx);
    }
    match find(&words) {
        Some(command) => of(cx, command),
        None => {
            cx.note(&format!("Unknown help topic [`{}`]\n", words.join(" ")));
            overview(cx)
        }
    }
}

/// Commands and what they do, in two columns; `width` is that of the longest name among their kin.
fn listed(commands: &[&Command], parent: &str, width: usize) -> String {
    let name = |it: &Command| it.name[parent.len()..].trim_start().to_owned();
    commands.iter().map(|it| format!("  {:width$}   {}\n", name(it), (it.help)().about)).collect()
}

/// Every command in its group.
pub(super) fn overview(cx: &mut Cx<'_>) -> Result<Flow> {
    cx.line("kubectl controls the Kubernetes cluster manager.\n");
    let is_shown = |it: &&Command| !it.name.contains(' ') && !matches!(it.name, "help" | "options");
    let width = all().filter(is_shown).map(|it| it.name.len()).max().unwrap_or(0);
    for (title, files) in GROUPS {
        let commands: Vec<&Command> = files.iter().flat_map(|it| it.iter()).filter(is_shown).collect();
        cx.line(&format!("{title}:\n{}", listed(&commands, "", width)));
    }
    let more = "Use \"kubectl <command> --help\" for more information about a given command.";
    cx.out(&format!("Usage:\n  kubectl [flags] [options]\n\n{more}\n{OPTIONS}"));
    Ok(Flow::Done)
}

/// What a command does that only has commands below it.
pub(super) fn children(cx: &mut Cx<'_>, parent: &'static str) -> Result<Flow> {
    let words = cx.flags().args.join(" ");
    if !words.is_empty() {
        return usage(parent, &format!("unknown command {}", quoted(&words)));
    }
    if let Some(command) = find(&parent.split(' ').collect::<Vec<_>>()) {
        let text = text_of(command);
        match parent {
            "rollout" | "certificate" => cx.out(&text),
            _ => cx.shell.print_error(&text),
        }
    }
    if parent == "certificate" { Ok(Flow::Done) } else { Err(Failure::Exit(1)) }
}

/// What a command does and takes.
pub(super) fn of(cx: &mut Cx<'_>, command: &Command) -> Result<Flow> {
    cx.out(&text_of(command));
    Ok(Flow::Done)
}

fn text_of(command: &Command) -> String {
    let help = (command.help)();
    let mut out = format!("{}.\n\n", help.about);
    let prefix = format!("{} ", command.name);
    let mut below: Vec<&Command> =
        all().filter(|it| it.name.strip_prefix(&prefix).is_some_and(|it| !it.contains(' '))).collect();
    order::by(&mut below, &mut |a, b| a.name.cmp(b.name));
    if !below.is_empty() {
        let width = below.iter().map(|it| it.name.len() - prefix.len()).max().unwrap_or(0).max(11);
        out.push_str(&format!("Available Commands:\n{}\n", listed(&below, command.name, width)));
    }
    let flags = args::shown(command.flags);
    if !flags.is_empty() {
        out.push_str(&format!("Options:\n{}\n\n", flags.join("\n")));
    }
    let usage = format!("{} {}", command.name, help.usage);
    out.push_str(&format!("Usage:\n  kubectl {} [options]\n\n", usage.trim_end()));
    if !below.is_empty() {
        let name = command.name;
        out.push_str(&format!("Use \"kubectl {name} <command> --help\" for more information about a given command.\n"));
    }
    out + OPTIONS
}

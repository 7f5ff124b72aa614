//! The list of commands, and how a command line finds its own.

mod annotate;
mod api_resources;
mod apply;
mod auth;
mod autoscale;
mod certificate;
mod cluster_info;
mod config;
mod create;
mod delete;
mod describe;
mod diff;
mod drain;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
mod get;
mod help;
mod label;
mod last_applied;
mod logs;
mod patch;
mod replace;
mod rollout;
mod run;
mod scale;
mod set;
mod taint;
mod top;
mod version;
mod wait;

use meta::quoted;

use crate::failure::{Failure, Result};
use crate::shell::{Cx, Flow};
use crate::{args, go};

pub(crate) use self::apply::LAST_APPLIED;
pub(crate) use self::events::interval as event_interval;
pub use self::exec::channels;

/// A command: its name, what it takes and what it does.
pub(crate) struct Command {
    /// With the parent's before it: `rollout status`.
    pub(crate) name: &'static str,
    /// A function: who asks for no help needs none of it.
    pub(crate) help: fn() -> Help,
    /// See [`args`].
    pub(crate) flags: &'static [&'static str],
    pub(crate) run: fn(&mut Cx<'_>) -> Result<Flow>,
}

/// What a command says of itself.
pub(crate) struct Help {
    /// What follows the name in a usage line.
    pub(crate) usage: &'static str,
    /// One sentence.
    pub(crate) about: &'static str,
}

/// `-f`, `-k`, `-R`.
pub(crate) const FILES: &str = "f/filename:c k/kustomize:s R/recursive:b";
/// `-l`.
pub(crate) const SELECTOR: &str = "l/selector:s";
/// `--dry-run`.
pub(crate) const DRY_RUN: &str = "dry-run:s=unchanged";

/// Groups of commands as help shows them.
pub(crate) const GROUPS: &[(&str, &[&[Command]])] = &[
    ("Basic Commands (Beginner)", &[create::COMMANDS, expose::COMMANDS, run::COMMANDS, set::COMMANDS]),
    ("Basic Commands (Intermediate)", &[explain::COMMANDS, get::COMMANDS, edit::COMMANDS, delete::COMMANDS]),
    ("Deploy Commands", &[rollout::COMMANDS, scale::COMMANDS, autoscale::COMMANDS]),
    (
        "Cluster Management Commands",
        &[certificate::COMMANDS, cluster_info::COMMANDS, top::COMMANDS, drain::COMMANDS, taint::COMMANDS],
    ),
    (
        "Troubleshooting and Debugging Commands",
        &[describe::COMMANDS, logs::COMMANDS, exec::COMMANDS, auth::COMMANDS, events::COMMANDS],
    ),
    (
        "Advanced Commands",
        &[diff::COMMANDS, apply::COMMANDS, last_applied::COMMANDS, patch::COMMANDS, replace::COMMANDS, wait::COMMANDS],
    ),
    ("Settings Commands", &[label::COMMANDS, annotate::COMMANDS]),
    ("Other Commands", &[api_resources::COMMANDS, config::COMMANDS, version::COMMANDS, help::COMMANDS]),
];

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, files)| files.iter()).flat_map(|it| it.iter())
}

/// The command whose name is these words.
pub(crate) fn find(words: &[&str]) -> Option<&'static Command> {
    let alias = match words {
        ["top", "nodes" | "no"] => Some("top node"),
        ["top", "pods" | "po"] => Some("top pod"),
        ["create", rest] => Some(match *rest {
            "cm" => "create configmap",
            "ns" => "create namespace",
            "sa" => "create serviceaccount",
            "deploy" => "create deployment",
            "cj" => "create cronjob",
            "svc" => "create service",
            "ing" => "create ingress",
            "pc" => "create priorityclass",
            "pdb" => "create poddisruptionbudget",
            "resourcequota" => "create quota",
            _ => "",
        }),
        _ => None,
    };
    let name = words.join(" ");
    all().find(|it| it.name == name || alias == Some(it.name))
}

/// The words of a command line that are no flags, and where they stand.
fn words(line: &[String]) -> Vec<(usize, &str)> {
    let mut res = Vec::new();
    let mut idx = 0;
    while let Some(word) = line.get(idx) {
        match word.as_str() {
            "--" => break,
            flag if flag.starts_with('-') && flag.len() > 1 => idx += usize::from(args::takes_next(flag)),
            word => res.push((idx, word)),
        }
        idx += 1;
    }
    res
}

/// Finds the command of the line and begins it.
pub(crate) fn start(cx: &mut Cx<'_>) -> Result<Flow> {
    let line = std::mem::take(&mut cx.shell.line);
    let words = words(&line);
    let names: Vec<&str> = words.iter().take(3).map(|(_, word)| *word).collect();
    let depth = (1..=names.len()).rev().find(|&n| find(&names[..n]).is_some());
    let Some(depth) = depth else {
        return match names.first() {
            None => match args::parse(&[], &line) {
                Ok(_) => help::overview(cx),
                Err(failure) => Err(Failure::Text(format!("{}\nSee 'kubectl --help' for usage.", failure.message()))),
            },
            Some(name) => Err(unknown(name)),
        };
    };
    let Some(command) = find(&names[..depth]) else { return Ok(Flow::Done) };
    let named: Vec<usize> = words.iter().take(depth).map(|(idx, _)| *idx).collect();
    let rest: Vec<String> =
        line.iter().enumerate().filter(|(idx, _)| !named.contains(idx)).map(|(_, word)| word.clone()).collect();
    match args::parse(command.flags, &rest) {
        Ok(flags) => cx.shell.flags = flags,
        Err(failure) => {
            let text = failure.message();
            return Err(Failure::Text(format!("{text}\nSee 'kubectl {} --help' for usage.", command.name)));
        }
    }
    if cx.is("help") {
        return help::of(cx, command);
    }
    config::check(cx)?;
    (command.run)(cx)
}

fn unknown(name: &str) -> Failure {
    let mut text = format!("unknown command {} for \"kubectl\"", quoted(name));
    let near: Vec<&str> = all().map(|it| it.name).filter(|it| !it.contains(' ') && go::is_near(name, it)).collect();
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?");
        near.iter().for_each(|it| text.push_str(&format!("\n\t{it}")));
    }
    Failure::Text(text)
}

/// How far a change goes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    /// What `--dry-run` says.
    pub(crate) fn of(cx: &Cx<'_>) -> Result<DryRun> {
        Ok(match cx.flags().text("dry-run") {
            "" | "none" | "false" => DryRun::None,
            "client" => DryRun::Client,
            "server" => DryRun::Server,
            "unchanged" | "true" => DryRun::Client,
            other => {
                return Err(Failure::Text(format!(
                    "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
                )));
            }
        })
    }

    /// The `dryRun` parameter.
    pub(crate) fn parameter(self) -> &'static str {
        if self == DryRun::Server { "All" } else { "" }
    }

    /// What was done, and that it was not.
    pub(crate) fn said(self, operation: &str) -> String {
        match self {
            DryRun::None => operation.to_owned(),
            DryRun::Client => format!("{operation} (dry run)"),
            DryRun::Server => format!("{operation} (server dry run)"),
        }
    }
}

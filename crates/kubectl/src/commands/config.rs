//! `config`: what there is of a kubeconfig where the cluster is in the same page.

use value::{value, yaml};

use super::Command;
use crate::failure::Result;
use crate::shell::{Cx, Flow};
use crate::tabs;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "config",
        usage: "SUBCOMMAND",
        about: "Modify kubeconfig files",
        flags: &[],
        run: |cx| super::help::children(cx, "config"),
    },
    Command {
        name: "config current-context",
        usage: "",
        about: "Display the current-context",
        flags: &[],
        run: |cx| {
            cx.line(CONTEXT);
            Ok(Flow::Done)
        },
    },
    Command {
        name: "config get-contexts",
        usage: "[(-o|--output=)name)]",
        about: "Describe one or many contexts",
        flags: &["o/output:s no-headers:b"],
        run: contexts,
    },
    Command {
        name: "config view",
        usage: "[flags]",
        about: "Display merged kubeconfig settings or a specified kubeconfig file",
        flags: &["minify:b raw:b flatten:b o/output:s"],
        run: view,
    },
];

const CONTEXT: &str = "drydock";

fn contexts(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.flags().text("output") == "name" {
        cx.line(CONTEXT);
        return Ok(Flow::Done);
    }
    let headers = if cx.is("no-headers") { "" } else { "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n" };
    cx.out(&tabs::align(&format!("{headers}*\t{CONTEXT}\t{CONTEXT}\t{CONTEXT}\t\n"), &tabs::TABLE));
    Ok(Flow::Done)
}

fn view(cx: &mut Cx<'_>) -> Result<Flow> {
    let config = value!({
        "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": CONTEXT,
        "clusters": [{"cluster": {"server": cx.flags().text_or("server", "http://localhost")}, "name": CONTEXT}],
        "contexts": [{"context": {"cluster": CONTEXT, "user": CONTEXT}, "name": CONTEXT}],
        "users": [{"name": CONTEXT, "user": {}}],
    });
    match cx.flags().text("output") {
        "json" => cx.line(&value::json::to_string_pretty(&config, "    ")),
        _ => cx.out(&yaml::emit(&config)),
    }
    Ok(Flow::Done)
}

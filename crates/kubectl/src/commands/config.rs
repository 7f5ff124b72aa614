//! `config`: a kubeconfig of one context, which lives as long as the console.

use meta::quoted;
use value::{Value, value, yaml};

use super::{Command, Help};
use crate::failure::{Failure, Result, fail, usage};
use crate::shell::{Cx, Flow};
use crate::tabs;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "config",
        help: || Help { usage: "SUBCOMMAND", about: "Modify kubeconfig files" },
        flags: &[],
        run: |cx| super::help::children(cx, "config"),
    },
    Command {
        name: "config current-context",
        help: || Help { usage: "", about: "Display the current-context" },
        flags: &[],
        run: |cx| {
            cx.line(NAME);
            Ok(Flow::Done)
        },
    },
    Command {
        name: "config get-clusters",
        help: || Help { usage: "", about: "Display clusters defined in the kubeconfig" },
        flags: &[],
        run: names,
    },
    Command {
        name: "config get-contexts",
        help: || Help { usage: "[(-o|--output=)name)]", about: "Describe one or many contexts" },
        flags: &["o/output:s no-headers:b"],
        run: contexts,
    },
    Command {
        name: "config get-users",
        help: || Help { usage: "", about: "Display users defined in the kubeconfig" },
        flags: &[],
        run: names,
    },
    Command {
        name: "config set-context",
        help: || Help {
            usage: "[NAME | --current] [--namespace=namespace]",
            about: "Set a context entry in kubeconfig",
        },
        flags: &["current:b"],
        run: set_context,
    },
    Command {
        name: "config use-context",
        help: || Help { usage: "CONTEXT_NAME", about: "Set the current-context in a kubeconfig file" },
        flags: &[],
        run: use_context,
    },
    Command {
        name: "config view",
        help: || Help { usage: "[flags]", about: "Display merged kubeconfig settings or a specified kubeconfig file" },
        flags: &["minify:b raw:b flatten:b o/output:s"],
        run: view,
    },
];

/// Of the context, its cluster and its user.
const NAME: &str = "drydock";

/// Where the server is, as far as one can say.
pub(super) fn server(cx: &Cx<'_>) -> String {
    cx.flags().text_or("server", &cx.shell.input.context.server).to_owned()
}

/// Refuses what the kubeconfig does not have.
pub(super) fn check(cx: &Cx<'_>) -> Result<()> {
    let other = |flag: &str| Some(cx.text(flag)).filter(|it| !it.is_empty() && it != NAME);
    if let Some(name) = other("context") {
        let text = format!("Error in configuration: context was not found for specified context: {name}");
        return Err(Failure::Exact(text));
    }
    if let Some(name) = other("cluster") {
        return fail(format!("no server found for cluster {}", quoted(&name)));
    }
    match other("user") {
        Some(name) => fail(format!("auth info {} does not exist", quoted(&name))),
        None => Ok(()),
    }
}

fn names(cx: &mut Cx<'_>) -> Result<Flow> {
    cx.line("NAME");
    cx.line(NAME);
    Ok(Flow::Done)
}

fn contexts(cx: &mut Cx<'_>) -> Result<Flow> {
    let wanted = cx.flags().args.clone();
    let is_shown = wanted.is_empty() || wanted.iter().any(|it| it == NAME);
    if cx.flags().text("output") == "name" {
        if is_shown {
            cx.line(NAME);
        }
    } else {
        let headers = if cx.is("no-headers") { "" } else { "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n" };
        let namespace = &cx.shell.input.context.namespace;
        let row = if is_shown { format!("*\t{NAME}\t{NAME}\t{NAME}\t{namespace}\n") } else { String::new() };
        let text = tabs::align(&format!("{headers}{row}"), &tabs::TABLE);
        cx.out(&text);
    }
    let unknown = wanted.iter().filter(|it| *it != NAME);
    Failure::all(unknown.map(|it| Failure::Text(format!("context {it} not found"))).collect())?;
    Ok(Flow::Done)
}

fn use_context(cx: &mut Cx<'_>) -> Result<Flow> {
    match cx.flags().args.as_slice() {
        [name] if name == NAME => {
            cx.line(&format!("Switched to context {}.", quoted(NAME)));
            Ok(Flow::Done)
        }
        [name] => fail(format!("no context exists with the name: {}", quoted(name))),
        args => usage("config use-context", &format!("accepts 1 arg(s), received {}", args.len())),
    }
}

fn set_context(cx: &mut Cx<'_>) -> Result<Flow> {
    let flags = cx.flags();
    match flags.args.as_slice() {
        [] if flags.is("current") => {}
        [name] if !flags.is("current") && name == NAME => {}
        [_] if flags.is("current") => return fail("cannot specify both a context name and --current"),
        [name] => {
            return fail(format!("there is one cluster here, and no context {} can be made of it", quoted(name)));
        }
        _ => return usage("config set-context", "you must specify a non-empty context name or --current"),
    }
    if flags.changed("namespace") {
        let namespace = flags.text("namespace").to_owned();
        cx.shell.input.context.namespace = namespace;
    }
    cx.line(&format!("Context {} modified.", quoted(NAME)));
    Ok(Flow::Done)
}

fn view(cx: &mut Cx<'_>) -> Result<Flow> {
    let mut context = value!({"cluster": NAME, "user": NAME});
    let namespace = cx.shell.input.context.namespace.as_str();
    if !namespace.is_empty() {
        context.set("namespace", namespace);
    }
    let config = value!({
        "apiVersion": "v1", "kind": "Config", "current-context": NAME,
        "clusters": [{"cluster": {"server": server(cx)}, "name": NAME}],
        "contexts": [{"context": context, "name": NAME}],
        "users": [{"name": NAME, "user": Value::map()}],
    });
    match cx.flags().text("output") {
        "json" => cx.line(&value::json::to_string_pretty(&config, "    ")),
        _ => cx.out(&yaml::emit(&config)),
    }
    Ok(Flow::Done)
}

//! What may come next on a command line.

use crate::commands::{all, find};
use crate::order;
use crate::shell::{Cx, Shell};
use crate::{Client, Input, api, args};

/// The words that the last of `words` may become; the words of a command line without `kubectl`.
pub fn complete(words: &[&str], client: &mut dyn Client) -> Vec<String> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let mut shell = Shell::new(Vec::new(), Input::default());
    let mut cx = Cx { client, shell: &mut shell };
    let named: Vec<&str> = before.iter().copied().filter(|it| !it.starts_with('-')).collect();
    let depth = (1..=named.len().min(3)).rev().find(|&n| find(&named[..n]).is_some());
    let command = depth.and_then(|n| find(&named[..n]));
    let mut found: Vec<String> = match (command, depth) {
        (Some(command), _) if last.starts_with('-') => {
            args::names(command.flags).into_iter().map(|it| format!("--{it}")).collect()
        }
        (Some(command), Some(depth)) => {
            let prefix = format!("{} ", command.name);
            let mut found: Vec<String> = below(&prefix);
            if let Some(namespace) = before.iter().position(|it| *it == "-n").and_then(|idx| before.get(idx + 1)) {
                cx.shell.flags.set("namespace", namespace);
            }
            match before.last() {
                Some(&"-n" | &"--namespace") => found = names(&mut cx, "namespaces", ""),
                _ => found.extend(objects(&mut cx, command.name, &named[depth..], last)),
            }
            found
        }
        _ => below(""),
    };
    found.retain(|it| it.starts_with(last));
    order::texts(&mut found);
    found.dedup();
    found
}

/// The commands below one.
fn below(prefix: &str) -> Vec<String> {
    all()
        .filter_map(|it| it.name.strip_prefix(prefix))
        .map(|it| it.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

/// Types, then names of objects of a type.
fn objects(cx: &mut Cx<'_>, command: &str, args: &[&str], last: &str) -> Vec<String> {
    if matches!(command, "cordon" | "uncordon" | "drain") {
        return names(cx, "nodes", "");
    }
    if matches!(command, "logs" | "exec") && !last.contains('/') {
        return names(cx, "pods", "");
    }
    if let Some((kind, _)) = last.split_once('/') {
        return names(cx, kind, &format!("{kind}/"));
    }
    match args {
        [] => {
            let Ok(mapper) = cx.mapper() else { return Vec::new() };
            mapper.resources.iter().filter(|it| it.preferred).map(|it| it.plural.clone()).collect()
        }
        [kind, ..] => names(cx, kind, ""),
    }
}

fn names(cx: &mut Cx<'_>, kind: &str, prefix: &str) -> Vec<String> {
    let Ok(resource) = cx.resource(kind) else { return Vec::new() };
    let namespace = cx.namespace();
    let Ok(list) = cx.list(&api::Url::of(&resource, &namespace, "", ""), api::JSON) else { return Vec::new() };
    list.list_at("items").iter().filter_map(|it| it.str_at("metadata.name")).map(|it| format!("{prefix}{it}")).collect()
}

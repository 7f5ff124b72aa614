//! `describe`.

use super::{Command, FILES, Help, SELECTOR};
use crate::build::Rules;
use crate::describe;
use crate::failure::{Failure, Result, fail};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "describe",
    help: || Help {
        usage: "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
        about: "Show details of a specific resource or group of resources",
    },
    flags: &[FILES, SELECTOR, "A/all-namespaces:b show-events:b chunk-size:i"],
    run: describe,
}];

fn describe(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    if args.is_empty() && !cx.flags().changed("filename") {
        return fail(format!("You must specify the type of resource to describe. {}\n", super::get::SUGGESTION));
    }
    let rules = Rules { all_of_type: true, latest: true, ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    let many = !failures.is_empty() || infos.len() > 1;
    let with_events = cx.flags().is_or("show-events", !many);
    if let [failure] = failures.as_slice()
        && failure.is_not_found()
        && args.len() == 2
    {
        return by_prefix(cx, &args, failure.clone(), with_events);
    }
    for (idx, info) in infos.iter().enumerate() {
        let text = describe::describe(cx, info, with_events)?;
        cx.out(if idx == 0 { "" } else { "\n\n" });
        cx.out(&text);
    }
    if infos.is_empty() && failures.is_empty() {
        match cx.is("all-namespaces") {
            true => cx.note("No resources found"),
            false => cx.note(&format!("No resources found in {} namespace.", cx.namespace())),
        }
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

/// Describes what begins with a name that is none.
fn by_prefix(cx: &mut Cx<'_>, args: &[String], original: Failure, with_events: bool) -> Result<Flow> {
    let rules = Rules { all_of_type: true, one_type: true, args: Some(vec![args[0].clone()]), ..Rules::default() };
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    Failure::all(failures)?;
    let mut found = false;
    for info in infos.iter().filter(|it| it.name.starts_with(&args[1])) {
        found = true;
        let text = describe::describe(cx, info, with_events)?;
        cx.line(&text);
    }
    if found { Ok(Flow::Done) } else { Err(original) }
}

//! `scale`.

use value::value;

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::{MERGE_PATCH, Url};
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "scale",
    help: || Help {
        usage: "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
        about: "Set a new size for a deployment, replica set, or replication controller",
    },
    flags: &[
        print::FLAGS,
        FILES,
        SELECTOR,
        DRY_RUN,
        "all:b replicas:i current-replicas:i resource-version:s timeout:d",
    ],
    run: scale,
}];

fn scale(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().changed("replicas") {
        return fail("required flag(s) \"replicas\" not set");
    }
    let replicas = cx.flags().int("replicas", -1);
    if replicas < 0 {
        return fail("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    }
    let current = cx.flags().int("current-replicas", -1);
    if current < -1 {
        return fail("The --current-replicas must specify an integer of -1 or greater");
    }
    let dry_run = DryRun::of(cx)?;
    let all = cx.is("all");
    let rules = Rules { all_of_type: all, all, latest: true, ..Rules::default() };
    let mut printer = Printer::from_flags(cx)?;
    let targets = cx.targets(&rules)?;
    let (infos, failures) = cx.collect(targets, &rules);
    if cx.flags().changed("resource-version") && infos.len() > 1 {
        return fail("cannot use --resource-version with multiple resources");
    }
    if infos.is_empty() {
        Failure::all(failures)?;
        return fail("no objects passed to scale");
    }
    for info in infos {
        if dry_run != DryRun::Client {
            one(cx, &info, replicas, current, dry_run)?;
        }
        let object = info.object.with("spec.replicas", replicas);
        printer.print(cx, &object, &dry_run.said("scaled"))?;
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

fn one(cx: &mut Cx<'_>, info: &Info, replicas: i64, current: i64, dry_run: DryRun) -> Result<()> {
    let url = Url::of(&info.resource, &info.namespace, &info.name, "scale");
    let version = cx.text("resource-version");
    if current == -1 && version.is_empty() {
        let patch = value!({"spec": {"replicas": replicas}});
        return cx.patch(&url.with("dryRun", dry_run.parameter()), MERGE_PATCH, &patch).map(drop);
    }
    let scale = cx.get(&url)?;
    let actual = scale.i64_at("spec.replicas").unwrap_or(0);
    if current != -1 && actual != current {
        return fail(format!("Expected replicas to be {current}, was {actual}"));
    }
    let actual_version = scale.str_at("metadata.resourceVersion").unwrap_or_default();
    if !version.is_empty() && actual_version != version {
        return fail(format!("Expected resource version to be {version}, was {actual_version}"));
    }
    let scale = scale.with("spec.replicas", replicas);
    cx.put(&url.with("dryRun", dry_run.parameter()), &scale).map(drop)
}

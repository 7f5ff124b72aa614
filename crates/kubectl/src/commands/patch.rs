//! `patch`.

use meta::quoted;
use value::{json, yaml};

use super::{Command, DRY_RUN, DryRun, FILES, Help};
use crate::api::{self, Url};
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::strategic::{self, Schema};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "patch",
    help: || Help {
        usage: "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
        about: "Update fields of a resource",
    },
    flags: &[print::FLAGS, FILES, DRY_RUN, "p/patch:s patch-file:s type:s subresource:s local:b field-manager:s"],
    run: patch,
}];

fn patch(cx: &mut Cx<'_>) -> Result<Flow> {
    let (given, file) = (cx.text("patch"), cx.text("patch-file"));
    match (given.is_empty(), file.is_empty()) {
        (false, false) => return fail("cannot specify --patch and --patch-file together"),
        (true, true) => return fail("must specify --patch or --patch-file containing the contents of the patch"),
        _ => {}
    }
    let dry_run = DryRun::of(cx)?;
    if cx.is("local") && dry_run == DryRun::Server {
        return fail("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    let kind = cx.flags().text_or("type", "strategic").to_owned();
    let content_type = match &*kind.to_lowercase() {
        "json" => api::JSON_PATCH,
        "merge" => api::MERGE_PATCH,
        "strategic" => api::STRATEGIC_PATCH,
        _ => return fail(format!("--type must be one of [json merge strategic], not {}", quoted(&kind))),
    };
    let text = match file.is_empty() {
        true => given.clone(),
        false => match cx.file(&file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(failure) => return fail(format!("unable to read patch file: {}", failure.message())),
        },
    };
    // A text that begins with a brace goes as it is: the server says what is wrong with it.
    let body = match text.trim_start().starts_with('{') {
        true => text,
        false => match yaml::parse_document(&text, 0) {
            Ok(it) => json::to_string(&it.value),
            Err(error) => return fail(format!("unable to parse {}: {error}", quoted(&given))),
        },
    };
    let mut printer = Printer::from_flags(cx)?;
    let subresource = cx.text("subresource");
    let manager = cx.flags().text_or("field-manager", "kubectl-patch").to_owned();
    let mut n_patched = 0;
    let local = cx.is("local");
    let rules = Rules { latest: !local, ..Rules::default() };
    cx.visit(&rules, &mut |cx, info| {
        n_patched += 1;
        let object = if local || dry_run == DryRun::Client {
            let patch = json::parse(body.as_bytes()).map_err(|it| Failure::Text(it.to_string()))?;
            let document = if kind.eq_ignore_ascii_case("strategic") { cx.openapi(&info.resource).ok() } else { None };
            match (document, info.object.as_map(), patch.as_map()) {
                (Some(document), Some(live), Some(patch)) => {
                    let schema = Schema { document: &document, node: document.of_kind(&info.resource) };
                    strategic::patched(live, patch, schema).into()
                }
                _ => strategic::merged(&info.object, &patch),
            }
        } else {
            let url = Url::of(&info.resource, &info.namespace, &info.name, &subresource)
                .with("dryRun", dry_run.parameter())
                .with("fieldManager", &manager);
            let bytes = cx.raw(http::Method::PATCH, &url, api::JSON, content_type, body.clone().into_bytes());
            let bytes = bytes.map_err(|it| match it.reason() {
                "UnsupportedMediaType" => {
                    let resource = &info.resource;
                    let of = format!("{}/{}, Kind={}", resource.group, resource.version, resource.kind);
                    Failure::Text(format!("{content_type} is not supported by {of}: {}", it.message()))
                }
                _ => it,
            })?;
            json::parse(&bytes).map_err(|it| Failure::Text(it.to_string()))?
        };
        let operation = if object == info.object { "patched (no change)" } else { "patched" };
        // kubectl does not say here that it was a dry run.
        printer.print(cx, &object, operation)
    })?;
    if n_patched == 0 {
        return fail("no objects passed to patch");
    }
    Ok(Flow::Done)
}

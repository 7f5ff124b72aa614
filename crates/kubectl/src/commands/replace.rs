//! `replace`.
use super::create::annotated;
use super::{Command, DRY_RUN, DryRun, FILES, Help, delete};
use crate::api::Url;
use crate::failure::{Failure, Result, fail};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "replace",
    help: || Help { usage: "-f FILENAME", about: "Replace a resource by file name or stdin" },
    flags: &[
        print::FLAGS,
        FILES,
        DRY_RUN,
        "cascade:s=background force:b grace-period:i timeout:d wait:b raw:s save-config:b subresource:s field-manager:s \
         validate:s=strict",
    ],
    run: replace,
}];

fn replace(cx: &mut Cx<'_>) -> Result<Flow> {
    if cx.flags().changed("raw") {
        let path = cx.flags().list("filename").first().cloned().unwrap_or_default();
        let body = cx.file(&path)?;
        let url = Url::new(cx.flags().text("raw"));
        let bytes = cx.raw(http::Method::PUT, &url, "application/json, */*", crate::api::JSON, body)?;
        cx.out(&String::from_utf8_lossy(&bytes));
        return Ok(Flow::Done);
    }
    cx.require_files()?;
    let force = cx.is("force");
    if cx.flags().int("grace-period", -1) >= 0 && !force {
        return fail("--grace-period must have --force specified");
    }
    if cx.flags().seconds("timeout", 0) != 0 && !force {
        return fail("--timeout must have --force specified");
    }
    let dry_run = DryRun::of(cx)?;
    if dry_run != DryRun::None && force {
        return fail("--dry-run can not be used when --force is set");
    }
    if force {
        return by_force(cx);
    }
    let mut printer = Printer::from_flags(cx)?;
    let mut failures = Vec::new();
    for info in cx.manifests()? {
        let done = info.and_then(|info| one(cx, info, dry_run, &mut printer));
        failures.extend(done.err());
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

fn write_url(cx: &Cx<'_>, url: Url, dry_run: DryRun) -> Result<Url> {
    Ok(url
        .with("dryRun", dry_run.parameter())
        .with("fieldManager", cx.flags().text_or("field-manager", "kubectl-replace"))
        .with("fieldValidation", cx.validation()?))
}

fn one(cx: &mut Cx<'_>, mut info: Info, dry_run: DryRun, printer: &mut Printer) -> Result<()> {
    info.object = annotated(cx, &info.object);
    if dry_run != DryRun::Client {
        // What has no version takes the live object's, as if nobody else wrote.
        if info.object.str_at("metadata.resourceVersion").unwrap_or_default().is_empty()
            && !info.name.is_empty()
            && let Ok(live) = cx.live(&info)
        {
            let version = live.str_at("metadata.resourceVersion").unwrap_or_default();
            info.object.set("metadata.resourceVersion", version);
        }
        let subresource = cx.text("subresource");
        let url = Url::of(&info.resource, &info.namespace, &info.name, &subresource);
        let url = write_url(cx, url, dry_run)?;
        info.object = cx.put(&url, &info.object).map_err(|it| it.while_doing("replacing", &info.source))?;
    }
    printer.print(cx, &info.object, &dry_run.said("replaced"))
}

fn by_force(cx: &mut Cx<'_>) -> Result<Flow> {
    let options = delete::Options::plain(cx);
    let infos = cx.manifests()?.into_iter().collect::<Result<Vec<_>>>()?;
    if infos.is_empty() {
        return fail("no objects passed to replace");
    }
    let mut gone = Vec::new();
    for info in &infos {
        match delete::delete_one(cx, info, &options) {
            Ok(_) => gone.push(info.clone()),
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
    }
    let timeout = match cx.flags().seconds("timeout", 0) {
        0 => 300,
        it => it,
    };
    let deadline = cx.now() + timeout;
    Ok(Flow::Wait(Box::new(Again { gone: delete::Gone::new(gone, deadline), infos })))
}

/// Makes objects anew when the old ones are gone.
struct Again {
    gone: delete::Gone,
    infos: Vec<Info>,
}

impl Wait for Again {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        if let Flow::Waiting = self.gone.poll(cx)? {
            return Ok(Flow::Waiting);
        }
        let mut printer = Printer::from_flags(cx)?;
        for info in &self.infos {
            let url = write_url(cx, info.collection(), DryRun::None)?;
            let object = cx.post(&url, &annotated(cx, &info.object))?;
            printer.print(cx, &object, "replaced")?;
        }
        Ok(Flow::Done)
    }
}

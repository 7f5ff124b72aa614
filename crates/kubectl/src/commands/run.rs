//! `run`: one pod.

use value::{Value, value};

use super::create::{command_line, compact};
use super::{Command, DRY_RUN, DryRun};
use crate::api::Url;
use crate::failure::{Failure, Result, fail, usage};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use crate::strategic;
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "run",
    usage: "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
    about: "Run a particular image on the cluster",
    flags: &[
        print::FLAGS,
        DRY_RUN,
        "image:s image-pull-policy:s restart:s env:a port:s l/labels:s annotations:a command:b expose:b overrides:s \
         override-type:s attach:b i/stdin:b t/tty:b rm:b q/quiet:b privileged:b leave-stdin-open:b grace-period:i \
         timeout:d wait:b force:b cascade:s=background field-manager:s save-config:b pod-running-timeout:d",
    ],
    run: run,
}];

fn run(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().changed("image") {
        return fail("required flag(s) \"image\" not set");
    }
    let args = cx.flags().args.clone();
    let n_before = cx.flags().n_before_dash.unwrap_or(args.len());
    let Some(name) = args.first().filter(|_| n_before > 0).cloned() else {
        return usage("run", "NAME is required for run");
    };
    let image = cx.text("image");
    if image.is_empty() {
        return fail("--image is required");
    }
    if !is_image(&image) {
        return fail(format!("Invalid image name {}: invalid reference format", quoted(&image)));
    }
    let restart = cx.flags().text_or("restart", "Always").to_owned();
    if !matches!(&*restart, "Always" | "OnFailure" | "Never") {
        return usage("run", &format!("invalid restart policy: {restart}"));
    }
    let port = cx.text("port");
    if cx.is("expose") && port.is_empty() {
        return usage("run", "--port must be set when exposing a service");
    }
    let mut words = command_line(cx);
    if cx.flags().n_before_dash.is_none() {
        words = args[1..].iter().map(|it| Value::from(it.as_str())).collect();
    }
    let env = env(cx)?;
    let field = if cx.is("command") { "command" } else { "args" };
    let mut container = compact(value!({
        (field): words, "env": env, "image": image, "imagePullPolicy": cx.text("image-pull-policy"), "name": name.as_str(),
    }));
    if let Ok(number) = port.parse::<i64>() {
        container.set("ports", vec![value!({"containerPort": number})]);
    }
    container.set("resources", Value::map());
    if cx.is("privileged") {
        container.set("securityContext.privileged", true);
    }
    let labels = match cx.text("labels") {
        it if it.is_empty() => value!({"run": name.as_str()}).as_map().cloned().unwrap_or_default(),
        it => super::create::generate::labels(&it),
    };
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": &labels, "name": name.as_str()},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {},
    });
    let annotations: value::Map = cx
        .flags()
        .all("annotations")
        .iter()
        .filter_map(|it| it.split_once('='))
        .map(|(key, it)| (key.into(), it.into()))
        .collect();
    if !annotations.is_empty() {
        pod.set("metadata.annotations", annotations);
    }
    let overrides = cx.text("overrides");
    if !overrides.is_empty() {
        let patch = value::yaml::parse_document(&overrides, 0).map_err(|it| Failure::Text(it.to_string()))?;
        pod = strategic::merged(&pod, &patch.value);
    }
    create(cx, pod)?;
    if cx.is("expose") {
        let number = port.parse::<i64>().unwrap_or(0);
        create(
            cx,
            value!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                "spec": {"ports": [{"port": number, "protocol": "TCP", "targetPort": number}], "selector": labels},
                "status": {"loadBalancer": {}},
            }),
        )?;
    }
    Ok(Flow::Done)
}

fn is_image(text: &str) -> bool {
    let name = text.split(['@']).next().unwrap_or_default();
    !name.is_empty()
        && !name.starts_with(['-', '/', ':', '.'])
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._/:".contains(&it))
        && name.rsplit('/').next().is_some_and(|it| {
            let base = it.split(':').next().unwrap_or_default();
            !base.is_empty() && !base.bytes().any(|it| it.is_ascii_uppercase())
        })
}

fn env(cx: &Cx<'_>) -> Result<Vec<Value>> {
    let pairs =
        cx.flags().all("env").into_iter().map(|it| match it.split_once('=').filter(|(key, _)| !key.is_empty()) {
            Some((key, text)) if text.is_empty() => Ok(value!({"name": key})),
            Some((key, text)) => Ok(value!({"name": key, "value": text})),
            None => Err(Failure::Text(format!("invalid env: {it}"))),
        });
    pairs.collect()
}

fn create(cx: &mut Cx<'_>, object: Value) -> Result<()> {
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let mut object = if cx.is("save-config") { super::apply::with_last_applied(&object) } else { object };
    let kind = object.str_at("kind").unwrap_or_default().to_owned();
    let Some(resource) = cx.mapper()?.of_kind("v1", &kind) else {
        return fail(format!("no matches for kind {} in version \"v1\"", quoted(&kind)));
    };
    if dry_run != DryRun::Client {
        let manager = cx.flags().text_or("field-manager", "kubectl-run").to_owned();
        let url = Url::of(&resource, &cx.namespace(), "", "").with("dryRun", dry_run.parameter());
        object = cx.post(&url.with("fieldManager", &manager), &object)?;
    }
    printer.print(cx, &object, &dry_run.said("created"))
}

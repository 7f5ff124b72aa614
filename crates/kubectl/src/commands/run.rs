//! `run`: one pod.

use value::{Value, value};

use super::create::{command_line, compact};
use super::{Command, DRY_RUN, DryRun, Help};
use crate::api::Url;
use crate::failure::{Failure, Result, fail, usage};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::strategic;
use crate::watch::{Next, Single};
use http::Method;
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "run",
    help: || Help {
        usage: "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
        about: "Run a particular image on the cluster",
    },
    flags: &[
        print::FLAGS,
        DRY_RUN,
        "image:s image-pull-policy:s restart:s env:a port:s l/labels:s annotations:a command:b expose:b overrides:s \
         override-type:s attach:b i/stdin:b t/tty:b rm:b q/quiet:b privileged:b leave-stdin-open:b grace-period:i \
         timeout:d wait:b force:b cascade:s=background field-manager:s save-config:b pod-running-timeout:d",
    ],
    run,
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
    let attached = cx.is("attach") || cx.is("stdin");
    if cx.is("tty") && !cx.is("stdin") {
        return usage("run", "-i/--stdin is required for containers with -t/--tty=true");
    }
    let port = cx.text("port");
    if cx.is("expose") && port.is_empty() {
        return usage("run", "--port must be set when exposing a service");
    }
    let restart = cx.flags().text_or("restart", if cx.is("stdin") { "OnFailure" } else { "Always" }).to_owned();
    if !matches!(&*restart, "Always" | "OnFailure" | "Never") {
        return usage("run", &format!("invalid restart policy: {restart}"));
    }
    if cx.is("rm") && !attached {
        return usage("run", "--rm should only be used for attached containers");
    }
    if attached && DryRun::of(cx)? != DryRun::None {
        return usage(
            "run",
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        );
    }
    let pull = cx.text("image-pull-policy");
    if !matches!(&*pull, "" | "Always" | "IfNotPresent" | "Never") {
        return usage("run", &format!("invalid image pull policy: {pull}"));
    }
    let mut words = command_line(cx);
    if cx.flags().n_before_dash.is_none() {
        words = args[1..].iter().map(|it| Value::from(it.as_str())).collect();
    }
    let env = env(cx)?;
    let field = if cx.is("command") { "command" } else { "args" };
    let mut container = compact(value!({
        (field): words, "env": env, "image": image, "imagePullPolicy": pull, "name": name.as_str(),
    }));
    if let Ok(number) = port.parse::<i64>() {
        container.set("ports", vec![value!({"containerPort": number})]);
    }
    container.set("resources", Value::map());
    if cx.is("stdin") {
        container.set("stdin", true);
        if !cx.is("leave-stdin-open") {
            container.set("stdinOnce", true);
        }
    }
    if cx.is("tty") {
        container.set("tty", true);
    }
    if cx.is("privileged") {
        container.set("securityContext.privileged", true);
    }
    let labels = match cx.text("labels") {
        it if it.is_empty() => value!({"run": name.as_str()}).as_map().cloned().unwrap_or_default(),
        it => super::create::generate::labels(&it),
    };
    let mut pod = value!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": labels.clone(), "name": name.as_str()},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart.as_str()},
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
    let pod = create(cx, pod)?;
    if cx.is("expose") {
        let number = port.parse::<i64>().unwrap_or(0);
        let service = create(
            cx,
            value!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name.as_str()},
                "spec": {"ports": [{"port": number, "protocol": "TCP", "targetPort": number}], "selector": labels},
                "status": {"loadBalancer": {}},
            }),
        )?;
        print(cx, &service)?;
    }
    if attached {
        return attach(cx, &name, &restart);
    }
    print(cx, &pod)?;
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
            Some((key, "")) => Ok(value!({"name": key})),
            Some((key, text)) => Ok(value!({"name": key, "value": text})),
            None => Err(Failure::Text(format!("invalid env: {it}"))),
        });
    pairs.collect()
}

fn create(cx: &mut Cx<'_>, object: Value) -> Result<Value> {
    let dry_run = DryRun::of(cx)?;
    let object = if cx.is("save-config") { super::apply::with_last_applied(&object) } else { object };
    let kind = object.str_at("kind").unwrap_or_default().to_owned();
    let Some(resource) = cx.mapper()?.of_kind("v1", &kind) else {
        return fail(format!("no matches for kind {} in version \"v1\"", quoted(&kind)));
    };
    if dry_run == DryRun::Client {
        return Ok(match cx.flags().changed("namespace") {
            true => object.with("metadata.namespace", cx.namespace()),
            false => object,
        });
    }
    let manager = cx.flags().text_or("field-manager", "kubectl-run").to_owned();
    let url = Url::of(&resource, &cx.namespace(), "", "").with("dryRun", dry_run.parameter());
    cx.post(&url.with("fieldManager", &manager), &object)
}

fn print(cx: &mut Cx<'_>, object: &Value) -> Result<()> {
    let said = DryRun::of(cx)?.said("created");
    Printer::from_flags(cx)?.print(cx, object, &said)
}

/// How long a pod may take to run.
const RUNNING_SECS: i64 = 60;

/// Shows what a pod prints until it ends.
fn attach(cx: &mut Cx<'_>, name: &str, restart: &str) -> Result<Flow> {
    let resource = cx.resource("pods")?;
    let deadline = cx.now() + cx.flags().seconds("pod-running-timeout", RUNNING_SECS);
    let info =
        Info { resource, namespace: cx.namespace(), name: name.to_owned(), object: Value::Null, source: String::new() };
    let pod = Single::open(cx, &info, Some(deadline))?;
    let ends = restart != "Always" && !cx.is("leave-stdin-open");
    Ok(Flow::Wait(Box::new(Attached {
        info,
        pod,
        deadline,
        restart: restart.to_owned(),
        ends,
        began: false,
        session: None,
    })))
}

struct Attached {
    info: Info,
    pod: Single,
    deadline: i64,
    restart: String,
    /// Whether the pod's end is waited for.
    ends: bool,
    began: bool,
    /// The shell that the container runs, while somebody types to it.
    session: Option<Box<dyn Wait>>,
}

impl Attached {
    fn step(&mut self, cx: &mut Cx<'_>) -> Result<bool> {
        if let Some(session) = &mut self.session {
            let is_over = matches!(session.poll(cx)?, Flow::Done);
            if is_over && !cx.is("rm") {
                let name = &self.info.name;
                cx.note(&format!("Session ended, resume using 'kubectl attach {name} -c {name} -i -t' command when the pod is running"));
            }
            return Ok(is_over);
        }
        loop {
            let object = match self.pod.next(cx)? {
                Next::Event(event) if event.kind != "DELETED" => event.object,
                Next::Nothing => return Ok(false),
                Next::Event(_) | Next::End => return fail("timed out waiting for the condition"),
            };
            let phase = object.str_at("status.phase").unwrap_or_default();
            let is_over = matches!(phase, "Succeeded" | "Failed");
            let is_ready = object
                .list_at("status.conditions")
                .iter()
                .any(|it| it.str_at("type") == Some("Ready") && it.str_at("status") == Some("True"));
            if !self.began && (is_over || (phase == "Running" && is_ready)) {
                self.began = true;
                if !is_over && !cx.is("quiet") {
                    cx.note("If you don't see a command prompt, try pressing enter.");
                }
                if cx.is("stdin")
                    && cx.shell.input.is_typed
                    && !is_over
                    && super::exec::runs_shell(&object)
                    && let Flow::Wait(session) = super::exec::connect(cx, &self.info, &self.info.name, "attach", &[])?
                {
                    self.session = Some(session);
                    return self.step(cx);
                }
                if !self.ends {
                    self.show_logs(cx)?;
                    return Ok(true);
                }
                self.deadline = cx.now() + RUNNING_SECS;
            }
            if self.began && (phase == "Succeeded" || (phase == "Failed" && self.restart == "Never")) {
                self.show_logs(cx)?;
                return result(&object).map(|()| true);
            }
        }
    }

    fn show_logs(&self, cx: &mut Cx<'_>) -> Result<()> {
        let url = Url::of(&self.info.resource, &self.info.namespace, &self.info.name, "log");
        let bytes = cx.raw(Method::GET, &url, "*/*", "", Vec::new())?;
        cx.out(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}

/// What the end of a pod means for the exit code.
fn result(pod: &Value) -> Result<()> {
    if pod.str_at("status.phase") == Some("Succeeded") {
        return Ok(());
    }
    let text = |path: &'static str| pod.str_at(path).unwrap_or_default().to_owned();
    let place = format!("pod {}/{}", text("metadata.namespace"), text("metadata.name"));
    let ended = pod.list_at("status.containerStatuses").first().and_then(|it| it.at("state.terminated"));
    let code = ended.and_then(|it| it.i64_at("exitCode")).unwrap_or(0);
    let (Some(ended), Ok(code @ 1..)) = (ended, i32::try_from(code)) else {
        return fail(format!("{place} failed with unknown exit code"));
    };
    let (reason, message) = (ended.str_at("reason").unwrap_or_default(), ended.str_at("message").unwrap_or_default());
    let text = Failure::Exact(format!("{place} terminated ({reason})\n{message}"));
    Err(Failure::Coded(Box::new(text), code))
}

impl Wait for Attached {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        let outcome = match self.step(cx) {
            Ok(false) => return Ok(Flow::Waiting),
            Ok(true) => Ok(Flow::Done),
            Err(failure) => Err(failure),
        };
        if cx.is("rm") {
            super::delete::delete_one(cx, &self.info, &super::delete::Options::plain(cx))?;
        }
        outcome
    }
}

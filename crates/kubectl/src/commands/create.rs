//! `create`: objects from files, and the simple ones from flags.

mod config;
pub(super) mod generate;
mod network;
mod rbac;
mod workload;

use value::{Map, Value};

use super::{Command, DRY_RUN, DryRun, FILES, Help, SELECTOR};
use crate::api::Url;
use crate::failure::{Failure, Result, fail, usage};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};

/// The flags of every command that creates.
const FLAGS: &str = "field-manager:s validate:s=strict save-config:b";

/// A subcommand of `create`.
macro_rules! command {
    ($name:literal, $usage:literal, $about:literal, $flags:literal, $run:expr) => {
        Command {
            name: concat!("create ", $name),
            help: || Help { usage: $usage, about: $about },
            flags: &[print::FLAGS, DRY_RUN, FLAGS, $flags],
            run: $run,
        }
    };
}

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "create",
        help: || Help { usage: "-f FILENAME", about: "Create a resource from a file or from stdin" },
        flags: &[print::FLAGS, FILES, SELECTOR, DRY_RUN, FLAGS, "edit:b windows-line-endings:b raw:s"],
        run: create,
    },
    command!(
        "configmap",
        "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
        "Create a config map from a local file, directory or literal value",
        "from-file:a from-literal:a from-env-file:a append-hash:b",
        config::config_map
    ),
    Command {
        name: "create secret",
        help: || Help {
            usage: "(docker-registry | generic | tls)",
            about: "Create a secret using a specified subcommand",
        },
        flags: &[],
        run: |cx| super::help::children(cx, "create secret"),
    },
    command!(
        "secret generic",
        "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
        "Create a secret from a local file, directory, or literal value",
        "from-file:a from-literal:a from-env-file:a append-hash:b type:s",
        config::secret
    ),
    command!(
        "secret docker-registry",
        "NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
        "Create a secret for use with a Docker registry",
        "from-file:a append-hash:b docker-username:s docker-password:s docker-email:s docker-server:s",
        config::docker_secret
    ),
    command!(
        "secret tls",
        "NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
        "Create a TLS secret",
        "cert:s key:s append-hash:b",
        config::tls_secret
    ),
    command!(
        "namespace",
        "NAME [--dry-run=server|client|none]",
        "Create a namespace with the specified name",
        "",
        generate::namespace
    ),
    command!(
        "serviceaccount",
        "NAME [--dry-run=server|client|none]",
        "Create a service account with the specified name",
        "",
        generate::service_account
    ),
    command!(
        "priorityclass",
        "NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
        "Create a priority class with the specified name",
        "value:i description:s global-default:b preemption-policy:s",
        generate::priority_class
    ),
    command!(
        "quota",
        "NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]",
        "Create a quota with the specified name",
        "hard:s scopes:s",
        generate::quota
    ),
    command!(
        "poddisruptionbudget",
        "NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]",
        "Create a pod disruption budget with the specified name",
        "selector:s min-available:s max-unavailable:s",
        generate::disruption_budget
    ),
    command!(
        "deployment",
        "NAME --image=image -- [COMMAND] [args...]",
        "Create a deployment with the specified name",
        "image:c port:i r/replicas:i",
        workload::deployment
    ),
    command!(
        "job",
        "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
        "Create a job with the specified name",
        "image:s from:s",
        workload::job
    ),
    command!(
        "cronjob",
        "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
        "Create a cron job with the specified name",
        "image:s schedule:s restart:s",
        workload::cron_job
    ),
    Command {
        name: "create service",
        help: || Help {
            usage: "(clusterip | externalname | loadbalancer | nodeport)",
            about: "Create a service using a specified subcommand",
        },
        flags: &[],
        run: |cx| super::help::children(cx, "create service"),
    },
    command!(
        "service clusterip",
        "NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]",
        "Create a ClusterIP service",
        "tcp:c clusterip:s",
        network::cluster_ip
    ),
    command!(
        "service nodeport",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
        "Create a NodePort service",
        "tcp:c node-port:i",
        network::node_port
    ),
    command!(
        "service loadbalancer",
        "NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
        "Create a LoadBalancer service",
        "tcp:c",
        network::load_balancer
    ),
    command!(
        "service externalname",
        "NAME --external-name external.name [--dry-run=server|client|none]",
        "Create an ExternalName service",
        "tcp:c external-name:s",
        network::external_name
    ),
    command!(
        "ingress",
        "NAME --rule=host/path=service:port[,tls[=secret]]",
        "Create an ingress with the specified name",
        "class:s rule:a annotation:a default-backend:s",
        network::ingress
    ),
    command!(
        "role",
        "NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]",
        "Create a role with single rule",
        "verb:c resource:c resource-name:a",
        rbac::role
    ),
    command!(
        "clusterrole",
        "NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]",
        "Create a cluster role",
        "verb:c resource:c resource-name:a non-resource-url:c aggregation-rule:s",
        rbac::cluster_role
    ),
    command!(
        "rolebinding",
        "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
        "Create a role binding for a particular role or cluster role",
        "clusterrole:s role:s user:a group:a serviceaccount:a",
        rbac::role_binding
    ),
    command!(
        "clusterrolebinding",
        "NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
        "Create a cluster role binding for a particular cluster role",
        "clusterrole:s user:a group:a serviceaccount:a",
        rbac::cluster_role_binding
    ),
    command!(
        "token",
        "SERVICE_ACCOUNT_NAME",
        "Request a service account token",
        "audience:a duration:d bound-object-kind:s bound-object-name:s bound-object-uid:s",
        rbac::token
    ),
];

/// An object with `save-config` as the flags say.
pub(super) fn annotated(cx: &Cx<'_>, object: &Value) -> Value {
    let has = crate::manifest::strings(object, "annotations").contains_key(super::apply::LAST_APPLIED);
    if cx.is("save-config") || has { super::apply::with_last_applied(object) } else { object.clone() }
}

fn create(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        let text = format!("Unexpected args: [{}]", cx.flags().args.join(" "));
        return usage("create", &text);
    }
    if cx.flags().changed("raw") {
        let path = cx.flags().list("filename").first().cloned().unwrap_or_default();
        let body = cx.file(&path)?;
        let url = Url::new(cx.flags().text("raw"));
        let bytes = cx.raw(http::Method::POST, &url, "application/json, */*", crate::api::JSON, body)?;
        cx.out(&String::from_utf8_lossy(&bytes));
        return Ok(Flow::Done);
    }
    cx.require_files()?;
    let dry_run = DryRun::of(cx)?;
    let validation = cx.validation()?;
    let manager = cx.flags().text_or("field-manager", "kubectl-create").to_owned();
    let mut printer = Printer::from_flags(cx)?;
    let mut failures = Vec::new();
    let mut n_created = 0;
    for info in cx.manifests()? {
        let mut info = match info {
            Ok(info) => info,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        info.object = annotated(cx, &info.object);
        if dry_run != DryRun::Client {
            let url = info.collection();
            let url = url
                .with("dryRun", dry_run.parameter())
                .with("fieldManager", &manager)
                .with("fieldValidation", validation);
            match cx.post(&url, &info.object) {
                Ok(object) => info.object = object,
                Err(failure) => {
                    failures.push(failure.while_doing("creating", &info.source));
                    continue;
                }
            }
        }
        n_created += 1;
        printer.print(cx, &info.object, &dry_run.said("created"))?;
    }
    Failure::all(failures)?;
    if n_created == 0 {
        return fail("no objects passed to create");
    }
    Ok(Flow::Done)
}

/// The one name that a generator takes.
pub(super) fn name(cx: &Cx<'_>, command: &str) -> Result<String> {
    let flags = cx.flags();
    let names = &flags.args[..flags.n_before_dash.unwrap_or(flags.args.len())];
    match names {
        [name] => Ok(name.clone()),
        names => usage(command, &format!("exactly one NAME is required, got {}", names.len())),
    }
}

/// What comes after `--`.
pub(super) fn command_line(cx: &Cx<'_>) -> Vec<Value> {
    let flags = cx.flags();
    let from = flags.n_before_dash.unwrap_or(flags.args.len());
    flags.args[from..].iter().map(|it| Value::from(it.as_str())).collect()
}

/// Creates an object that flags describe; `what` begins the message where that fails.
pub(super) fn finish(cx: &mut Cx<'_>, object: Value, what: &str) -> Result<Flow> {
    let dry_run = DryRun::of(cx)?;
    let validation = cx.validation()?;
    let mut printer = Printer::from_flags(cx)?;
    let mut object = object;
    if cx.is("save-config") {
        object = super::apply::with_last_applied(&object);
    }
    if dry_run == DryRun::Client {
        let kind = object.str_at("kind").unwrap_or_default();
        let is_global = matches!(kind, "Namespace" | "PriorityClass" | "ClusterRole" | "ClusterRoleBinding");
        if cx.flags().changed("namespace") && !is_global {
            object.set("metadata.namespace", cx.namespace());
        }
    } else {
        let (api_version, kind) =
            (object.str_at("apiVersion").unwrap_or_default(), object.str_at("kind").unwrap_or_default());
        let Some(resource) = cx.mapper()?.of_kind(api_version, kind) else {
            return fail(format!(
                "no matches for kind {} in version {}",
                meta::quoted(kind),
                meta::quoted(api_version)
            ));
        };
        if resource.namespaced {
            object.set("metadata.namespace", cx.namespace());
        }
        let manager = cx.flags().text_or("field-manager", "kubectl-create").to_owned();
        let url = Url::of(&resource, &cx.namespace(), "", "")
            .with("dryRun", dry_run.parameter())
            .with("fieldManager", &manager)
            .with("fieldValidation", validation);
        object = cx.post(&url, &object).map_err(|it| match what {
            "" => it,
            what => Failure::Text(format!("{what}{}", it.message())),
        })?;
    }
    printer.print(cx, &object, &dry_run.said("created"))?;
    Ok(Flow::Done)
}

/// Takes out what is empty, as Go's `omitempty` does.
pub(super) fn compact(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let keep = |it: &Value| match it {
                Value::Null => false,
                Value::Str(text) => !text.is_empty(),
                Value::List(items) => !items.is_empty(),
                _ => true,
            };
            Value::Map(
                map.iter()
                    .filter(|(_, it)| keep(it))
                    .map(|(key, it)| (key.clone(), compact(it.clone())))
                    .collect::<Map>(),
            )
        }
        Value::List(items) => items.iter().map(|it| compact(it.clone())).collect::<Vec<_>>().into(),
        other => other,
    }
}

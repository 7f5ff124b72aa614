//! `expose`: a service for what is there.

use meta::quoted;
use value::{Map, Value, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help};
use crate::api::Url;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::manifest::{Info, strings};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "expose",
    help: || Help {
        usage: "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]",
        about: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
    },
    flags: &[
        print::FLAGS,
        FILES,
        DRY_RUN,
        "port:s protocol:s target-port:s name:s external-ip:s type:s selector:s l/labels:s cluster-ip:s \
         session-affinity:s load-balancer-ip:s overrides:s override-type:s field-manager:s save-config:b",
    ],
    run: expose,
}];

fn expose(cx: &mut Cx<'_>) -> Result<Flow> {
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let rules = Rules { latest: true, ..Rules::default() };
    // `--selector` is the service's own here.
    let targets = {
        let selector = cx.text("selector");
        cx.shell.flags.unset("selector");
        let targets = cx.targets(&rules);
        if !selector.is_empty() {
            cx.shell.flags.set("selector", &selector);
        }
        targets?
    };
    let (infos, mut failures) = cx.collect(targets, &rules);
    for info in infos {
        match service(cx, &info).and_then(|service| create(cx, service, &info, dry_run)) {
            Ok(object) => printer.print(cx, &object, &dry_run.said("exposed"))?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::all(failures)?;
    Ok(Flow::Done)
}

/// What selects the pods behind an object.
fn selector(info: &Info) -> Result<Map> {
    let object = &info.object;
    let labels = match &*info.resource.kind {
        "Pod" => strings(object, "labels"),
        "Service" | "ReplicationController" => object.map_at("spec.selector").cloned().unwrap_or_default(),
        _ => {
            if !object.list_at("spec.selector.matchExpressions").is_empty() {
                return fail(
                    "couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - \"...\" to map-based selector format",
                );
            }
            object.map_at("spec.selector.matchLabels").cloned().unwrap_or_default()
        }
    };
    match (&*info.resource.kind, labels.is_empty()) {
        ("Pod", true) => fail(
            "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
        ),
        ("Service", true) => fail(
            "couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set",
        ),
        _ => Ok(labels),
    }
}

/// The ports of an object's containers, or of a service, with their protocols.
fn ports(info: &Info) -> Vec<(String, String)> {
    let object = &info.object;
    let (path, field) = match &*info.resource.kind {
        "Service" => ("", "port"),
        "Pod" => ("spec.containers", "containerPort"),
        _ => ("spec.template.spec.containers", "containerPort"),
    };
    let read = |port: &Value| {
        let protocol = port.str_at("protocol").unwrap_or("TCP").to_owned();
        Some((port.i64_at(field)?.to_string(), protocol))
    };
    match path {
        "" => object.list_at("spec.ports").iter().filter_map(read).collect(),
        path => object.list_at(path).iter().flat_map(|it| it.list_at("ports")).filter_map(read).collect(),
    }
}

fn service(cx: &Cx<'_>, info: &Info) -> Result<Value> {
    if !matches!(&*info.resource.kind, "Pod" | "Service" | "ReplicationController" | "Deployment" | "ReplicaSet") {
        let resource = &info.resource;
        let of = if resource.group.is_empty() {
            resource.kind.clone()
        } else {
            format!("{}.{}", resource.kind, resource.group)
        };
        return fail(format!("cannot expose a {of}"));
    }
    let given = cx.text("selector");
    let selector = match given.is_empty() {
        true => selector(info)?,
        false => super::create::generate::labels(&given),
    };
    let known = ports(info);
    let listed: Vec<String> = match cx.text("port") {
        it if it.is_empty() => known.iter().map(|(port, _)| port.clone()).collect(),
        it => it.split(',').map(str::to_owned).collect(),
    };
    if listed.is_empty() {
        return fail("couldn't find port via --port flag or introspection");
    }
    let target = cx.text("target-port");
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::Int);
    let mut service_ports = Vec::new();
    for (idx, port) in listed.iter().enumerate() {
        let Ok(port_number) = port.parse::<i64>() else {
            return fail(format!("strconv.Atoi: parsing {}: invalid syntax", quoted(port)));
        };
        let protocol = match cx.text("protocol") {
            it if it.is_empty() => {
                known.iter().find(|(have, _)| have == port).map_or("TCP".to_owned(), |(_, it)| it.clone())
            }
            it => it,
        };
        let target = if target.is_empty() { number(port) } else { number(&target) };
        let mut it = value!({"port": port_number, "protocol": protocol, "targetPort": target});
        if listed.len() > 1 {
            it.set("name", format!("port-{}", idx + 1));
        }
        service_ports.push(it);
    }
    let name = cx.flags().text_or("name", &info.name).to_owned();
    let mut service = value!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"ports": service_ports, "selector": selector}, "status": {"loadBalancer": {}},
    });
    let labels = match cx.text("labels") {
        it if it.is_empty() => strings(&info.object, "labels"),
        it => super::create::generate::labels(&it),
    };
    if !labels.is_empty() {
        service.set("metadata.labels", labels);
    }
    for (flag, path) in [
        ("type", "spec.type"),
        ("session-affinity", "spec.sessionAffinity"),
        ("cluster-ip", "spec.clusterIP"),
        ("load-balancer-ip", "spec.loadBalancerIP"),
    ] {
        if cx.flags().changed(flag) {
            service.set(path, cx.text(flag));
        }
    }
    if cx.flags().changed("external-ip") {
        service.set("spec.externalIPs", vec![Value::from(cx.text("external-ip"))]);
    }
    Ok(service)
}

fn create(cx: &mut Cx<'_>, service: Value, info: &Info, dry_run: DryRun) -> Result<Value> {
    if dry_run == DryRun::Client {
        return Ok(match cx.flags().changed("namespace") {
            true => service.with("metadata.namespace", cx.namespace()),
            false => service,
        });
    }
    let Some(resource) = cx.mapper()?.of_kind("v1", "Service") else {
        return fail("no matches for kind \"Service\" in version \"v1\"");
    };
    let manager = cx.flags().text_or("field-manager", "kubectl-expose").to_owned();
    let url = Url::of(&resource, &info.namespace, "", "").with("dryRun", dry_run.parameter());
    cx.post(&url.with("fieldManager", &manager), &service)
}

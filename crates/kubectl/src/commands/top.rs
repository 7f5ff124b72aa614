//! `top`: what nodes and pods use, where the server has metrics.

use value::quantity::Quantity;
use value::{Value, quantity, time};

use super::{Command, Help, SELECTOR};
use crate::api::{JSON, Url};
use crate::failure::{Result, fail, usage};
use crate::order;
use crate::shell::{Cx, Flow};
use crate::{age, tabs};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "top",
        help: || Help { usage: "[flags]", about: "Display resource (CPU/memory) usage" },
        flags: &[],
        run: |cx| super::help::children(cx, "top"),
    },
    Command {
        name: "top node",
        help: || Help { usage: "[NAME | -l label]", about: "Display resource (CPU/memory) usage of nodes" },
        flags: &[SELECTOR, "no-headers:b show-capacity:b sort-by:s use-protocol-buffers:b show-swap:b"],
        run: nodes,
    },
    Command {
        name: "top pod",
        help: || Help { usage: "[NAME | -l label]", about: "Display resource (CPU/memory) usage of pods" },
        flags: &[
            SELECTOR,
            "A/all-namespaces:b containers:b no-headers:b sort-by:s field-selector:s sum:b use-protocol-buffers:b show-swap:b",
        ],
        run: pods,
    },
];

/// Pods of this age have metrics (`metricsCreationDelay`).
const DELAY_SECS: i64 = 120;
const MIB: i64 = 1024 * 1024;

fn metrics(cx: &mut Cx<'_>, kind: &str, namespace: &str, name: &str) -> Result<Vec<Value>> {
    let sort_by = cx.text("sort-by");
    if !matches!(&*sort_by, "" | "cpu" | "memory") {
        return fail("--sort-by accepts only cpu or memory");
    }
    let Some(resource) = cx.mapper()?.of_kind("metrics.k8s.io/v1beta1", kind) else {
        return fail("Metrics API not available");
    };
    if !name.is_empty() {
        return cx.get(&Url::of(&resource, namespace, name, "")).map(|it| vec![it]);
    }
    let list = cx.list(&cx.target_url(&resource, namespace), JSON)?;
    let mut items = list.list_at("items").to_vec();
    if sort_by.is_empty() {
        let key = |it: &Value| {
            (
                it.str_at("metadata.namespace").unwrap_or_default().to_owned(),
                it.str_at("metadata.name").unwrap_or_default().to_owned(),
            )
        };
        order::by(&mut items, &mut |a, b| key(a).cmp(&key(b)));
    } else {
        order::by(&mut items, &mut |a, b| usage_of(b, &sort_by).cmp(&usage_of(a, &sort_by)));
    }
    Ok(items)
}

fn amount(value: Option<&Value>) -> Quantity {
    value.and_then(Value::as_str).and_then(|it| Quantity::parse(it).ok()).unwrap_or(quantity::Quantity::from_int(0))
}

/// Thousandths of a CPU, or bytes.
fn number(value: Option<&Value>, resource: &str) -> i64 {
    let it = amount(value);
    if resource == "cpu" { it.milli_value() } else { it.value() }
}

fn usage_of(metrics: &Value, resource: &str) -> i64 {
    match metrics.get("usage") {
        Some(usage) => number(usage.get(resource), resource),
        None => metrics
            .list_at("containers")
            .iter()
            .map(|it| number(it.at("usage").and_then(|it| it.get(resource)), resource))
            .sum(),
    }
}

fn nodes(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    if args.len() > 1 {
        return usage("top node", "node [NAME | -l label]");
    }
    let name = args.first().cloned().unwrap_or_default();
    if !name.is_empty() && cx.flags().changed("selector") {
        return fail("only one of NAME or --selector can be provided");
    }
    let found = metrics(cx, "NodeMetrics", "", &name)?;
    if found.is_empty() {
        return fail("metrics not available yet");
    }
    let nodes = cx.resource("nodes")?;
    let mut rows = String::new();
    if !cx.is("no-headers") {
        rows.push_str("NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\t\n");
    }
    for it in &found {
        let name = it.str_at("metadata.name").unwrap_or_default();
        let node = cx.get(&Url::of(&nodes, "", name, ""))?;
        let field = if cx.is("show-capacity") { "status.capacity" } else { "status.allocatable" };
        let available = node.at(field).cloned().unwrap_or_default();
        rows.push_str(name);
        for resource in ["cpu", "memory"] {
            let used = usage_of(it, resource);
            let whole = number(available.get(resource), resource);
            let shown = if resource == "cpu" { format!("{used}m") } else { format!("{}Mi", used / MIB) };
            let percent =
                if whole > 0 { format!("{}%", i128::from(used) * 100 / i128::from(whole)) } else { "<unknown>".into() };
            rows.push_str(&format!("\t{shown}\t{percent}"));
        }
        rows.push_str("\t\n");
    }
    cx.out(&tabs::align(&rows, &tabs::TABLE));
    Ok(Flow::Done)
}

/// Fails where there are pods that should have metrics by now, or will have (`verifyEmptyMetrics`).
fn not_yet(cx: &mut Cx<'_>, namespace: &str) -> Result<()> {
    let pods = cx.resource("pods")?;
    let mut url = Url::of(&pods, namespace, "", "");
    for (flag, parameter) in [("selector", "labelSelector"), ("field-selector", "fieldSelector")] {
        url = url.with(parameter, &cx.text(flag));
    }
    let list = cx.list(&url, JSON)?;
    for pod in list.list_at("items") {
        let text = |path: &'static str| pod.str_at(path).unwrap_or_default();
        let created = time::parse_secs(text("metadata.creationTimestamp")).unwrap_or(0);
        if cx.now() - created > DELAY_SECS {
            let (namespace, name) = (text("metadata.namespace"), text("metadata.name"));
            let age = age::since(Some(text("metadata.creationTimestamp")), cx.now());
            return fail(format!("Metrics not available for pod {namespace}/{name}, age: {age}"));
        }
    }
    if list.list_at("items").is_empty() { Ok(()) } else { fail("metrics not available yet") }
}

fn pods(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    if args.len() > 1 {
        return usage("top pod", "pod [NAME | -l label]");
    }
    let name = args.first().cloned().unwrap_or_default();
    if !name.is_empty() && cx.flags().changed("selector") {
        return fail("only one of NAME or selector can be provided");
    }
    let all = cx.is("all-namespaces");
    let namespace = if all { String::new() } else { cx.namespace() };
    let found = metrics(cx, "PodMetrics", &namespace, &name)?;
    if found.is_empty() {
        not_yet(cx, &namespace)?;
        match all {
            true => cx.note("No resources found"),
            false => cx.note(&format!("No resources found in {namespace} namespace.")),
        }
        return Ok(Flow::Done);
    }
    let by_container = cx.is("containers");
    let mut rows = String::new();
    if !cx.is("no-headers") {
        let before = if all { "NAMESPACE\t" } else { "" };
        let name = if by_container { "POD\tNAME" } else { "NAME" };
        rows.push_str(&format!("{before}{name}\tCPU(cores)\tMEMORY(bytes)\t\n"));
    }
    let line = |cpu: i64, memory: i64| format!("{cpu}m\t{}Mi\t\n", memory / MIB);
    for it in &found {
        let mut before = String::new();
        if all {
            before = format!("{}\t", it.str_at("metadata.namespace").unwrap_or_default());
        }
        before.push_str(it.str_at("metadata.name").unwrap_or_default());
        match by_container {
            false => rows.push_str(&format!("{before}\t{}", line(usage_of(it, "cpu"), usage_of(it, "memory")))),
            true => {
                for container in it.list_at("containers") {
                    let name = container.str_at("name").unwrap_or_default();
                    let usage = line(usage_of(container, "cpu"), usage_of(container, "memory"));
                    rows.push_str(&format!("{before}\t{name}\t{usage}"));
                }
            }
        }
    }
    cx.out(&tabs::align(&rows, &tabs::TABLE));
    Ok(Flow::Done)
}

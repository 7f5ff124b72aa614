//! `autoscale`.

use value::{Value, value};

use super::{Command, DRY_RUN, DryRun, FILES, Help};
use crate::api::Url;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail};
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "autoscale",
    help: || Help {
        usage: "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]",
        about: "Auto-scale a deployment, replica set, stateful set, or replication controller",
    },
    flags: &[
        print::FLAGS,
        FILES,
        DRY_RUN,
        "min:i max:i cpu-percent:i cpu:s memory:s name:s field-manager:s save-config:b",
    ],
    run: autoscale,
}];

/// The metric of `80%` (of what is requested) or `500m` (an average).
fn metric(resource: &str, text: &str) -> Result<Value> {
    let target = match text.strip_suffix('%') {
        Some(percent) => match percent.parse::<i64>() {
            Ok(it) => value!({"averageUtilization": it, "type": "Utilization"}),
            Err(_) => return fail(format!("invalid percentage value: {percent}")),
        },
        None => match value::quantity::Quantity::parse(text) {
            Ok(_) => value!({"averageValue": text, "type": "AverageValue"}),
            Err(_) => return fail(format!("invalid resource {resource} value: {text}")),
        },
    };
    Ok(value!({"resource": {"name": resource, "target": target}, "type": "Resource"}))
}

fn autoscale(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().changed("max") {
        return fail("required flag(s) \"max\" not set");
    }
    let (min, max) = (cx.flags().int("min", -1), cx.flags().int("max", -1));
    if max < 1 {
        return fail(format!("--max=MAXPODS is required and must be at least 1, max: {max}"));
    }
    if max < min {
        return fail(format!("--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"));
    }
    if cx.flags().changed("cpu-percent") && cx.flags().changed("cpu") {
        return fail("--cpu-percent and --cpu are mutually exclusive");
    }
    let mut metrics = Vec::new();
    let percent = cx.flags().int("cpu-percent", -1);
    if percent >= 0 {
        cx.note("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).");
        metrics.push(metric("cpu", &format!("{percent}%"))?);
    }
    for resource in ["cpu", "memory"] {
        let text = cx.text(resource);
        if !text.is_empty() {
            metrics.push(metric(resource, &text)?);
        }
    }
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let mut n_scaled = 0;
    let rules = Rules { latest: true, ..Rules::default() };
    cx.visit(&rules, &mut |cx, info| {
        let kind = &info.resource.kind;
        let resource = &info.resource;
        if !resource.subresources.iter().any(|it| it == "scale") {
            let of = format!("{}/{}, Resource={}", resource.group, resource.version, resource.plural);
            return fail(format!(
                "cannot autoscale a {kind}: could not find scale subresource for {of} in discovery information"
            ));
        }
        let name = cx.flags().text_or("name", &info.name).to_owned();
        let mut object = value!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {
                "maxReplicas": max,
                "scaleTargetRef": {
                    "apiVersion": info.resource.api_version(), "kind": kind.as_str(), "name": info.name.as_str(),
                },
            },
        });
        if !metrics.is_empty() {
            object.set("spec.metrics", metrics.clone());
        }
        if min > 0 {
            object.set("spec.minReplicas", min);
        }
        n_scaled += 1;
        if dry_run != DryRun::Client {
            let Some(resource) = cx.mapper()?.of_kind("autoscaling/v2", "HorizontalPodAutoscaler") else {
                return fail(format!("the server doesn't have a resource type {}", quoted("horizontalpodautoscalers")));
            };
            let manager = cx.flags().text_or("field-manager", "kubectl-autoscale").to_owned();
            let url = Url::of(&resource, &info.namespace, "", "").with("dryRun", dry_run.parameter());
            let by_percent = cx.text("memory").is_empty() && cx.flags().text("cpu").ends_with('%');
            object = cx.post(&url.with("fieldManager", &manager), &object).map_err(|failure| match by_percent {
                true => failure,
                // The older version, to which kubectl would turn, knows but percents of CPU.
                false => Failure::Text(format!(
                    "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: {}",
                    if cx.flags().text("cpu").is_empty() { "empty input" } else { "%!w(<nil>)" }
                )),
            })?;
        } else {
            object.set("status", value!({"currentMetrics": null, "desiredReplicas": 0}));
            if cx.flags().changed("namespace") {
                object.set("metadata.namespace", cx.namespace());
            }
        }
        printer.print(cx, &object, &dry_run.said("autoscaled"))
    })?;
    if n_scaled == 0 {
        return fail("no objects passed to autoscale");
    }
    Ok(Flow::Done)
}

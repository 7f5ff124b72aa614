//! Config maps, secrets, accounts, namespaces and what limits them.

use value::{Map, Value};

use super::page::{Page, amounts, text};
use super::{Subject, selector_or_none};
use crate::Cx;
use crate::api::{JSON, Url};
use crate::failure::Result;
use crate::order;

pub(super) const HEAD: &str = "Name=metadata.name\nNamespace=metadata.namespace\n@labels\n@annotations";

/// How many bytes a base64 text stands for.
fn n_bytes(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|&it| it == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

fn entries<'a>(object: &'a Value, field: &str) -> Vec<(&'a str, &'a str)> {
    let map = object.get(field).and_then(Value::as_map);
    map.into_iter().flat_map(Map::iter).map(|(key, it)| (key.as_str(), it.as_str().unwrap_or_default())).collect()
}

pub(super) fn config_map(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.line("\nData\n====");
    for (key, text) in entries(it.object, "data") {
        page.line(&format!("{key}:\n----\n{text}\n"));
    }
    page.line("\nBinaryData\n====");
    for (key, text) in entries(it.object, "binaryData") {
        page.line(&format!("{key}: {} bytes", n_bytes(text)));
    }
    page.line("");
    Ok(())
}

pub(super) fn secret(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    page.line(&format!("\nType:\t{}", text(it.object, "type")));
    page.line("\nData\n====");
    for (key, text) in entries(it.object, "data") {
        page.line(&format!("{key}:\t{} bytes", n_bytes(text)));
    }
    Ok(())
}

pub(super) fn service_account(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, HEAD);
    let secrets = it.object.list_at("imagePullSecrets");
    if secrets.is_empty() {
        page.line("Image pull secrets:\t<none>");
    }
    for (idx, secret) in secrets.iter().enumerate() {
        let label = if idx == 0 { "Image pull secrets:" } else { "                   " };
        page.line(&format!("{label}\t{}", text(secret, "name")));
    }
    Ok(())
}

pub(super) fn priority_class(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(
        0,
        it.object,
        "Name=metadata.name\nValue=value!0\nGlobalDefault=globalDefault!false\nPreemptionPolicy=preemptionPolicy\n\
         Description=description\nAnnotations=metadata.annotations|map!<none>",
    );
    Ok(())
}

pub(super) fn disruption_budget(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, "Name=metadata.name\nNamespace=metadata.namespace\n?Min available=spec.minAvailable");
    if object.at("spec.minAvailable").is_none() {
        page.rows(0, object, "?Max unavailable=spec.maxUnavailable");
    }
    let selector = match object.at("spec.selector") {
        Some(it) => selector_or_none(Some(it)),
        None => "<unset>".into(),
    };
    page.line(&format!("Selector:\t{selector}\nStatus:"));
    page.rows(
        2,
        object,
        "Allowed disruptions=status.disruptionsAllowed!0\nCurrent=status.currentHealthy!0\nDesired=status.desiredHealthy!0\n\
         Total=status.expectedPods!0",
    );
    Ok(())
}

pub(super) fn namespace(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, "Name=metadata.name\n@labels\n@annotations\nStatus=status.phase");
    let conditions = it.object.list_at("status.conditions");
    if !conditions.is_empty() {
        let fields = &[
            ("Type", "type"),
            ("Status", "status"),
            ("LastTransitionTime", "lastTransitionTime|time"),
            ("Reason", "reason"),
            ("Message", "message"),
        ];
        page.conditions(it.object, "Conditions:", fields, "\t");
    }
    if let Some(quotas) = list(cx, "ResourceQuota", &it.info.name)? {
        page.line("");
        page.line(if quotas.is_empty() { "No resource quota." } else { "Resource Quotas" });
        for quota in &quotas {
            page.rows(1, quota, "Name=metadata.name");
            scopes(page, quota, 1, "* ");
            page.at(1, "Resource\tUsed\tHard\n  --------\t---\t---");
            used(page, quota, 1);
        }
    }
    if let Some(ranges) = list(cx, "LimitRange", &it.info.name)? {
        page.line("");
        match ranges.is_empty() {
            true => page.line("No LimitRange resource."),
            false => page.line(&format!("Resource Limits\n {}\n {}", RANGE_TITLES, RANGE_DASHES)),
        }
        ranges.iter().for_each(|it| limits(page, it, " "));
    }
    Ok(())
}

/// The objects of a kind in a namespace; `None` where the server does not know the kind.
fn list(cx: &mut Cx<'_>, kind: &str, namespace: &str) -> Result<Option<Vec<Value>>> {
    let Some(resource) = cx.mapper()?.of_kind("v1", kind) else { return Ok(None) };
    let list = cx.list(&Url::of(&resource, namespace, "", ""), JSON)?;
    Ok(Some(list.list_at("items").to_vec()))
}

/// What kubectl says of a quota's scopes.
const SCOPES: &[(&str, &str)] = &[
    (
        "Terminating",
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.",
    ),
    (
        "NotTerminating",
        "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.",
    ),
    (
        "BestEffort",
        "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    ),
    (
        "NotBestEffort",
        "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
    ),
];

fn scopes(page: &mut Page, quota: &Value, level: usize, bullet: &str) {
    let mut scopes: Vec<&str> = quota.list_at("spec.scopes").iter().filter_map(Value::as_str).collect();
    if scopes.is_empty() {
        return;
    }
    order::texts(&mut scopes);
    page.at(level, &format!("Scopes:\t{}", scopes.join(", ")));
    for scope in scopes {
        if let Some((_, text)) = SCOPES.iter().find(|(name, _)| *name == scope) {
            page.at(level, &format!("{bullet}{text}"));
        }
    }
}

fn used(page: &mut Page, quota: &Value, level: usize) {
    let used = amounts(quota.at("status.used"));
    for (name, hard) in amounts(quota.at("status.hard")) {
        let used = used.iter().find(|(have, _)| *have == name).map_or("0".to_owned(), |(_, it)| it.to_string());
        page.at(level, &format!("{name}\t{used}\t{hard}"));
    }
}

pub(super) fn quota(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, "Name=metadata.name\nNamespace=metadata.namespace");
    scopes(page, it.object, 0, " * ");
    page.line("Resource\tUsed\tHard\n--------\t----\t----");
    used(page, it.object, 0);
    Ok(())
}

const RANGE_TITLES: &str = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio";
const RANGE_DASHES: &str = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------";

pub(super) fn limit_range(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    page.rows(0, it.object, "Name=metadata.name\nNamespace=metadata.namespace");
    page.line(&format!("{RANGE_TITLES}\n{RANGE_DASHES}"));
    limits(page, it.object, "");
    Ok(())
}

fn limits(page: &mut Page, range: &Value, prefix: &str) {
    for item in range.list_at("spec.limits") {
        let fields = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
        let columns: Vec<_> = fields.iter().map(|it| amounts(item.at(it))).collect();
        let mut names: Vec<&String> = columns.iter().flatten().map(|(name, _)| name).collect();
        order::texts(&mut names);
        names.dedup();
        for name in names {
            let cells: Vec<String> = columns
                .iter()
                .map(|it| it.iter().find(|(have, _)| have == name).map_or("-".to_owned(), |(_, it)| it.to_string()))
                .collect();
            page.line(&format!("{prefix}{}\t{name}\t{}", text(item, "type"), cells.join("\t")));
        }
    }
}

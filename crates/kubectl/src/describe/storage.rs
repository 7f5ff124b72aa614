//! Volumes, claims and classes.

use value::Value;

use super::page::{Page, text};
use super::{Subject, pod};
use crate::api::{JSON, Url};
use crate::failure::Result;
use crate::manifest::strings;
use crate::order;
use crate::{Cx, age};

/// `RWO,ROX`
fn modes(object: &Value, path: &'static str) -> String {
    let list = object.list_at(path);
    [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
        .iter()
        .filter(|(mode, _)| list.iter().any(|it| it.as_str() == Some(mode)))
        .map(|(_, short)| *short)
        .collect::<Vec<_>>()
        .join(",")
}

/// The class, which an old annotation may name.
fn class_of(object: &Value) -> String {
    let annotations = strings(object, "annotations");
    let old = annotations.get("volume.beta.kubernetes.io/storage-class").and_then(Value::as_str);
    old.unwrap_or_else(|| text(object, "spec.storageClassName")).to_owned()
}

fn status(page: &mut Page, it: &Subject<'_>) {
    match it.object.str_at("metadata.deletionTimestamp") {
        Some(at) => page.line(&format!("Status:\tTerminating (lasts {})", age::since(Some(at), it.now))),
        None => page.line(&format!("Status:\t{}", text(it.object, "status.phase"))),
    }
}

pub(super) fn volume(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, "Name=metadata.name\n@labels\n@annotations\nFinalizers=metadata.finalizers![]");
    page.line(&format!("StorageClass:\t{}", class_of(object)));
    status(page, it);
    let claim = match object.at("spec.claimRef") {
        Some(claim) => format!("{}/{}", text(claim, "namespace"), text(claim, "name")),
        None => String::new(),
    };
    page.line(&format!("Claim:\t{claim}"));
    page.rows(0, object, "Reclaim Policy=spec.persistentVolumeReclaimPolicy");
    page.line(&format!("Access Modes:\t{}", modes(object, "spec.accessModes")));
    page.rows(0, object, "?VolumeMode=spec.volumeMode\nCapacity=spec.capacity.storage!0");
    affinity(page, object.at("spec.nodeAffinity.required"));
    page.rows(0, object, "Message=status.message\nSource:");
    pod::source(page, object.get("spec").unwrap_or(&Value::Null));
    Ok(())
}

fn affinity(page: &mut Page, required: Option<&Value>) {
    let Some(required) = required else {
        page.line("Node Affinity:\t<none>");
        return;
    };
    let terms = required.list_at("nodeSelectorTerms");
    page.line(&format!("Node Affinity:\t\n  Required Terms:\t{}", if terms.is_empty() { "<none>" } else { "" }));
    for (idx, term) in terms.iter().enumerate() {
        let expressions = term.list_at("matchExpressions");
        let title = format!("    Term {idx}:\t");
        if expressions.is_empty() {
            page.line(&format!("{title}<none>"));
        }
        for (idx, it) in expressions.iter().enumerate() {
            let values: Vec<&str> = it.list_at("values").iter().filter_map(Value::as_str).collect();
            let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
            let before = if idx == 0 { title.as_str() } else { "    \t" };
            page.line(&format!("{before}{} {}{values}", text(it, "key"), text(it, "operator").to_lowercase()));
        }
    }
}

pub(super) fn claim(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    page.rows(0, object, "Name=metadata.name\nNamespace=metadata.namespace");
    page.line(&format!("StorageClass:\t{}", class_of(object)));
    status(page, it);
    page.rows(0, object, "Volume=spec.volumeName\n@labels\n@annotations\nFinalizers=metadata.finalizers![]");
    capacity(page, object, 0);
    let resource = cx.resource("pods")?;
    let list = cx.list(&Url::of(&resource, &it.info.namespace, "", ""), JSON)?;
    let uses = |pod: &&Value| {
        pod.list_at("spec.volumes")
            .iter()
            .any(|volume| volume.str_at("persistentVolumeClaim.claimName") == Some(&it.info.name))
    };
    let mut users: Vec<String> =
        list.list_at("items").iter().filter(uses).map(|pod| text(pod, "metadata.name").to_owned()).collect();
    order::texts(&mut users);
    page.column("Used By", &users);
    let fields = &[
        ("Type", "type"),
        ("Status", "status"),
        ("LastProbeTime", "lastProbeTime|time"),
        ("LastTransitionTime", "lastTransitionTime|time"),
        ("Reason", "reason"),
        ("Message", "message"),
    ];
    page.conditions(object, "Conditions:", fields, " \t");
    Ok(())
}

fn capacity(page: &mut Page, object: &Value, level: usize) {
    let bound = !text(object, "spec.volumeName").is_empty();
    let modes = if bound { modes(object, "status.accessModes") } else { String::new() };
    let amount = if bound { object.str_at("status.capacity.storage").unwrap_or("0") } else { "" };
    page.at(level, &format!("Capacity:\t{amount}"));
    page.at(level, &format!("Access Modes:\t{modes}"));
    page.rows(level, object, "?VolumeMode=spec.volumeMode");
    if let Some(source) = object.at("spec.dataSource") {
        page.at(level, "DataSource:");
        page.rows(level + 1, source, "?APIGroup=apiGroup\nKind=kind\nName=name");
    }
}

/// The template of a claim.
pub(super) fn claim_rows(page: &mut Page, template: &Value, level: usize) {
    let indent = "  ".repeat(level);
    page.at(level, &format!("StorageClass:\t{}", class_of(template)));
    page.rows(level, template, "Volume=spec.volumeName");
    page.labels(&format!("{indent}Labels"), &strings(template, "labels"));
    page.annotations(&format!("{indent}Annotations"), &strings(template, "annotations"));
    capacity(page, template, level);
}

pub(super) fn class(_: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let object = it.object;
    let annotations = strings(object, "annotations");
    let is_default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|key| annotations.get(key).and_then(Value::as_str) == Some("true"));
    page.rows(0, object, "Name=metadata.name");
    page.line(&format!("IsDefaultClass:\t{}", if is_default { "Yes" } else { "No" }));
    page.rows(
        0,
        object,
        "Annotations=metadata.annotations|map!<none>\nProvisioner=provisioner\nParameters=parameters|map!<none>\n\
         AllowVolumeExpansion=allowVolumeExpansion|bool!<unset>",
    );
    let options = object.list_at("mountOptions");
    page.line(if options.is_empty() { "MountOptions:\t<none>" } else { "MountOptions:" });
    options.iter().filter_map(Value::as_str).for_each(|it| page.at(1, it));
    page.rows(0, object, "?ReclaimPolicy=reclaimPolicy\n?VolumeBindingMode=volumeBindingMode");
    Ok(())
}

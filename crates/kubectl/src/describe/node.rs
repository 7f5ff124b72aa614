//! Nodes, and what their pods ask for.

use std::collections::BTreeMap;

use value::Value;
use value::quantity::Quantity;

use super::Subject;
use super::page::{Page, amounts, text};
use crate::api::{JSON, Url};
use crate::failure::Result;
use crate::manifest::strings;
use crate::order;
use crate::{Cx, age};

/// Amounts by the name of the resource.
type Amounts = BTreeMap<String, Quantity>;

pub(super) fn node(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let node = it.object;
    let labels = strings(node, "labels");
    let mut roles: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some("") => None,
            Some(role) => Some(role.to_owned()),
            None if key == "kubernetes.io/role" => value.as_str().filter(|it| !it.is_empty()).map(str::to_owned),
            None => None,
        })
        .collect();
    order::texts(&mut roles);
    roles.dedup();
    let roles = if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") };
    page.line(&format!("Name:\t{}\nRoles:\t{roles}", it.info.name));
    page.rows(0, node, "@labels\n@annotations\nCreationTimestamp=metadata.creationTimestamp|time");
    taints(page, node.list_at("spec.taints"));
    page.rows(0, node, "Unschedulable=spec.unschedulable!false");
    lease(cx, page, &it.info.name);
    page.conditions(
        node,
        "Conditions:",
        &[
            ("Type", "type"),
            ("Status", "status"),
            ("LastHeartbeatTime", "lastHeartbeatTime|time"),
            ("LastTransitionTime", "lastTransitionTime|time"),
            ("Reason", "reason"),
            ("Message", "message"),
        ],
        " \t",
    );
    page.line("Addresses:");
    for address in node.list_at("status.addresses") {
        page.at(1, &format!("{}:\t{}", text(address, "type"), text(address, "address")));
    }
    for (label, path) in [("Capacity", "status.capacity"), ("Allocatable", "status.allocatable")] {
        let amounts = amounts(node.at(path));
        if !amounts.is_empty() {
            page.line(&format!("{label}:"));
            amounts.iter().for_each(|(name, amount)| page.at(1, &format!("{name}:\t{amount}")));
        }
    }
    page.line("System Info:");
    let info = node.at("status.nodeInfo").cloned().unwrap_or_default();
    page.rows(
        1,
        &info,
        "Machine ID=machineID\nSystem UUID=systemUUID\nBoot ID=bootID\nKernel Version=kernelVersion\nOS Image=osImage\n\
         Operating System=operatingSystem\nArchitecture=architecture\nContainer Runtime Version=containerRuntimeVersion\n\
         Kubelet Version=kubeletVersion",
    );
    page.rows(0, node, "?PodCIDR=spec.podCIDR\n?PodCIDRs=spec.podCIDRs|list\n?ProviderID=spec.providerID");
    pods(cx, page, it)
}

pub(super) fn taints(page: &mut Page, taints: &[Value]) {
    let mut list = taints.to_vec();
    let key = |it: &Value| format!("{},{}", text(it, "effect"), text(it, "key"));
    order::by(&mut list, &mut |a, b| key(a).cmp(&key(b)));
    let lines: Vec<String> = list
        .iter()
        .map(|it| match (text(it, "effect"), text(it, "value")) {
            ("", "") => text(it, "key").to_owned(),
            ("", value) => format!("{}={value}:", text(it, "key")),
            (effect, "") => format!("{}:{effect}", text(it, "key")),
            (effect, value) => format!("{}={value}:{effect}", text(it, "key")),
        })
        .collect();
    page.column("Taints", &lines);
}

fn lease(cx: &mut Cx<'_>, page: &mut Page, name: &str) {
    let found = cx.mapper().map(|it| it.of_kind("coordination.k8s.io/v1", "Lease"));
    let Ok(Some(leases)) = found else { return };
    match cx.get(&Url::of(&leases, "kube-node-lease", name, "")) {
        Ok(lease) => {
            page.line("Lease:");
            page.rows(
                1,
                &lease,
                "HolderIdentity=spec.holderIdentity!<unset>\nAcquireTime=spec.acquireTime|time!<unset>\n\
                 RenewTime=spec.renewTime|time!<unset>",
            );
        }
        Err(failure) => page.line(&format!("Lease:\tFailed to get lease: {}", failure.message())),
    }
}

fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = total.get(name).copied().unwrap_or(Quantity::from_int(0)).saturating_add(*amount);
        total.insert(name.clone(), sum);
    }
}

fn most(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        if total.get(name).is_none_or(|have| have < amount) {
            total.insert(name.clone(), *amount);
        }
    }
}

/// What a pod asks for (`requests`) or may use (`limits`): its containers together, or its init containers if that is more.
fn pod_amounts(pod: &Value, field: &str) -> Amounts {
    let in_resources = |it: &Value| amounts(it.at("resources").and_then(|it| it.get(field)));
    let of = |container: &Value| -> Amounts { in_resources(container).into_iter().collect() };
    let mut total = Amounts::new();
    for container in pod.list_at("spec.containers") {
        let name = text(container, "name");
        let status = pod.list_at("status.containerStatuses").iter().find(|it| text(it, "name") == name);
        let mut own = of(container);
        if field == "requests"
            && let Some(status) = status
        {
            most(&mut own, &amounts(status.at("allocatedResources")).into_iter().collect());
        }
        add(&mut total, &own);
    }
    let (mut sidecars, mut init) = (Amounts::new(), Amounts::new());
    for container in pod.list_at("spec.initContainers") {
        let own = of(container);
        if text(container, "restartPolicy") == "Always" {
            add(&mut total, &own);
            add(&mut sidecars, &own);
            most(&mut init, &sidecars.clone());
        } else {
            let mut at_once = own;
            add(&mut at_once, &sidecars);
            most(&mut init, &at_once);
        }
    }
    most(&mut total, &init);
    for (name, amount) in pod.at("spec").into_iter().flat_map(in_resources) {
        total.insert(name, amount);
    }
    let overhead: Amounts = amounts(pod.at("spec.overhead")).into_iter().collect();
    if field == "requests" {
        add(&mut total, &overhead);
    } else {
        let known: Amounts = overhead.into_iter().filter(|(name, _)| total.contains_key(name)).collect();
        add(&mut total, &known);
    }
    total
}

/// `100m (5%)`
fn share(amounts: &Amounts, resource: &str, whole: &Amounts) -> String {
    let zero = Quantity::from_int(0);
    let amount = amounts.get(resource).copied().unwrap_or(zero);
    let whole = whole.get(resource).copied().unwrap_or(zero);
    let of = |it: Quantity| i128::from(if resource == "cpu" { it.milli_value() } else { it.value() });
    let percent = if of(whole) == 0 { 0 } else { of(amount) * 100 / of(whole) };
    format!("{amount} ({percent}%)")
}

fn pods(cx: &mut Cx<'_>, page: &mut Page, it: &Subject<'_>) -> Result<()> {
    let node = it.object;
    let resource = cx.resource("pods")?;
    let selector = format!("spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded", it.info.name);
    let list = cx.list(&Url::of(&resource, "", "", "").with("fieldSelector", &selector), JSON)?;
    let pods = list.list_at("items");
    let mut whole: Amounts = amounts(node.at("status.allocatable")).into_iter().collect();
    if whole.is_empty() {
        whole = amounts(node.at("status.capacity")).into_iter().collect();
    }
    page.line(&format!("Non-terminated Pods:\t({} in total)", pods.len()));
    page.at(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    page.at(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let (asked, allowed) = (pod_amounts(pod, "requests"), pod_amounts(pod, "limits"));
        let cells = [
            share(&asked, "cpu", &whole),
            share(&allowed, "cpu", &whole),
            share(&asked, "memory", &whole),
            share(&allowed, "memory", &whole),
            age::since(pod.str_at("metadata.creationTimestamp"), it.now),
        ];
        let (namespace, name) = (text(pod, "metadata.namespace"), text(pod, "metadata.name"));
        page.at(1, &format!("{namespace}\t{name}\t\t{}", cells.join("\t")));
        add(&mut requests, &asked);
        add(&mut limits, &allowed);
    }
    page.line("Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)");
    page.at(1, "Resource\tRequests\tLimits");
    page.at(1, "--------\t--------\t------");
    let huge = whole.keys().filter(|it| it.starts_with("hugepages-")).cloned();
    let shown = ["cpu", "memory", "ephemeral-storage"].map(str::to_owned).into_iter().chain(huge);
    for name in shown {
        page.at(1, &format!("{name}\t{}\t{}", share(&requests, &name, &whole), share(&limits, &name, &whole)));
    }
    for name in whole.keys() {
        if matches!(&**name, "cpu" | "memory" | "ephemeral-storage" | "pods") || name.starts_with("hugepages-") {
            continue;
        }
        let amount = |it: &Amounts| it.get(name).copied().unwrap_or(Quantity::from_int(0));
        page.at(1, &format!("{name}\t{}\t{}", amount(&requests), amount(&limits)));
    }
    Ok(())
}

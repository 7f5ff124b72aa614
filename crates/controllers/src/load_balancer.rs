//! Gives Services of type LoadBalancer an address, as a cloud's controller does (`k8s.io/cloud-provider/controllers/service`).

use std::collections::BTreeSet;
use std::sync::Arc;

use kinds::SERVICE;
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, Watch};
use value::{Str, Value, value};

pub(crate) const EVENT_SOURCE: &str = "service-controller";
const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
/// Addresses are of a network for documentation; the first is the Ingress controller's.
const NETWORK: &str = "203.0.113.";
const ADDRESSES: std::ops::RangeInclusive<u8> = 2..=254;

pub(crate) struct LoadBalancers;

impl Reconciler for LoadBalancers {
    fn name(&self) -> &'static str {
        "service-lb-controller"
    }

    fn kind(&self) -> KindId {
        SERVICE
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(SERVICE)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(service) = cx.get(SERVICE, key) else { return Ok(Action::AwaitChange) };
        if wants_one(&service) && !service.meta.is_deleted() {
            ensure(cx, &service)?;
        } else if has_finalizer(&service) {
            clean_up(cx, &service)?;
        }
        Ok(Action::AwaitChange)
    }
}

/// Whether the Service wants a load balancer of the cluster's own kind.
fn wants_one(service: &Object) -> bool {
    service.str_at("spec.type") == Some("LoadBalancer") && service.str_at("spec.loadBalancerClass").is_none()
}

fn has_finalizer(service: &Object) -> bool {
    service.meta.finalizers.iter().any(|it| *it == FINALIZER)
}

fn addresses(service: &Object) -> impl Iterator<Item = &str> {
    service.list_at("status.loadBalancer.ingress").iter().filter_map(|it| it.str_at("ip"))
}

fn ensure(cx: &mut Cx<'_>, service: &Arc<Object>) -> Result<(), Status> {
    if has_finalizer(service) && addresses(service).next().is_some() {
        return Ok(());
    }
    cx.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    let mut service = service.clone();
    if !has_finalizer(&service) {
        let mut with = Object::clone(&service);
        with.meta.finalizers = with.meta.finalizers.iter().cloned().chain([Str::from(FINALIZER)]).collect();
        service = cx.update(with)?;
    }
    let Some(address) = address(cx, &service) else {
        let message = "Error syncing load balancer: failed to ensure load balancer: no address is left";
        cx.event(&service, "Warning", "SyncLoadBalancerFailed", message);
        return Ok(());
    };
    cx.update_status(&service, with_ingress(&service, vec![value!({ "ip": address, "ipMode": "VIP" })]))?;
    cx.event(&service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
    Ok(())
}

/// The address that the Service asks for, or the lowest that nobody has.
fn address(cx: &Cx<'_>, service: &Object) -> Option<String> {
    if let Some(wanted) = service.str_at("spec.loadBalancerIP").filter(|it| !it.is_empty()) {
        return Some(wanted.to_owned());
    }
    let taken: BTreeSet<String> =
        cx.list(SERVICE, None).flat_map(|it| addresses(it).map(str::to_owned).collect::<Vec<_>>()).collect();
    ADDRESSES.map(|it| format!("{NETWORK}{it}")).find(|it| !taken.contains(it))
}

fn with_ingress(service: &Object, ingress: Vec<Value>) -> Value {
    let mut status = service.at("status").cloned().unwrap_or_else(Value::map);
    match ingress.is_empty() {
        true => status.set("loadBalancer", Value::map()),
        false => status.set("loadBalancer", value!({ "ingress": ingress })),
    }
    status
}

fn clean_up(cx: &mut Cx<'_>, service: &Arc<Object>) -> Result<(), Status> {
    cx.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
    let mut service = service.clone();
    if addresses(&service).next().is_some() {
        service = cx.update_status(&service, with_ingress(&service, Vec::new()))?;
    }
    let mut without = Object::clone(&service);
    without.meta.finalizers = without.meta.finalizers.iter().filter(|it| **it != FINALIZER).cloned().collect();
    let service = cx.update(without)?;
    cx.event(&service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
    Ok(())
}

//! Publishes where Ingresses are served, as the add-on `ingress-nginx` does: those of its classes, all at one address.

use kinds::{INGRESS, INGRESS_CLASS};
use meta::{Key, KindId, Object, Status};
use runtime::{Action, Cx, Reconciler, View, Watch};
use store::Change;
use value::{Value, value};

pub(crate) const EVENT_SOURCE: &str = "nginx-ingress-controller";
/// The controller that classes name.
const CONTROLLER: &str = "k8s.io/ingress-nginx";
/// How classes were named before they were objects.
const NOTE: &str = "kubernetes.io/ingress.class";
/// Of a network for documentation.
const ADDRESS: &str = "203.0.113.1";

pub(crate) struct Ingresses;

impl Reconciler for Ingresses {
    fn name(&self) -> &'static str {
        "ingress-nginx-controller"
    }

    fn kind(&self) -> KindId {
        INGRESS
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::itself(INGRESS), Watch::map(INGRESS_CLASS, all)]
    }

    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status> {
        let Some(ingress) = cx.get(INGRESS, key).filter(|it| !it.meta.is_deleted()) else {
            return Ok(Action::AwaitChange);
        };
        let listed = ingress.list_at("status.loadBalancer.ingress");
        let is_published = listed.iter().any(|it| it.str_at("ip") == Some(ADDRESS));
        match (is_served(cx, &ingress), is_published) {
            (true, false) => {
                cx.event(&ingress, "Normal", "Sync", "Scheduled for sync");
                cx.update_status(&ingress, value!({ "loadBalancer": { "ingress": [{ "ip": ADDRESS }] } }))?;
            }
            (false, true) => {
                cx.update_status(&ingress, value!({ "loadBalancer": {} }))?;
            }
            _ => (),
        }
        Ok(Action::AwaitChange)
    }
}

/// A class that comes or goes may be that of any Ingress.
fn all(_: &Change, view: &View<'_>, keys: &mut Vec<Key>) {
    keys.extend(view.list(INGRESS, None).map(|it| it.key()));
}

fn is_served(cx: &Cx<'_>, ingress: &Object) -> bool {
    let note = ingress.meta.annotations.get(NOTE).and_then(Value::as_str);
    match ingress.str_at("spec.ingressClassName").or(note) {
        Some(class) => {
            let class = cx.get(INGRESS_CLASS, &Key::cluster(class));
            class.is_some_and(|it| it.str_at("spec.controller") == Some(CONTROLLER))
        }
        None => false,
    }
}

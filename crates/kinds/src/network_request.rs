//! NetworkRequest: a simulated request over HTTP, whose answer tells its whole path. Asked and never stored.

use meta::Errors;

use crate::path::Path;
use crate::pod_template::fields::text;
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, Verbs};

pub(crate) const KIND: Kind = Kind {
    verbs: Verbs::Create,
    definition: "dev.drydock.sim.v1alpha1.NetworkRequest",
    strategy: Strategy { validate, ..Strategy::PLAIN },
    ..Kind::new(Scope::Cluster, "sim.drydock.dev", "v1alpha1", "NetworkRequest", "networkrequests")
};

fn validate(request: &meta::Object, errors: &mut Errors) {
    let spec = spec(request);
    let root = Path::root("spec");
    if text(spec, "url").is_empty() {
        root.child("url").required(errors, "such as http://web or http://10.96.0.1:80/path");
    }
    let Some(from) = spec.get("from").and_then(value::Value::as_map) else { return };
    let (node, pod) = (text(from, "node"), text(from, "pod"));
    let root = root.child("from");
    match (pod.is_empty(), node.is_empty()) {
        (false, false) => root.child("node").forbidden(errors, "may not be specified when `pod` is"),
        (true, _) if !text(from, "namespace").is_empty() => {
            root.child("pod").required(errors, "a namespace alone sends nothing");
        }
        _ => (),
    }
}

//! Admission: what a write needs of other objects, in upstream's order. One file per plugin.

mod certificates;
mod default_classes;
mod default_tolerations;
mod limit_ranger;
mod namespace_lifecycle;
mod pod_node;
mod pod_security;
mod priority;
pub(crate) mod resource_quota;
mod runtime_class;
mod secret_references;
mod service_account;
mod storage;
mod taint_nodes;
pub(crate) mod topology_labels;

use kinds::POD;
use meta::{Object, Status};
use value::{Map, Value};

use crate::server::ApiServer;
use crate::write::Write;

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

/// A write as plugins see it.
pub(crate) struct Request<'a> {
    pub write: &'a Write,
    pub operation: Operation,
    /// The object as stored, of an update or deletion.
    pub live: Option<&'a Object>,
}

impl Request<'_> {
    /// Whether this creates an object of `kind` itself.
    pub fn creates(&self, kind: meta::KindId) -> bool {
        self.operation == Operation::Create && self.is_of(kind)
    }

    /// Whether this is about an object of `kind` itself and not about a part of it.
    pub fn is_of(&self, kind: meta::KindId) -> bool {
        self.write.kind.id == kind && self.write.sub.is_empty()
    }
}

/// Looks at a new or changed object and completes it.
type Mutate = fn(&mut ApiServer, &Request<'_>, &mut Object) -> Result<(), Status>;
/// Refuses what other objects forbid, or warns of it. The object is absent where it is deleted.
type Validate = fn(&ApiServer, &Request<'_>, Option<&Object>, &mut Vec<String>) -> Result<(), Status>;

/// In the order of upstream's `AllOrderedPlugins`.
const MUTATING: &[Mutate] = &[
    namespace_lifecycle::admit,
    limit_ranger::admit,
    service_account::admit,
    taint_nodes::admit,
    priority::admit,
    default_tolerations::admit,
    default_classes::storage,
    storage::admit,
    runtime_class::admit,
    default_classes::ingress,
    topology_labels::admit,
];

/// The same.
const VALIDATING: &[Validate] = &[
    namespace_lifecycle::validate,
    limit_ranger::validate,
    service_account::validate,
    pod_security::validate,
    priority::validate,
    storage::validate,
    runtime_class::validate,
    certificates::validate,
    pod_node::validate,
];

/// Completes an object.
///
/// # Errors
/// `Forbidden` mostly, in the plugin's words.
pub(crate) fn mutate(
    api: &mut ApiServer,
    write: &Write,
    operation: Operation,
    object: &mut Object,
    live: Option<&Object>,
) -> Result<(), Status> {
    let request = Request { write, operation, live };
    let mut all = |object: &mut Object| MUTATING.iter().try_for_each(|admit| admit(api, &request, object));
    // Of updates only those of a pod's spec are completed: what is stored is complete.
    if live.is_some_and(|live| object.kind != POD || kinds::keeps_spec(object, live)) {
        debug_assert!({
            let mut same = object.clone();
            all(&mut same).is_ok() && same == *object
        });
        return Ok(());
    }
    all(object)
}

/// Gives a new pod the spec that its template is known to get, and looks at what is not the template's.
///
/// # Errors
/// Those of [`mutate`].
pub(crate) fn readmit(api: &mut ApiServer, write: &Write, pod: &mut Object, spec: Map) -> Result<(), Status> {
    let request = Request { write, operation: Operation::Create, live: None };
    namespace_lifecycle::admit(api, &request, pod)?;
    debug_assert!({
        let mut other = pod.clone();
        api.templates.share(&mut other);
        MUTATING.iter().try_for_each(|admit| admit(api, &request, &mut other)).is_ok()
            && other.body.get("spec") == Some(&Value::Map(spec.clone()))
    });
    pod.body.insert("spec", spec);
    topology_labels::admit(api, &request, pod)
}

/// Refuses what other objects forbid. Answers warnings.
///
/// # Errors
/// `Forbidden` mostly, in the plugin's words.
pub(crate) fn validate(
    api: &ApiServer,
    write: &Write,
    operation: Operation,
    object: Option<&Object>,
    live: Option<&Object>,
) -> Result<Vec<String>, Status> {
    let request = Request { write, operation, live };
    let mut warnings = Vec::new();
    let mut all = || VALIDATING.iter().try_for_each(|validate| validate(api, &request, object, &mut warnings));
    // What becomes of an object and where it runs concerns no plugin.
    if matches!(write.sub, "binding" | "status") {
        debug_assert!(all().is_ok() && warnings.is_empty());
    } else {
        all()?;
    }
    Ok(warnings)
}

/// Sets fields of the spec, at once.
fn set_in_spec(object: &mut Object, fields: &Map) {
    let spec = object.map_at("spec").map_or_else(|| fields.clone(), |it| it.merged(fields));
    object.body.insert("spec", spec);
}

/// The name by which a refusal speaks of an object (`extractResourceName`).
fn shown(object: &Object) -> &str {
    [&object.meta.name, &object.meta.generate_name].into_iter().find(|it| !it.is_empty()).map_or("Unknown", |it| it)
}

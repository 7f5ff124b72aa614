//! IngressClass. Follows `pkg/apis/networking/validation`.

use meta::{Errors, Object, names};
use value::{Map, Value};

use crate::path::Path;
use crate::pod_template::fields::{child, domain_prefixed_path, named, one_of, opt_text, text};
use crate::workload::spec;
use crate::{Kind, Scope, Strategy, columns, ingress};

const CONTROLLER_MAX: usize = 250;

pub(crate) const KIND: Kind = Kind {
    definition: "io.k8s.api.networking.v1.IngressClass",
    columns: || {
        const {
            &[
                columns::name_with_default(|it, _| {
                    let note = it.meta.annotations.get("ingressclass.kubernetes.io/is-default-class");
                    columns::marked(it, note.and_then(Value::as_str) == Some("true"))
                }),
                columns::text("Controller", "Who serves the class.", |it, _| columns::string(it, "spec.controller")),
                columns::text("Parameters", "An object with more on it.", |it, _| parameters(it).into()),
                columns::created(),
            ]
        }
    },
    strategy: Strategy {
        default: |it| {
            it.body.edit_map("spec", |it| it.edit_map("parameters", |it| it.set_default("scope", "Cluster")));
        },
        validate: |it, errors| validate(spec(it), errors),
        validate_update: |new, old, errors| {
            let controller = text(spec(new), "controller");
            if controller != text(spec(old), "controller") {
                Path::root("spec.controller").invalid(errors, controller, "field is immutable");
            }
            validate(spec(new), errors);
        },
        generation: true,
        ..Strategy::PLAIN
    },
    ..Kind::new(Scope::Cluster, "networking.k8s.io", "v1", "IngressClass", "ingressclasses")
};

fn parameters(it: &Object) -> String {
    let Some(parameters) = child(spec(it), "parameters") else { return "<none>".to_owned() };
    let group = opt_text(parameters, "apiGroup").map(|it| format!(".{it}")).unwrap_or_default();
    format!("{}{group}/{}", text(parameters, "kind"), text(parameters, "name"))
}

fn validate(spec: &Map, errors: &mut Errors) {
    let controller = text(spec, "controller");
    let path = Path::root("spec.controller");
    if controller.len() > CONTROLLER_MAX {
        path.too_long(errors, CONTROLLER_MAX);
    }
    domain_prefixed_path(controller, &path, errors);
    let Some(parameters) = child(spec, "parameters") else { return };
    let path = Path::root("spec.parameters");
    ingress::reference(parameters, &path, errors);
    let scope_path = path.child("scope");
    let namespace = opt_text(parameters, "namespace");
    let namespace_path = path.child("namespace");
    match opt_text(parameters, "scope") {
        None => scope_path.required(errors, ""),
        Some("Namespace") => match namespace {
            None => namespace_path.required(errors, "`parameters.scope` is set to 'Namespace'"),
            Some(namespace) => named(namespace, names::dns_label, &namespace_path, errors),
        },
        Some("Cluster") if namespace.is_some() => {
            namespace_path.forbidden(errors, "`parameters.scope` is set to 'Cluster'");
        }
        Some(scope) => one_of(scope, &["Cluster", "Namespace"], &scope_path, errors),
    }
}

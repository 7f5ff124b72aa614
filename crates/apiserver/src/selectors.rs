//! Which objects a list or a watch is about: selectors bound to a kind (`SelectionPredicate`).

use kinds::{JOB, Kind, POD, ServedKind};
use meta::selector::{FieldSelector, LabelSelector};
use meta::{Object, Status, quoted};
use value::Str;

/// Selectors of labels and fields, checked for a kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Selection {
    pub labels: LabelSelector,
    pub fields: FieldSelector,
}

const NAME: &str = "metadata.name";
const NAMESPACE: &str = "metadata.namespace";

/// The selector in the names of the stored version, where the kind has the fields (`ConvertFieldLabel`).
///
/// # Errors
/// 400 in one of two forms: kinds with fields of their own have other words than those without.
pub(crate) fn stored_fields(it: &ServedKind<'_>, fields: &FieldSelector) -> Result<FieldSelector, Status> {
    let kind = it.kind;
    let own = kind.selectable_fields;
    let renamed = it.served.map_or(&[][..], |it| it.renamed_fields);
    let mut fields = fields.clone();
    for term in &mut fields.terms {
        let field = term.field.as_str();
        let stored = match field {
            NAME => Some(NAME),
            // Kinds of the cluster that have fields of their own name all that they know.
            NAMESPACE if kind.is_namespaced() || own.is_empty() => Some(NAMESPACE),
            // As the oldest clients say it.
            "spec.host" if kind.id == POD => Some("spec.nodeName"),
            _ => {
                renamed.iter().find(|(here, _)| !here.is_empty() && *here == field).map(|(_, stored)| *stored).or_else(
                    || {
                        let has_other_name = renamed.iter().any(|(_, stored)| *stored == field);
                        own.iter().map(|it| it.name).find(|it| *it == field && !has_other_name)
                    },
                )
            }
        };
        let Some(stored) = stored else {
            return Err(Status::bad_request(if own.is_empty() && !kind.definition.is_empty() {
                format!("{} is not a known field selector: only \"{NAME}\", \"{NAMESPACE}\"", quoted(field))
            } else if kind.id == JOB {
                format!("field label {} not supported for Job", quoted(field))
            } else {
                format!("field label not supported: {field}")
            }));
        };
        if stored != field {
            term.field = stored.into();
        }
    }
    Ok(fields)
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    pub fn matches(&self, kind: &Kind, object: &Object) -> bool {
        (self.labels.requirements.is_empty() && !self.labels.nothing || self.labels.matches(&object.meta.labels))
            && (self.fields.is_everything() || self.fields.matches(&|field| read(kind, object, field)))
    }

    /// The one name that objects must have.
    pub fn name(&self) -> Option<&Str> {
        self.fields.required(NAME)
    }

    /// The one namespace in which objects must be.
    pub fn namespace(&self) -> Option<&Str> {
        self.fields.required(NAMESPACE)
    }

    /// Adds the name of a path. Only the same name may be selected beside it.
    ///
    /// # Errors
    /// 400.
    pub fn narrow(&mut self, name: &str) -> Result<(), Status> {
        if self.fields.is_everything() {
            self.fields = FieldSelector::equals(NAME, name);
        } else if self.name().is_none_or(|it| *it != name) {
            return Err(Status::bad_request("fieldSelector metadata.name doesn't match requested name"));
        }
        Ok(())
    }
}

fn read(kind: &Kind, object: &Object, field: &str) -> Str {
    match field {
        NAME => object.meta.name.clone(),
        NAMESPACE => object.meta.namespace.clone(),
        _ => kind.selectable_fields.iter().find(|it| it.name == field).map(|it| (it.read)(object)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;

//! Whether a pod may run on a node by its constraints: node selectors, node affinity, taints and tolerations.
//!
//! One place for what the scheduler, the DaemonSet controller and the taint manager ask alike
//! (`k8s.io/component-helpers/scheduling/corev1`). Parsed once per pod template, matched often.

use meta::Object;
use meta::selector::{Operator, Requirement};
use value::{Map, Str, Value};

/// One entry of a Node's `spec.taints`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Taint {
    pub key: Str,
    pub value: Str,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`
    pub effect: Str,
}

impl Taint {
    pub fn from_value(taint: &Value) -> Taint {
        Taint { key: text(taint, "key"), value: text(taint, "value"), effect: text(taint, "effect") }
    }
}

impl std::fmt::Display for Taint {
    /// As kubectl writes it: `gpu=true:NoSchedule`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        write!(f, ":{}", self.effect)
    }
}

/// The taints of a node, in order.
pub fn taints(node: &Object) -> Vec<Taint> {
    node.list_at("spec.taints").iter().map(Taint::from_value).collect()
}

/// One entry of a pod's `spec.tolerations`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toleration {
    pub key: Str,
    /// Empty means `Equal`.
    pub operator: Str,
    pub value: Str,
    /// Empty matches every effect.
    pub effect: Str,
    pub seconds: Option<i64>,
}

impl Toleration {
    pub fn from_value(toleration: &Value) -> Toleration {
        Toleration {
            key: text(toleration, "key"),
            operator: text(toleration, "operator"),
            value: text(toleration, "value"),
            effect: text(toleration, "effect"),
            seconds: toleration.i64_at("tolerationSeconds"),
        }
    }

    /// `Toleration.ToleratesTaint`
    pub fn tolerates(&self, taint: &Taint) -> bool {
        if (!self.effect.is_empty() && self.effect != taint.effect) || (!self.key.is_empty() && self.key != taint.key) {
            return false;
        }
        match &*self.operator {
            "" | "Equal" => self.value == taint.value,
            "Exists" => true,
            _ => false,
        }
    }
}

/// The tolerations in a pod's (or template's) `spec`, in order.
pub fn tolerations(spec: &Value) -> Vec<Toleration> {
    spec.list_at("tolerations").iter().map(Toleration::from_value).collect()
}

/// The first of `taints` with one of the effects in `effects` that nothing tolerates.
pub fn untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration], effects: &[&str]) -> Option<&'a Taint> {
    taints
        .iter()
        .filter(|it| effects.contains(&&*it.effect))
        .find(|it| !tolerations.iter().any(|toleration| toleration.tolerates(it)))
}

/// One term of a node selector: all of it must match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    pub labels: Vec<Requirement>,
    pub fields: Vec<Requirement>,
    /// A term that cannot be understood matches nothing.
    pub broken: bool,
    /// A term without requirements matches nothing.
    pub empty: bool,
}

impl Term {
    pub fn from_value(term: &Value) -> Term {
        let (labels, fields) = (term.list_at("matchExpressions"), term.list_at("matchFields"));
        let parsed_labels: Vec<_> = labels.iter().filter_map(requirement).collect();
        let parsed_fields: Vec<_> = fields.iter().filter_map(requirement).filter(is_field_requirement).collect();
        let broken = parsed_labels.len() != labels.len() || parsed_fields.len() != fields.len();
        Term { broken, empty: labels.is_empty() && fields.is_empty(), labels: parsed_labels, fields: parsed_fields }
    }

    pub fn matches(&self, node: &Object) -> bool {
        !self.broken && !self.empty && self.mismatch(node).is_none()
    }

    /// The first requirement that the node does not meet.
    pub fn mismatch(&self, node: &Object) -> Option<&Requirement> {
        let by_label = self.labels.iter().find(|it| !it.matches(&node.meta.labels));
        by_label.or_else(|| self.fields.iter().find(|it| !matches_field(it, node)))
    }
}

/// `spec.nodeSelector` and required node affinity of a pod or template (`RequiredNodeAffinity`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeAffinity {
    pub selector: Map,
    /// `None` without required affinity; otherwise one term must match.
    pub terms: Option<Vec<Term>>,
}

/// Why a node does not match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch<'a> {
    /// A label of `nodeSelector` is missing or has another value.
    Selector { key: &'a Str, value: &'a str },
    /// No term of the required affinity matches; the first requirement that failed of the last term, if there is one.
    Affinity(Option<&'a Requirement>),
}

const REQUIRED: &str = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";

impl NodeAffinity {
    /// Of a pod's or template's `spec`.
    pub fn from_spec(spec: &Value) -> NodeAffinity {
        NodeAffinity {
            selector: spec.map_at("nodeSelector").cloned().unwrap_or_default(),
            terms: spec.at(REQUIRED).map(|it| it.list_at("nodeSelectorTerms").iter().map(Term::from_value).collect()),
        }
    }

    pub fn matches(&self, node: &Object) -> bool {
        self.mismatch(node).is_none()
    }

    pub fn mismatch(&self, node: &Object) -> Option<Mismatch<'_>> {
        for (key, value) in self.selector.iter() {
            if node.meta.labels.get(key) != Some(value) {
                return Some(Mismatch::Selector { key, value: value.as_str().unwrap_or("") });
            }
        }
        let terms = self.terms.as_ref()?;
        if terms.iter().any(|it| it.matches(node)) {
            return None;
        }
        Some(Mismatch::Affinity(terms.last().and_then(|it| it.mismatch(node))))
    }

    /// The one node that `matchFields` of every term names, if they all name one: what daemon pods have.
    pub fn single_node(&self) -> Option<&Str> {
        let mut names = self
            .terms
            .as_ref()?
            .iter()
            .map(|term| term.fields.iter().find(|it| it.operator == Operator::In)?.values.first());
        let first = names.next()??;
        names.all(|it| it == Some(first)).then_some(first)
    }
}

/// The node that a daemon pod's spec is for: the quick form of [`NodeAffinity::single_node`] for specs that have one.
pub fn single_node(spec: &Value) -> Option<&Str> {
    let mut names = spec.at(REQUIRED)?.list_at("nodeSelectorTerms").iter().map(|term| {
        let field = term.list_at("matchFields").iter().find(|it| it.str_at("operator") == Some("In"))?;
        field.list_at("values").first()?.as_shared_str()
    });
    let first = names.next()??;
    names.all(|it| it == Some(first)).then_some(first)
}

fn text(from: &Value, key: &str) -> Str {
    from.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

/// A node selector requirement; `None` for an operator that does not exist or values that do not fit it.
fn requirement(item: &Value) -> Option<Requirement> {
    let operator = match item.str_at("operator")? {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => return None,
    };
    let values: Vec<Str> = item.list_at("values").iter().filter_map(Value::as_shared_str).cloned().collect();
    let fits = match operator {
        Operator::In | Operator::NotIn => !values.is_empty(),
        Operator::Exists | Operator::DoesNotExist => values.is_empty(),
        Operator::Gt | Operator::Lt => matches!(values.as_slice(), [one] if one.parse::<i64>().is_ok()),
    };
    fits.then(|| Requirement { key: text(item, "key"), operator, values })
}

/// Field requirements take exactly one value with `In` or `NotIn`.
fn is_field_requirement(it: &Requirement) -> bool {
    matches!(it.operator, Operator::In | Operator::NotIn) && it.values.len() == 1
}

/// The only field that nodes have here is `metadata.name`; any other is empty.
fn matches_field(it: &Requirement, node: &Object) -> bool {
    let have = if it.key == "metadata.name" { node.name() } else { "" };
    let listed = it.values.iter().any(|value| value == have);
    (it.operator == Operator::In) == listed
}

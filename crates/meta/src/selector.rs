//! Label and field selectors.

mod fields;
mod parse;

use value::{Map, Str, Value};

pub use self::fields::{FieldSelector, FieldTerm};

/// One requirement of a label selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    pub key: Str,
    pub operator: Operator,
    /// Sorted; empty for `Exists` and `DoesNotExist`.
    pub values: Vec<Str>,
}

/// How a label is compared. `Gt` and `Lt` exist in node selectors only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

/// A conjunction of requirements; none at all matches everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LabelSelector {
    pub requirements: Vec<Requirement>,
    /// Matches nothing whatever it requires: what a null `LabelSelector` means.
    pub nothing: bool,
}

impl LabelSelector {
    /// Of a `metav1.LabelSelector`; a missing one selects nothing, an empty one everything (`LabelSelectorAsSelector`).
    pub fn from_value(selector: Option<&Value>) -> LabelSelector {
        let Some(Value::Map(map)) = selector else {
            return LabelSelector { nothing: true, ..LabelSelector::default() };
        };
        let mut requirements = Vec::new();
        for (key, value) in map.get("matchLabels").and_then(Value::as_map).into_iter().flat_map(Map::iter) {
            let values = value.as_shared_str().cloned().into_iter().collect();
            requirements.push(Requirement { key: key.clone(), operator: Operator::In, values });
        }
        for item in map.get("matchExpressions").and_then(Value::as_list).map_or(&[][..], |it| it) {
            let operator = match item.str_at("operator") {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                Some("DoesNotExist") => Operator::DoesNotExist,
                _ => return LabelSelector { nothing: true, ..LabelSelector::default() },
            };
            let mut values: Vec<Str> =
                item.list_at("values").iter().filter_map(Value::as_shared_str).cloned().collect();
            values.sort();
            let key = item.at("key").and_then(Value::as_shared_str).cloned().unwrap_or_default();
            requirements.push(Requirement { key, operator, values });
        }
        LabelSelector { requirements, nothing: false }
    }

    /// Of a plain map such as `spec.selector` of a Service.
    pub fn from_labels(labels: &Map) -> LabelSelector {
        let requirements = labels
            .iter()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::In,
                values: value.as_shared_str().cloned().into_iter().collect(),
            })
            .collect();
        LabelSelector { requirements, nothing: false }
    }

    pub fn matches(&self, labels: &Map) -> bool {
        !self.nothing && self.requirements.iter().all(|it| it.matches(labels))
    }

    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }
}

impl Requirement {
    pub fn matches(&self, labels: &Map) -> bool {
        let have = labels.get(&self.key).and_then(Value::as_str);
        let listed = |have: &str| self.values.iter().any(|it| *it == have);
        match self.operator {
            Operator::In => have.is_some_and(listed),
            Operator::NotIn => !have.is_some_and(listed),
            Operator::Exists => have.is_some(),
            Operator::DoesNotExist => have.is_none(),
            Operator::Gt | Operator::Lt => {
                let (Some(Ok(have)), [bound]) = (have.map(str::parse::<i64>), self.values.as_slice()) else {
                    return false;
                };
                let Ok(bound) = bound.parse::<i64>() else { return false };
                if self.operator == Operator::Gt { have > bound } else { have < bound }
            }
        }
    }
}

//! What a pod says about other pods: affinity terms and topology spread constraints, parsed once.

use meta::Object;
use meta::selector::{LabelSelector, Operator, Requirement};
use value::{Map, Str, Value};

/// One term of pod affinity or anti-affinity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PodTerm {
    pub selector: LabelSelector,
    /// Sorted. With no namespaces and no selector of them it is the pod's own.
    pub namespaces: Vec<Str>,
    pub namespace_selector: Option<LabelSelector>,
    pub topology_key: Str,
}

impl PodTerm {
    fn from_value(term: &Value, own_namespace: &Str) -> PodTerm {
        let text = |key: &str| term.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let mut namespaces: Vec<Str> =
            term.list_at("namespaces").iter().filter_map(Value::as_shared_str).cloned().collect();
        let namespace_selector = term.get("namespaceSelector").map(|it| LabelSelector::from_value(Some(it)));
        if namespaces.is_empty() && namespace_selector.is_none() {
            namespaces.push(own_namespace.clone());
        }
        namespaces.sort();
        PodTerm {
            selector: selector(term.get("labelSelector")),
            namespaces,
            namespace_selector,
            topology_key: text("topologyKey"),
        }
    }

    /// Whether it means this pod; `labels_of` tells the labels of a namespace.
    pub fn matches(&self, pod: &Object, labels_of: &dyn Fn(&str) -> Option<Map>) -> bool {
        let in_namespace = self.namespaces.binary_search_by(|it| (**it).cmp(pod.namespace())).is_ok()
            || self.namespace_selector.as_ref().is_some_and(|selector| {
                selector.is_everything() || labels_of(pod.namespace()).is_some_and(|it| selector.matches(&it))
            });
        in_namespace && self.selector.matches(&pod.meta.labels)
    }
}

/// A selector that is absent selects nothing.
fn selector(value: Option<&Value>) -> LabelSelector {
    match value {
        Some(it) => LabelSelector::from_value(Some(it)),
        None => LabelSelector { requirements: Vec::new(), nothing: true },
    }
}

/// All terms of a pod.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PodTerms {
    pub affinity: Vec<PodTerm>,
    pub anti_affinity: Vec<PodTerm>,
    /// With their weights.
    pub preferred: Vec<(i64, PodTerm)>,
    pub anti_preferred: Vec<(i64, PodTerm)>,
}

impl PodTerms {
    /// `None` for a pod that says nothing, as most do.
    pub fn of(pod: &Object) -> Option<Box<PodTerms>> {
        let affinity = pod.at("spec.affinity")?;
        let own = &pod.meta.namespace;
        let required = |of: &'static str| -> Vec<PodTerm> {
            let list =
                affinity.at(of).map_or(&[] as &[_], |it| it.list_at("requiredDuringSchedulingIgnoredDuringExecution"));
            list.iter().map(|it| PodTerm::from_value(it, own)).collect()
        };
        let preferred = |of: &'static str| -> Vec<(i64, PodTerm)> {
            let list =
                affinity.at(of).map_or(&[] as &[_], |it| it.list_at("preferredDuringSchedulingIgnoredDuringExecution"));
            list.iter()
                .filter_map(|it| Some((it.i64_at("weight")?, PodTerm::from_value(it.get("podAffinityTerm")?, own))))
                .collect()
        };
        let terms = PodTerms {
            affinity: required("podAffinity"),
            anti_affinity: required("podAntiAffinity"),
            preferred: preferred("podAffinity"),
            anti_preferred: preferred("podAntiAffinity"),
        };
        (terms != PodTerms::default()).then(|| Box::new(terms))
    }
}

/// One topology spread constraint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Spread {
    pub max_skew: i64,
    pub topology_key: Str,
    pub selector: LabelSelector,
    pub min_domains: i64,
    /// Only nodes that match the pod's node affinity count (the default).
    pub honors_affinity: bool,
    /// Only nodes whose taints the pod tolerates count.
    pub honors_taints: bool,
}

/// The constraints of a pod: those that must hold or else, with `hard` false, those that should.
pub(crate) fn spreads(pod: &Object, hard: bool) -> Vec<Spread> {
    let wanted = if hard { "DoNotSchedule" } else { "ScheduleAnyway" };
    pod.list_at("spec.topologySpreadConstraints")
        .iter()
        .filter(|it| it.str_at("whenUnsatisfiable") == Some(wanted))
        .map(|it| Spread {
            max_skew: it.i64_at("maxSkew").unwrap_or(1),
            topology_key: it.get("topologyKey").and_then(Value::as_shared_str).cloned().unwrap_or_default(),
            selector: with_label_keys(selector(it.get("labelSelector")), it, &pod.meta.labels),
            min_domains: it.i64_at("minDomains").unwrap_or(1),
            honors_affinity: it.str_at("nodeAffinityPolicy") != Some("Ignore"),
            honors_taints: it.str_at("nodeTaintsPolicy") == Some("Honor"),
        })
        .collect()
}

/// `matchLabelKeys`: the pod's own values of these labels are selected too.
fn with_label_keys(mut selector: LabelSelector, constraint: &Value, labels: &Map) -> LabelSelector {
    for key in constraint.list_at("matchLabelKeys").iter().filter_map(Value::as_shared_str) {
        let known = selector.requirements.iter().any(|it| it.key == *key && it.operator == Operator::In);
        if let Some(value) = labels.get(key).and_then(Value::as_shared_str)
            && !known
        {
            let requirement = Requirement { key: key.clone(), operator: Operator::In, values: vec![value.clone()] };
            selector.requirements.push(requirement);
        }
    }
    selector
}

//! Pods of one template are admitted and checked once: what is equal, mostly by being one allocation, needs no second look.

use std::collections::VecDeque;

use kinds::{JOB, LIMIT_RANGE, POD, PRIORITY_CLASS, RUNTIME_CLASS, SERVICE_ACCOUNT, Strategy};
use meta::{KindId, Object, Revision};
use store::Store;
use value::{Map, Str, Value};

/// Templates remembered; the oldest is forgotten.
const TEMPLATES_MAX: usize = 64;
/// The parts of a pod's spec that every pod of a template shares.
const PARTS: [&str; 3] = ["containers", "initContainers", "volumes"];
/// What may differ among the pods of a template. Neither defaults nor admission look at it.
const OWN: &str = "affinity";
/// Kinds whose objects admission looks at when it completes the spec of a pod.
const FACTS: [KindId; 4] = [LIMIT_RANGE, PRIORITY_CLASS, RUNTIME_CLASS, SERVICE_ACCOUNT];

/// Parts of pod specs as an actor sent them and as they were stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    known: VecDeque<Known>,
    /// The template of the pod that is being created, and its spec and annotations.
    entered: Option<(Sent, Map, Map)>,
    /// Kinds and specs of pods and jobs as actors sent them, and with defaults.
    complete: VecDeque<(KindId, Map, Map)>,
    /// Specs of jobs that a CronJob made, before they got what names the job itself. All that is checked follows from them
    /// and from what the server adds.
    jobs: VecDeque<Map>,
    /// The spec of the job that is being created.
    job: Option<Map>,
}

type Parts = [Option<Value>; PARTS.len()];

/// What decides how a template is stored.
#[derive(Clone, PartialEq, Debug)]
struct Sent {
    parts: Parts,
    account: Option<Value>,
    namespace: Str,
}

#[derive(Clone, Debug)]
struct Known {
    sent: Sent,
    stored: Parts,
    whole: Option<Whole>,
}

/// A pod of a template as admission left it.
#[derive(Clone, Debug)]
struct Whole {
    sent: Map,
    annotations: Map,
    admitted: Map,
    /// Nothing that admission looks at has changed since.
    facts: Revision,
}

/// What is known of an object that is being created.
pub(crate) enum Seen {
    /// Nothing.
    New,
    /// The spec of such a job was checked before; that of a pod was, apart from what its template does not say.
    Checked,
    /// The same, and this is what admission makes of the pod's spec.
    Admitted(Map),
}

fn facts(store: &Store) -> Revision {
    FACTS.iter().map(|it| store.newest(*it)).max().unwrap_or_default()
}

/// Whether both specs surely are of one template.
fn is_sibling(a: &Map, b: &Map) -> bool {
    a.same(b) || (a.has_keys_of(b) && a.iter().zip(b.values()).all(|((key, a), b)| a.same(b) || *key == OWN))
}

/// What is known of a template with what its pod has of its own.
fn with_own(known: &Map, pod: &Map) -> Map {
    pod.get(OWN).map_or_else(|| known.clone(), |own| known.with(OWN, own))
}

fn parts(spec: &Map) -> Parts {
    PARTS.map(|it| spec.get(it).cloned())
}

fn same(a: &Parts, b: &Parts) -> bool {
    // What is equal is the same, whether or not it is one allocation: what is stored must not depend on sharing.
    a == b
}

/// Whether both have the same allocations, or equal scalars, under the same keys.
fn same_entries(a: &Map, b: &Map) -> bool {
    a.same(b) || a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, v), (l, w))| k == l && v.same(w))
}

/// Whether the spec of a new job says itself what its pods are to be found by: then it must fit the job's name.
fn names_job(spec: &Map) -> bool {
    let labels = spec.get("template").and_then(|it| it.map_at("metadata.labels"));
    let keys = [kinds::job::JOB_NAME, kinds::job::OLD_JOB_NAME];
    spec.contains_key("selector") || labels.is_some_and(|it| keys.iter().any(|key| it.contains_key(key)))
}

fn pod_spec(object: &Object) -> Option<&Map> {
    if object.kind == POD { object.body.get("spec")?.as_map() } else { None }
}

impl Templates {
    /// Fills in the defaults of an object from an actor; those of the spec of a pod or job that surely is like an earlier one
    /// are known.
    pub fn complete(&mut self, strategy: &Strategy, object: &mut Object) {
        let sent = object.map_at("spec").filter(|_| [JOB, POD].contains(&object.kind)).cloned();
        let Some(sent) = sent else { return (strategy.default)(object) };
        if let Some((_, _, spec)) = self.complete.iter().rfind(|it| it.0 == object.kind && is_sibling(&it.1, &sent)) {
            let spec = with_own(spec, &sent);
            debug_assert!({
                let mut other = object.clone();
                (strategy.default)(&mut other);
                other.map_at("spec") == Some(&spec)
            });
            object.body.insert("spec", spec);
            return (strategy.default_rest)(object);
        }
        (strategy.default)(object);
        if self.complete.len() == TEMPLATES_MAX {
            self.complete.pop_front();
        }
        self.complete.push_back((object.kind, sent, object.map_at("spec").cloned().unwrap_or_default()));
    }

    /// A new object begins. Only what actors send is known.
    pub fn enter(&mut self, store: &Store, object: &Object, from_actor: bool) -> Seen {
        (self.entered, self.job) = (None, None);
        let spec = object.body.get("spec").filter(|_| from_actor).and_then(Value::as_map);
        let Some(spec) = spec else { return Seen::New };
        if object.kind == JOB {
            if self.jobs.iter().any(|it| same_entries(it, spec)) {
                return Seen::Checked;
            }
            self.job = (!names_job(spec)).then(|| spec.clone());
        }
        if object.kind != POD {
            return Seen::New;
        }
        let sent = Sent {
            parts: parts(spec),
            account: spec.get("serviceAccountName").cloned(),
            namespace: object.meta.namespace.clone(),
        };
        let annotations = &object.meta.annotations;
        let known = self.find(&sent).map(|it| it.whole.as_ref());
        let is_whole =
            |it: &&Whole| is_sibling(&it.sent, spec) && it.annotations == *annotations && it.facts == facts(store);
        let seen = match known.map(|it| it.filter(is_whole)) {
            None => Seen::New,
            Some(None) => Seen::Checked,
            Some(Some(whole)) => Seen::Admitted(with_own(&whole.admitted, spec)),
        };
        self.entered = Some((sent, spec.clone(), annotations.clone()));
        seen
    }

    /// Gives a pod the parts that its template was stored with, where there are such.
    pub fn share(&self, object: &mut Object) {
        let Some(known) = self.entered.as_ref().and_then(|(sent, ..)| self.find(sent)) else { return };
        let mut spec = object.map_at("spec").cloned().unwrap_or_default();
        for (name, part) in PARTS.into_iter().zip(&known.stored) {
            if let Some(part) = part {
                spec.insert(name, part);
            }
        }
        object.body.insert("spec", spec);
    }

    /// The pod that entered is admitted.
    pub fn admitted(&mut self, store: &Store, object: &Object) {
        let (Some((sent, spec, annotations)), Some(admitted)) = (&self.entered, pod_spec(object)) else { return };
        let whole = Whole {
            sent: spec.clone(),
            annotations: annotations.clone(),
            admitted: admitted.clone(),
            facts: facts(store),
        };
        if annotations.same(&object.meta.annotations)
            && let Some(known) = self.known.iter_mut().find(|it| it.sent == *sent)
        {
            known.whole = Some(whole);
        }
    }

    /// Whether the parts of this pod were checked when they were stored; a job that is known when it enters stays so.
    pub fn knows(&self, object: &Object) -> bool {
        object.kind == JOB
            || pod_spec(object).is_some_and(|spec| {
                let parts = parts(spec);
                self.known.iter().any(|it| same(&it.stored, &parts))
            })
    }

    /// The pod or job that entered is stored.
    pub fn leave(&mut self, object: &Object) {
        if let Some(spec) = self.job.take().filter(|spec| !self.jobs.iter().any(|it| same_entries(it, spec))) {
            if self.jobs.len() == TEMPLATES_MAX {
                self.jobs.pop_front();
            }
            self.jobs.push_back(spec);
        }
        let (Some((sent, ..)), Some(spec)) = (self.entered.take(), pod_spec(object)) else { return };
        if self.find(&sent).is_some() {
            return;
        }
        if self.known.len() == TEMPLATES_MAX {
            self.known.pop_front();
        }
        self.known.push_back(Known { sent, stored: parts(spec), whole: None });
    }

    fn find(&self, sent: &Sent) -> Option<&Known> {
        self.known.iter().find(|it| it.sent == *sent)
    }

    /// Forgets everything: a service account changed, so that the same template may be stored differently.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}

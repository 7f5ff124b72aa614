//! Pods of one template are admitted and checked once: what is equal, mostly by being one allocation, needs no second look.

use std::collections::VecDeque;

use meta::Object;
use value::{Map, Str, Value};

/// Templates remembered; the oldest is forgotten.
const TEMPLATES_MAX: usize = 64;
/// The parts of a pod's spec that every pod of a template shares.
const PARTS: [&str; 3] = ["containers", "initContainers", "volumes"];

/// Parts of pod specs as an actor sent them and as they were stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    known: VecDeque<Known>,
    /// The template of the pod that is being created.
    entered: Option<Sent>,
    /// Specs of jobs that a CronJob made, before they got what names the job itself. All that is checked follows from them
    /// and from what the server adds.
    jobs: VecDeque<Map>,
    /// The spec of the job that is being created.
    job: Option<Map>,
}

type Parts = [Option<Value>; PARTS.len()];

/// What decides how a template is stored.
#[derive(Clone, Debug)]
struct Sent {
    parts: Parts,
    account: Option<Value>,
    namespace: Str,
}

#[derive(Clone, Debug)]
struct Known {
    sent: Sent,
    stored: Parts,
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
    a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, v), (l, w))| k == l && v.same(w))
}

/// Whether the spec of a new job says itself what its pods are to be found by: then it must fit the job's name.
fn names_job(spec: &Map) -> bool {
    let labels = spec.get("template").and_then(|it| it.map_at("metadata.labels"));
    let keys = [kinds::job::JOB_NAME, kinds::job::OLD_JOB_NAME];
    spec.contains_key("selector") || labels.is_some_and(|it| keys.iter().any(|key| it.contains_key(key)))
}

fn pod_spec(object: &Object) -> Option<&Map> {
    if object.kind == kinds::POD { object.body.get("spec")?.as_map() } else { None }
}

impl Templates {
    /// A pod from an actor begins: where its template is known, its parts become those that were stored before.
    /// Answers whether they did.
    pub fn enter(&mut self, object: &mut Object, from_actor: bool) -> bool {
        (self.entered, self.job) = (None, None);
        if object.kind == kinds::JOB && from_actor {
            self.job = object.map_at("spec").filter(|it| !names_job(it)).cloned();
            return self.job.as_ref().is_some_and(|spec| self.jobs.iter().any(|it| same_entries(it, spec)));
        }
        let Some(spec) = pod_spec(object).filter(|_| from_actor) else { return false };
        let sent = Sent {
            parts: parts(spec),
            account: spec.get("serviceAccountName").cloned(),
            namespace: object.meta.namespace.clone(),
        };
        let known = self.find(&sent).map(|it| it.stored.clone());
        self.entered = Some(sent);
        let Some(stored) = known else { return false };
        let mut spec = spec.clone();
        for (name, part) in PARTS.into_iter().zip(stored) {
            if let Some(part) = part {
                spec.insert(name, part);
            }
        }
        object.body.insert("spec", spec);
        true
    }

    /// Whether the parts of this pod were checked when they were stored; a job that is known when it enters stays so.
    pub fn knows(&self, object: &Object) -> bool {
        object.kind == kinds::JOB
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
        let (Some(sent), Some(spec)) = (self.entered.take(), pod_spec(object)) else { return };
        if self.find(&sent).is_some() {
            return;
        }
        if self.known.len() == TEMPLATES_MAX {
            self.known.pop_front();
        }
        self.known.push_back(Known { sent, stored: parts(spec) });
    }

    fn find(&self, sent: &Sent) -> Option<&Known> {
        self.known.iter().find(|it| {
            same(&it.sent.parts, &sent.parts) && it.sent.account == sent.account && it.sent.namespace == sent.namespace
        })
    }

    /// Forgets everything: a service account changed, so that the same template may be stored differently.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}

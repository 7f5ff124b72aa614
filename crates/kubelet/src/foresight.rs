//! Who looks ahead for containers that start: what programs that are alike come to is found out once.

use std::cell::RefCell;
use std::sync::Arc;

use kinds::{CONFIG_MAP, SECRET};
use meta::{Object, Revision};
use runtime::View;
use sim::Instant;
use value::quantity::Quantity;
use value::{Str, Value};

use crate::client::Client;
use crate::probes::PROBES;
use crate::recent::Recent;
use crate::shell::{self, End, Output, Program, Surroundings};
use crate::{image, logs, references};

/// What is needed to look ahead.
pub(crate) struct Foresight {
    /// Who answers programs that ask the network.
    pub client: Client,
    /// By container in a pod's spec.
    facts: RefCell<Recent<Value, Arc<Facts>>>,
    /// Whether volumes can be mounted.
    mounts: RefCell<Recent<Volumes, bool>>,
    /// By image: what is wrong with its name.
    faults: RefCell<Recent<Str, Option<String>>>,
}

/// Volumes of pods in a namespace, and the newest changes that may decide whether they are there.
#[derive(PartialEq)]
struct Volumes {
    list: Value,
    namespace: Str,
    newest: [Revision; 2],
}

/// What follows from a container's spec alone.
pub(crate) struct Facts {
    pub name: Str,
    pub image: Str,
    pub pull_policy: Str,
    /// `spec.containers{NAME}`, and `spec.initContainers{NAME}`.
    pub field_paths: [Str; 2],
    /// Whether it restarts whatever the pod says.
    pub restarts: bool,
    /// `None` where variables stand in its command line.
    known: Option<Arc<Known>>,
    /// Why it cannot start, once it was created.
    pub start_error: Option<String>,
    /// The memory that it may use and the memory that its program is told to use.
    pub memory: Option<(i64, Option<i64>)>,
    /// Whether it has probes or hooks.
    pub is_asked: bool,
    /// Whether it is a shell that nobody types into.
    pub is_idle_shell: bool,
}

/// What a container runs.
pub(crate) struct Known {
    /// `None`: it is not understood.
    pub program: Option<Program>,
    pub plain: Option<Plain>,
}

/// What a program did that does the same wherever and whenever it runs, when it ran at the beginning of time.
pub(crate) struct Plain(Output);

impl Plain {
    /// What it does if it begins at `start`, but for what it prints.
    pub fn output(&self, start: Instant) -> Output {
        let later = |end: End| End { at: start + end.at.since(Instant::default()), ..end };
        Output { end: self.0.end.map(later).filter(|it| it.at < Instant::END), ..self.0.clone() }
    }
}

impl Foresight {
    pub fn new(client: Client) -> Foresight {
        Foresight { client, facts: RefCell::default(), mounts: RefCell::default(), faults: RefCell::default() }
    }

    /// What is wrong with the name of an image, if anything is.
    pub fn fault_of_image(&self, image: &Str) -> Option<String> {
        self.faults.borrow_mut().answer(image.clone(), |it| image::check(it))
    }

    /// Whether all volumes of a pod can be mounted.
    pub fn can_mount(&self, view: &View<'_>, pod: &Object) -> bool {
        let Some(list) = pod.at("spec.volumes") else { return true };
        let newest = [CONFIG_MAP, SECRET].map(|it| view.newest(it));
        let volumes = Volumes { list: list.clone(), namespace: pod.meta.namespace.clone(), newest };
        self.mounts.borrow_mut().answer(volumes, |_| references::missing_volumes(view, pod).is_empty())
    }

    pub fn facts(&self, container: &Value) -> Arc<Facts> {
        self.facts.borrow_mut().answer(container.clone(), |it| Arc::new(Facts::of(it)))
    }
}

impl Facts {
    fn of(container: &Value) -> Facts {
        let words = container.list_at("command").iter().chain(container.list_at("args"));
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        let is_fixed = !words.iter().any(|it| logs::has_variables(it));
        let text = |key: &'static str| container.at(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let memory_max = container.str_at("resources.limits.memory").and_then(|it| Quantity::parse(it).ok());
        let name = text("name");
        Facts {
            image: text("image"),
            pull_policy: text("imagePullPolicy"),
            field_paths: ["spec.containers{", "spec.initContainers{"].map(|it| [it, &name, "}"].concat().into()),
            name,
            restarts: container.str_at("restartPolicy") == Some("Always"),
            known: is_fixed.then(|| Arc::new(Known::of(shell::program(&words)))),
            start_error: start_error(container),
            memory: memory_max.map(|it| (it.value(), image::stress(container))),
            is_asked: PROBES.iter().chain(&["lifecycle"]).any(|it| container.get(it).is_some()),
            is_idle_shell: image::is_idle_shell(container),
        }
    }

    /// What it runs, whose facts these are.
    pub fn program(&self, view: &View<'_>, pod: &Object, container: &Value) -> Arc<Known> {
        let known = self.known.clone();
        known.unwrap_or_else(|| Arc::new(Known::of(logs::program(view, pod, container))))
    }
}

fn start_error(container: &Value) -> Option<String> {
    let words = container.list_at("command").iter().chain(container.list_at("args"));
    let runs_args = container.list_at("command").is_empty() && !image::has_no_entry_point(container);
    let program = words.into_iter().find_map(Value::as_str).filter(|_| !runs_args)?;
    image::lacks(container, program).then(|| {
        let why = match program.starts_with('/') {
            true => format!("stat {program}: no such file or directory"),
            false => "executable file not found in $PATH".to_owned(),
        };
        format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create \
             failed: unable to start container process: error during container init: exec: \"{program}\": {why}: \
             unknown"
        )
    })
}

impl Known {
    fn of(program: Option<Program>) -> Known {
        let plain = program.as_ref().filter(|it| it.is_plain()).map(|it| {
            let output = shell::run(it, &Surroundings::default(), Instant::default(), Instant::END, None);
            Plain(Output { lines: Vec::new(), ..output })
        });
        Known { program, plain }
    }
}

//! What surrounds a pod's life: the store and its machine.

use std::collections::BTreeSet;

use meta::Object;
use runtime::View;
use sim::{Duration, Instant};
use value::{Str, Value};

use crate::foresight::Foresight;
use crate::hooks::{self, Hook};
use crate::life::Container;
use crate::probes::{self, Prospects};
use crate::{environment, image, references, security};

/// What is to be seen from a pod at one moment.
pub(crate) struct Outside<'a> {
    pub view: View<'a>,
    pub pod: &'a Object,
    pub foresight: &'a Foresight,
    /// Images that its machine has pulled.
    pub images: &'a BTreeSet<Str>,
}

impl Outside<'_> {
    /// Looks ahead for a container that starts at a time.
    pub fn prospects(&self, container: &Container, start: Instant) -> Prospects {
        let mut then = self.view;
        then.now = start;
        let spec = spec_of(self.pod, container);
        spec.map_or_else(Prospects::default, |it| {
            probes::prospects(&then, self.pod, it, &container.behavior, self.foresight)
        })
    }

    /// Volumes that cannot be mounted, and why.
    pub fn missing_volumes(&self) -> Vec<(Str, String)> {
        references::missing_volumes(&self.view, self.pod)
    }

    /// The image that a container is to have.
    pub fn image_of(&self, container: &Container) -> Option<Str> {
        spec_of(self.pod, container)?.get("image").and_then(Value::as_shared_str).cloned()
    }

    /// Why a container cannot be created (`generateContainerConfig`).
    pub fn config_error(&self, container: &Container) -> Option<String> {
        let spec = spec_of(self.pod, container)?;
        let missing = references::missing_variable(&self.view, self.pod, spec);
        missing.or_else(|| security::refusal(self.pod, spec))
    }

    /// Why a container that was created cannot start.
    pub fn start_error(&self, container: &Container) -> Option<String> {
        self.foresight.facts(spec_of(self.pod, container)?).start_error.clone()
    }

    /// What a container's `preStop` hook comes to.
    pub fn pre_stop(&self, container: &Container) -> Option<Hook> {
        let spec = spec_of(self.pod, container)?;
        if spec.at("lifecycle.preStop.httpGet").is_some() {
            let is_unheard = probes::stops_unheard(&self.view, self.pod, spec, self.foresight);
            return Some(Hook { took: Duration::ZERO, failure: is_unheard.then(String::new) });
        }
        spec.at("lifecycle.preStop.exec")?;
        let around = environment::with_files(&self.view, self.pod, spec);
        hooks::run(self.pod, spec, "preStop", &around, self.view.now)
    }

    /// Whether the machine has this image.
    pub fn has_image(&self, image: &str) -> bool {
        let wanted = image::canonical(image);
        self.images.contains(image) || self.images.iter().any(|it| image::canonical(it) == wanted)
    }
}

/// The container in the pod's spec.
pub(crate) fn spec_of<'a>(pod: &'a Object, container: &Container) -> Option<&'a Value> {
    let list = if container.is_init { "spec.initContainers" } else { "spec.containers" };
    pod.list_at(list).get(container.place)
}

//! Events that a step brings about, kept until the actor may record them.

use value::Str;

use crate::life::Container;

/// One event about a container or its pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ContainerEvent {
    pub level: &'static str,
    pub reason: &'static str,
    pub message: String,
    /// Of the container; empty for the pod as a whole.
    pub field_path: Str,
}

/// The events of one pod's step, in order.
#[derive(Default)]
pub(crate) struct Events {
    pub list: Vec<ContainerEvent>,
    /// Images that were pulled.
    pub pulled: Vec<Str>,
}

impl Events {
    pub fn normal(&mut self, container: &Container, reason: &'static str, message: String) {
        self.push("Normal", container, reason, message);
    }

    pub fn warning(&mut self, container: &Container, reason: &'static str, message: String) {
        self.push("Warning", container, reason, message);
    }

    /// About the pod as a whole.
    pub fn pod(&mut self, level: &'static str, reason: &'static str, message: String) {
        self.list.push(ContainerEvent { level, reason, message, field_path: Str::default() });
    }

    fn push(&mut self, level: &'static str, container: &Container, reason: &'static str, message: String) {
        self.list.push(ContainerEvent { level, reason, message, field_path: container.field_path.clone() });
    }
}

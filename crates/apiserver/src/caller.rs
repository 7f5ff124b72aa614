//! Who asks.

use meta::{Key, KindId, Revision};
use value::Str;

/// The change that made an actor act: the object and the revision of its change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    pub kind: KindId,
    pub key: Key,
    pub revision: Revision,
}

/// A client of the API, inside the engine or outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// What the stream of requests shows, such as `daemonset-controller` or `kubectl`.
    pub component: Str,
    /// The user's name, such as `system:kube-controller-manager`.
    pub user: Str,
    /// The field manager of its writes, such as `kube-controller-manager`.
    pub manager: Str,
    /// `source.component` of the events it records, such as `daemonset-controller`.
    pub event_source: &'static str,
    pub cause: Option<Cause>,
}

impl Caller {
    /// A component of the control plane or a kubelet.
    pub fn component(manager: &str, event_source: &'static str) -> Caller {
        Caller {
            component: Str::literal(event_source),
            user: Str::literal(&format!("system:{manager}")),
            manager: Str::literal(manager),
            event_source,
            cause: None,
        }
    }
}

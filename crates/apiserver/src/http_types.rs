//! What goes in and out of the handler beside the request itself.

use sim::Instant;
use value::Value;

use crate::virtuals::Virtual;

/// What the handler must know that is not in the request.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    pub now: Instant,
    /// Who makes the objects that are not stored; `None`: there are none.
    pub virtuals: Option<&'a dyn Virtual>,
}

impl RequestContext<'_> {
    /// Without objects that are not stored.
    pub fn at(now: Instant) -> RequestContext<'static> {
        RequestContext { now, virtuals: None }
    }
}

/// Names an open stream for as long as the cluster lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u64);

/// The body of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Bytes(Vec<u8>),
    /// The open watch whose chunks `pump` hands out.
    Watch(StreamId),
    /// A connection to a container: the host asks the kubelet.
    Tunnel(Tunnel),
    /// A request that only the cluster as a whole can answer; the host never sees it.
    Hook(Hook),
}

/// A connection to a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tunnel {
    /// `kubectl logs`: the query's options as a tree (`container`, `follow`, `tailLines`, …).
    Log { namespace: String, pod: String, options: Value },
    /// `exec`, `attach`, `portforward`
    Connect { namespace: String, pod: String, action: &'static str, options: Value },
}

/// What `cluster` answers itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hook {
    /// `POST …/clocks/cluster/advance` with its body.
    Advance(Value),
}

/// Part of a stream's body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Nothing comes after this; the stream is closed.
    pub last: bool,
}

//! What goes out of the handler beside the answer itself.

use value::Value;

/// Names an open stream for as long as the cluster lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u64);

/// The body of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Bytes(Vec<u8>),
    /// The open watch whose chunks `pump` hands out.
    Watch(StreamId),
    /// What the cluster answers, such as a connection to a container.
    Tunnel(Tunnel),
}

/// What others than the API server answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tunnel {
    /// `kubectl logs`: the query's options as a tree (`container`, `follow`, `tailLines`, …).
    Log { namespace: String, pod: String, options: Value },
    /// `exec`, `attach`, `portforward`, `proxy`
    Connect { namespace: String, pod: String, action: &'static str, options: Value },
    /// A NetworkRequest to be answered: the whole object, without its status.
    Request { review: Value },
}

/// Part of a stream's body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Nothing comes after this; the stream is closed.
    pub last: bool,
}

//! The API server: a request in, a response out, over the store. Everyone who reads or writes objects comes through here.
//!
//! [`ApiServer::handle`] is the door for HTTP, [`calls`] for the actors inside; both end in one write path (`write`).
//! Knows nothing of sockets, of wall time or of what controllers do with the objects.

mod admission;
mod caller;
pub mod calls;
mod codec;
mod components;
mod delete;
mod digest;
mod discovery;
mod documents;
mod events;
mod handlers;
mod health;
mod http_types;
mod layout;
mod list;
mod negotiate;
mod openapi;
mod options;
mod patch;
mod protobuf;
mod query;
mod reads;
mod requests;
mod response;
mod reviews;
mod route;
mod rules;
mod scope;
mod selectors;
mod server;
mod service_addresses;
mod shapes;
mod shown;
mod subresources;
mod table;
mod templates;
mod user;
mod watch;
mod write;

pub use self::caller::{Caller, Cause};
pub use self::delete::{DeleteOptions, Propagation};
pub use self::events::{Form, Recorded};
pub use self::http_types::{Body, Chunk, StreamId, Tunnel};
pub use self::requests::{ApiRequest, RequestTarget, Requests};
pub use self::server::{ApiServer, Config};

#[cfg(test)]
mod tests;

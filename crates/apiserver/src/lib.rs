//! The API server: a request in, a response out, over the store. Everyone who reads or writes objects comes through here.
//!
//! [`ApiServer::handle`] is the door for HTTP, [`calls`] for the actors inside; both end in one write path (`write`).
//! Knows nothing of sockets, of wall time or of what controllers do with the objects.

mod admission;
mod bootstrap;
mod caller;
pub mod calls;
mod codec;
mod delete;
mod discovery;
mod handlers;
mod health;
mod http_types;
mod list;
mod negotiate;
mod openapi;
mod options;
mod patch;
mod query;
mod requests;
mod response;
mod route;
mod scope;
mod selectors;
mod server;
mod subresources;
mod table;
mod virtuals;
mod watch;
mod write;

pub use self::caller::{Caller, Cause};
pub use self::delete::{DeleteOptions, Propagation};
pub use self::http_types::{Body, Chunk, Hook, RequestContext, StreamId, Tunnel};
pub use self::requests::{Record, Requests};
pub use self::server::{ApiConfig, ApiServer};
pub use self::virtuals::Virtual;

#[cfg(test)]
mod tests;

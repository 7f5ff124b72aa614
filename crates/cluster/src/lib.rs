//! The whole simulated cluster as one value: [`Cluster::handle`] and [`Cluster::advance`] are the only doors.
//!
//! Puts API server, controllers, scheduler and kubelets together and drives them in turns.
//! No IO, no threads, no clock of its own: the same seed and the same inputs give the same run to the byte.

mod actors;
mod bootstrap;
mod clock;
mod cluster;
mod config;
mod exec;
mod fingerprint;
mod logs;
mod metrics;
mod requests;
mod snapshot;
mod virtuals;

pub use self::cluster::{Cluster, Progress};
pub use self::config::{Config, KubeletMode};
pub use apiserver::{ApiRequest, ApiServer, Body, Chunk, RequestTarget, StreamId};
pub use sim::{Duration, Instant};

#[cfg(test)]
mod tests;

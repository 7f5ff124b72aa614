//! The page: what both of its programs, the app and the worker, know.
//!
//! The app draws and never waits; the worker holds the engine.

/// What the worker says when it can take requests.
pub const WORKER_READY: &str = "ready";

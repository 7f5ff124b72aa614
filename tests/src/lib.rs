//! Tests of the whole cluster: what its programs and its tests share.

pub mod fuzz;
pub mod host;
pub mod session;

//! Tests of the whole cluster: what its programs and its tests share.

pub mod host;
pub mod session;

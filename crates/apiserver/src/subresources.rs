//! Subresources that are more than a part of their object. One file each.

pub(crate) mod binding;
pub(crate) mod eviction;
pub(crate) mod scale;
pub(crate) mod token;

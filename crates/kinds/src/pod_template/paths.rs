//! Paths of files inside volumes and images.

use meta::Errors;

use crate::path::Path;

/// `validatePathNoBacksteps`
pub(crate) fn no_backsteps(target: &str, path: &Path<'_>, errors: &mut Errors) {
    if has_backsteps(target) {
        path.invalid(errors, target, "must not contain '..'");
    }
}

pub(super) fn has_backsteps(target: &str) -> bool {
    target.split('/').any(|part| part == "..")
}

/// `validateLocalDescendingPath`
pub(super) fn descending(target: &str, path: &Path<'_>, errors: &mut Errors) {
    if target.starts_with('/') {
        path.invalid(errors, target, "must be a relative path");
    }
    no_backsteps(target, path, errors);
}

/// `ValidateLocalNonReservedPath`
pub(super) fn non_reserved(target: &str, path: &Path<'_>, errors: &mut Errors) {
    descending(target, path, errors);
    if target.starts_with("..") && !target.starts_with("../") {
        path.invalid(errors, target, "must not start with '..'");
    }
}

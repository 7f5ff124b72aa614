//! Probes and lifecycle handlers.

use meta::{Errors, names};
use value::{Map, Value};

use super::fields::{child, int, list, maps, named, non_negative, one_of, opt_int, require, text};
use crate::path::Path;

const TWO_HANDLERS: &str = "may not specify more than 1 handler type";

/// The probes of a container that may have them.
pub(super) fn probes(container: &Map, grace: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(it) = child(container, key) else { continue };
        let path = path.child(key);
        probe(it, grace, &path, errors);
        if key == "readinessProbe" {
            if let Some(seconds) = opt_int(it, "terminationGracePeriodSeconds") {
                path.child("terminationGracePeriodSeconds").invalid(
                    errors,
                    seconds,
                    "must not be set for readinessProbes",
                );
            }
        } else if int(it, "successThreshold") != 1 {
            path.child("successThreshold").invalid(errors, int(it, "successThreshold"), "must be 1");
        }
    }
}

fn probe(probe: &Map, grace: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace, path, errors);
    for key in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        non_negative(int(probe, key), &path.child(key), errors);
    }
    if let Some(seconds) = opt_int(probe, "terminationGracePeriodSeconds").filter(|it| *it <= 0) {
        path.child("terminationGracePeriodSeconds").invalid(errors, seconds, "must be greater than 0");
    }
}

/// `validateHandler`: exactly one of `known`, and that one right.
fn handler(handler: &Map, known: &[&str], grace: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for key in known {
        let Some(action) = child(handler, key) else { continue };
        let path = path.child(key);
        if found {
            path.forbidden(errors, TWO_HANDLERS);
            continue;
        }
        found = true;
        match *key {
            "exec" if list(action, "command").is_empty() => path.child("command").required(errors, ""),
            "exec" => (),
            "httpGet" => http_get(action, &path, errors),
            "sleep" => sleep(action, grace, &path, errors),
            _ => port(action, &path, errors),
        }
    }
    if !found {
        path.required(errors, "must specify a handler type");
    }
}

fn http_get(action: &Map, path: &Path<'_>, errors: &mut Errors) {
    require(action, "path", path, errors);
    port(action, path, errors);
    one_of(text(action, "scheme"), &["HTTP", "HTTPS"], &path.child("scheme"), errors);
    for (_, header) in maps(action, "httpHeaders") {
        named(text(header, "name"), names::http_header_name, &path.child("httpHeaders"), errors);
    }
}

/// `ValidatePortNumOrName` of the field `port`.
fn port(action: &Map, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("port");
    match action.get("port") {
        Some(Value::Str(name)) => named(name, names::port_name, &path, errors),
        other => {
            let number = other.and_then(Value::as_i64).unwrap_or(0);
            for message in names::port_number(number) {
                path.invalid(errors, number, &message);
            }
        }
    }
}

fn sleep(action: &Map, grace: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let seconds = int(action, "seconds");
    if let Some(grace) = grace
        && !(0..=grace).contains(&seconds)
    {
        let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        path.invalid(errors, seconds, &detail);
    }
}

/// `validateLifecycle`
pub(super) fn lifecycle(lifecycle: &Map, grace: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    for key in ["postStart", "preStop"] {
        if let Some(it) = child(lifecycle, key) {
            handler(it, &["exec", "httpGet", "tcpSocket", "sleep"], grace, &path.child(key), errors);
        }
    }
}

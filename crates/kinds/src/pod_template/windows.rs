//! What pods on Windows may say.

use meta::{Errors, names};
use value::Map;

use super::fields::{child, flag, opt_flag, opt_text};
use crate::path::Path;

/// `validateWindowsSecurityContextOptions` of the `windowsOptions` in a security context.
pub(super) fn options(context: &Map, path: &Path<'_>, errors: &mut Errors) {
    const SPEC_KIB_MAX: usize = 64;
    let Some(options) = child(context, "windowsOptions") else { return };
    let path = path.child("windowsOptions");
    if let Some(name) = opt_text(options, "gmsaCredentialSpecName") {
        path.child("gmsaCredentialSpecName").invalid_each(errors, name, &names::dns_subdomain(name));
    }
    if let Some(spec) = opt_text(options, "gmsaCredentialSpec") {
        let path = path.child("gmsaCredentialSpec");
        if spec.is_empty() {
            path.invalid(errors, spec, "gmsaCredentialSpec cannot be an empty string");
        } else if spec.len() > SPEC_KIB_MAX * 1024 {
            path.invalid(errors, spec, &format!("gmsaCredentialSpec size must be under {SPEC_KIB_MAX} KiB"));
        }
    }
    if let Some(name) = opt_text(options, "runAsUserName") {
        user_name(name, &path.child("runAsUserName"), errors);
    }
}

/// `DOMAIN\user` or `user`.
fn user_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    const DOMAIN_MAX: usize = 256;
    const USER_MAX: usize = 104;
    let mut wrong = |detail: &str| path.invalid(errors, name, &format!("runAsUserName{detail}"));
    if name.is_empty() {
        return wrong(" cannot be an empty string");
    }
    if name.bytes().any(|c| c.is_ascii_control()) {
        return wrong(" cannot contain control characters");
    }
    let (domain, user) = match name.split_once('\\') {
        Some((_, user)) if user.contains('\\') => return wrong(" cannot contain more than one backslash"),
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    if let Some(domain) = domain {
        if domain.len() >= DOMAIN_MAX {
            wrong(&format!("'s Domain length must be under {DOMAIN_MAX} characters"));
        }
        if !is_net_bios(domain) && !is_domain(domain) {
            wrong("'s Domain doesn't match the NetBios nor the DNS format");
        }
    }
    if user.is_empty() {
        wrong("'s User cannot be empty");
    } else if user.len() > USER_MAX {
        wrong(&format!("'s User length must not be longer than {USER_MAX} characters"));
    }
    if !user.is_empty() && user.bytes().all(|c| matches!(c, b'.' | b' ')) {
        wrong("'s User cannot contain only periods or spaces");
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        wrong("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
    }
}

fn is_net_bios(domain: &str) -> bool {
    let length = domain.chars().count();
    (1..=15).contains(&length)
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_domain(domain: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    domain.split('.').all(|label| {
        label.len() <= 63
            && edge(label.bytes().next())
            && edge(label.bytes().last())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    })
}

/// `validateWindowsHostProcessPod`: all containers are host processes or none is.
pub(super) fn host_processes(spec: &Map, path: &Path<'_>, errors: &mut Errors) {
    let asked = |holder: &Map| {
        child(holder, "securityContext")
            .and_then(|it| child(it, "windowsOptions"))
            .and_then(|it| opt_flag(it, "hostProcess"))
    };
    let of_pod = asked(spec);
    let (mut n_containers, mut n_host_processes) = (0, 0);
    super::fields::each_container(spec, path, &mut |container, path| {
        n_containers += 1;
        let own = asked(container);
        if let (Some(pod), Some(own)) = (of_pod, own)
            && pod != own
        {
            let detail = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            path.child("securityContext.windowsOptions.hostProcess").invalid(errors, own, &detail);
        }
        if own.or(of_pod) == Some(true) {
            n_host_processes += 1;
        }
    });
    if n_host_processes == 0 {
        return;
    }
    if n_host_processes != n_containers {
        path.invalid(
            errors,
            "",
            "If pod contains any hostProcess containers then all containers must be HostProcess containers",
        );
    }
    if !flag(spec, "hostNetwork") {
        path.child("hostNetwork").invalid(
            errors,
            false,
            "hostNetwork must be true if pod contains any hostProcess containers",
        );
    }
}

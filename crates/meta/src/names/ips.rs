//! IP addresses and networks (`k8s.io/apimachinery/pkg/util/validation/ip.go`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP address as old Kubernetes read it: leading zeros of IPv4 parts are allowed (`netutils.ParseIPSloppy`).
pub fn sloppy_ip(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip);
    }
    let (head, tail) = match text.rfind(':') {
        Some(idx) => text.split_at(idx + 1),
        None => ("", text),
    };
    let v4 = sloppy_ipv4(tail)?;
    if head.is_empty() {
        return Some(IpAddr::V4(v4));
    }
    format!("{head}{v4}").parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn sloppy_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        *octet = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

/// The text Go gives an address: IPv4 inside IPv6 is shown as IPv4.
pub fn ip_text(ip: IpAddr) -> String {
    ip.to_canonical().to_string()
}

/// `IsValidIPForLegacyField` with strict validation.
pub fn legacy_ip(text: &str) -> Vec<String> {
    let Some(ip) = sloppy_ip(text) else {
        return vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()];
    };
    match text.parse::<IpAddr>() {
        Err(_) => vec!["must not have leading 0s".to_owned()],
        Ok(_) if is_mapped(ip) => vec!["must not be an IPv4-mapped IPv6 address".to_owned()],
        Ok(_) => Vec::new(),
    }
}

/// `IsValidIP`: strict and in canonical form.
pub fn ip(text: &str) -> Vec<String> {
    let errors = legacy_ip(text);
    if !errors.is_empty() {
        return errors;
    }
    match sloppy_ip(text).map(ip_text) {
        Some(canonical) if canonical != text => vec![format!("must be in canonical form (\"{canonical}\")")],
        _ => Vec::new(),
    }
}

/// `GetWarningsForIP`, after the path and a colon.
pub fn ip_warning(text: &str) -> Option<String> {
    let ip = sloppy_ip(text)?;
    if text.parse::<IpAddr>().is_err() || is_mapped(ip) {
        return Some(format!("non-standard IP address \"{text}\" is invalid: use \"{}\"", ip_text(ip)));
    }
    let canonical = ip.to_string();
    (ip.is_ipv6() && canonical != text)
        .then(|| format!("IPv6 address \"{text}\" should be in RFC 5952 canonical format (\"{canonical}\")"))
}

/// An address and the length of its prefix; leading zeros of IPv4 parts are allowed (`netutils.ParseCIDRSloppy`).
pub fn sloppy_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let ip = sloppy_ip(address)?;
    if length.is_empty() || !length.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let length: u32 = length.parse().ok()?;
    let max = if ip.is_ipv4() { 32 } else { 128 };
    (length <= max).then_some((ip, length as u8))
}

/// The first address of the network.
pub fn network_of(ip: IpAddr, length: u8) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

/// `IsValidCIDRForLegacyField` with strict validation.
pub fn legacy_cidr(text: &str) -> Vec<String> {
    let Some((ip, length)) = sloppy_cidr(text) else {
        return vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()];
    };
    let (address, digits) = text.split_once('/').unwrap_or_default();
    let message = if address.parse::<IpAddr>().is_err() || (digits.len() > 1 && digits.starts_with('0')) {
        "must not have leading 0s in IP or prefix length"
    } else if is_mapped(ip) {
        "must not have an IPv4-mapped IPv6 address"
    } else if network_of(ip, length) != ip {
        "must not have bits set beyond the prefix length"
    } else {
        return Vec::new();
    };
    vec![message.to_owned()]
}

/// `GetWarningsForCIDR`, after the path and a colon.
pub fn cidr_warnings(text: &str) -> Vec<String> {
    let Some((ip, length)) = sloppy_cidr(text) else { return Vec::new() };
    let address = text.split_once('/').map_or("", |(it, _)| it);
    let network = format!("{}/{length}", ip_text(network_of(ip, length)));
    let mut res = Vec::new();
    if network_of(ip, length) != ip {
        let max = if ip.is_ipv4() { 32 } else { 128 };
        let single = format!("{}/{max}", ip_text(ip));
        res.push(format!(
            "CIDR value \"{text}\" is ambiguous in this context (should be \"{network}\" or \"{single}\"?)"
        ));
    }
    if address.parse::<IpAddr>().is_err()
        || is_mapped(ip)
        || text.rsplit('/').next().is_some_and(|it| it.len() > 1 && it.starts_with('0'))
    {
        res.push(format!("non-standard CIDR value \"{text}\" is invalid: use \"{network}\""));
    } else if res.is_empty() && ip.is_ipv6() && network != text {
        res.push(format!("IPv6 CIDR value \"{text}\" should be in RFC 5952 canonical format (\"{network}\")"));
    }
    res
}

/// `IsValidCIDR`: strict and in canonical form.
pub fn cidr(text: &str) -> Vec<String> {
    let errors = legacy_cidr(text);
    if !errors.is_empty() {
        return errors;
    }
    match sloppy_cidr(text).map(|(ip, length)| format!("{}/{length}", network_of(ip, length))) {
        Some(canonical) if canonical != text => vec![format!("must be in canonical form (\"{canonical}\")")],
        _ => Vec::new(),
    }
}

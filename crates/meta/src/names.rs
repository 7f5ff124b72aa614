//! What names may look like (`k8s.io/apimachinery/pkg/util/validation` and `api/validate/content`).
//!
//! Each check answers upstream's messages, empty when all is well; a valid name costs no allocation.

mod ips;

pub use self::ips::{
    cidr, cidr_warnings, ip, ip_text, ip_warning, legacy_cidr, legacy_ip, network_of, sloppy_cidr, sloppy_ip,
};

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;

const LABEL_PATTERN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_PATTERN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const SUBDOMAIN_MESSAGE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const KEY_PATTERN: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_MESSAGE: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// `must be no more than N bytes`, as the newer checks (label keys and values) say it.
pub fn max_len(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

/// `must be no more than N characters`, as the older checks (DNS names, ports, configuration keys) say it.
pub fn max_chars(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// `must be between LOW and HIGH, inclusive`
pub fn inclusive_range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// A message with examples and the pattern that was used.
pub fn regex_error(message: &str, pattern: &str, examples: &[&str]) -> String {
    let mut text = String::with_capacity(message.len() + pattern.len() + 64);
    text.push_str(message);
    text.push_str(" (");
    for (idx, example) in examples.iter().enumerate() {
        text.push_str(if idx == 0 { "e.g. '" } else { " or '" });
        text.push_str(example);
        text.push_str("', ");
    }
    text.push_str("regex used for validation is '");
    text.push_str(pattern);
    text.push_str("')");
    text
}

/// Whether all of `text` is `inner` and its first and last byte are `edge`; false for nothing.
fn shaped(text: &str, inner: fn(u8) -> bool, edge: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    edge(*first) && edge(*last) && bytes.iter().all(|c| inner(*c))
}

fn lower(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn lower_dash(c: u8) -> bool {
    lower(c) || c == b'-'
}

fn alphanumeric(c: u8) -> bool {
    c.is_ascii_alphanumeric()
}

fn key_char(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')
}

fn is_label(text: &str) -> bool {
    shaped(text, lower_dash, lower)
}

/// Labels with dots between, in one pass.
fn is_subdomain(text: &str) -> bool {
    let mut before = b'.';
    for c in text.bytes() {
        let fits = lower(c) || (c == b'-' && before != b'.') || (c == b'.' && lower(before));
        if !fits {
            return false;
        }
        before = c;
    }
    lower(before)
}

fn is_key(text: &str) -> bool {
    shaped(text, key_char, alphanumeric)
}

/// `IsDNS1123Label`
pub fn dns_label(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(max_chars(LABEL_MAX));
    }
    if !is_label(text) {
        errors.push(match is_subdomain(text) {
            true => "must not contain dots".to_owned(),
            false => regex_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                LABEL_PATTERN,
                &["my-name", "123-abc"],
            ),
        });
    }
    errors
}

/// `IsDNS1123Subdomain`
pub fn dns_subdomain(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        errors.push(max_chars(SUBDOMAIN_MAX));
    }
    if !is_subdomain(text) {
        errors.push(regex_error(SUBDOMAIN_MESSAGE, SUBDOMAIN_PATTERN, &["example.com"]));
    }
    errors
}

/// `IsDNS1123SubdomainWithUnderscore`
pub fn dns_subdomain_with_underscore(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        errors.push(max_chars(SUBDOMAIN_MAX));
    }
    let label = |label: &str| shaped(label.strip_prefix('_').unwrap_or(label), |c| lower_dash(c) || c == b'_', lower);
    if !text.split('.').all(label) {
        errors.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
            "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    errors
}

/// `IsDNS1035Label`
pub fn dns_1035_label(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(max_chars(LABEL_MAX));
    }
    if !is_label(text) || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        errors.push(regex_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

/// `IsWildcardDNS1123Subdomain`
pub fn wildcard_dns_subdomain(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        errors.push(max_chars(SUBDOMAIN_MAX));
    }
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        errors.push(regex_error(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &format!("\\*\\.{SUBDOMAIN_PATTERN}"),
            &["*.example.com"],
        ));
    }
    errors
}

/// `IsQualifiedName` (`IsLabelKey`): a name with an optional DNS prefix, such as `example.com/my-name`.
pub fn qualified_name(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let examples = &["MyName", "my.name", "123-abc"];
    let name = match text.bytes().position(|c| c == b'/').map(|at| (&text[..at], &text[at + 1..])) {
        None => text,
        Some((_, name)) if name.bytes().any(|c| c == b'/') => {
            let shape = regex_error(KEY_MESSAGE, KEY_PATTERN, examples);
            return vec![format!(
                "a valid label key {shape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > SUBDOMAIN_MAX {
                    errors.push(format!("prefix part {}", max_len(SUBDOMAIN_MAX)));
                }
                if !is_subdomain(prefix) {
                    errors.push(format!(
                        "prefix part {}",
                        regex_error(SUBDOMAIN_MESSAGE, SUBDOMAIN_PATTERN, &["example.com"])
                    ));
                }
            }
            name
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        errors.push(format!("name part {}", max_len(LABEL_MAX)));
    }
    if !is_key(name) {
        errors.push(format!("name part {}", regex_error(KEY_MESSAGE, KEY_PATTERN, examples)));
    }
    errors
}

/// `IsValidLabelValue`
pub fn label_value(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(max_len(LABEL_MAX));
    }
    if !text.is_empty() && !is_key(text) {
        errors.push(regex_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// `IsInRange`: one message when `value` is outside.
pub fn in_range(value: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&value) { Vec::new() } else { vec![inclusive_range(low, high)] }
}

/// `IsValidPortNum`
pub fn port_number(port: i64) -> Vec<String> {
    in_range(port, 1, 65535)
}

/// `IsValidUserID` and `IsValidGroupID`
pub fn user_or_group_id(id: i64) -> Vec<String> {
    in_range(id, 0, i64::from(i32::MAX))
}

/// `IsValidPortName`
pub fn port_name(text: &str) -> Vec<String> {
    const PORT_NAME_MAX: usize = 15;
    let mut errors = Vec::new();
    if text.len() > PORT_NAME_MAX {
        errors.push(max_chars(PORT_NAME_MAX));
    }
    if text.is_empty() || !text.bytes().all(lower_dash) {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|c| c.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// `IsValidPercent`
pub fn percent(text: &str) -> Vec<String> {
    let digits = text.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) {
        return Vec::new();
    }
    vec![regex_error(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// `IsHTTPHeaderName`
pub fn http_header_name(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Vec::new();
    }
    vec![regex_error(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// `IsRelaxedEnvVarName`
pub fn env_var_name(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.is_empty() {
        errors.push("environment variable name must be non-empty".to_owned());
    }
    if !text.bytes().all(|c| (b' '..=b'~').contains(&c) && c != b'=') {
        errors.push(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        );
    }
    errors
}

/// `IsConfigMapKey`
pub fn config_map_key(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        errors.push(max_chars(SUBDOMAIN_MAX));
    }
    if text.is_empty() || !text.bytes().all(key_char) {
        errors.push(regex_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    match text {
        "." => errors.push("must not be '.'".to_owned()),
        ".." => errors.push("must not be '..'".to_owned()),
        _ if text.starts_with("..") => errors.push("must not start with '..'".to_owned()),
        _ => (),
    }
    errors
}

/// `IsPathSegmentName`: what may stand between two slashes of a URL.
pub fn path_segment_name(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let mut errors = Vec::new();
    for banned in ['/', '%'] {
        if text.contains(banned) {
            errors.push(format!("may not contain '{banned}'"));
        }
    }
    errors
}

/// `IsFullyQualifiedName`: one message, or nothing; `Required value` is the caller's for an empty text.
pub fn fully_qualified_name(text: &str) -> Vec<String> {
    let errors = dns_subdomain(text);
    if !errors.is_empty() {
        return vec![errors.join(",")];
    }
    if text.split('.').count() < 3 {
        return vec!["should be a domain with at least three segments separated by dots".to_owned()];
    }
    Vec::new()
}

/// `IsFullyQualifiedDomainName`: one message on a part of the name, or nothing; `Required value` is the caller's for an empty text.
pub fn fully_qualified_domain_name(text: &str) -> Option<(&str, String)> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let errors = dns_subdomain(name);
    if !errors.is_empty() {
        return Some((name, errors.join(",")));
    }
    if !name.contains('.') {
        return Some((name, "should be a domain with at least two segments separated by dots".to_owned()));
    }
    name.split('.')
        .map(|it| (it, dns_label(it)))
        .find(|(_, it)| !it.is_empty())
        .map(|(it, errors)| (it, errors.join(",")))
}

//! `curl`.

use runtime::Ran;

use super::{Place, Words, host_of, phrase, waited};
use crate::{Outcome, Trace, Url};

/// Redirections that are followed at most.
const REDIRECTIONS_MAX: usize = 50;
/// How long Linux tries to connect, in thousandths of a second.
const CONNECT_MS: u64 = 134_000;

pub(super) fn run(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let words = Words::read(
        arguments,
        &[
            "H",
            "X",
            "d",
            "m",
            "o",
            "w",
            "u",
            "A",
            "b",
            "T",
            "header",
            "request",
            "data",
            "max-time",
            "connect-timeout",
            "output",
            "write-out",
            "user",
            "user-agent",
            "retry",
            "cacert",
            "resolve",
        ],
    );
    let Some(url) = words.plain.first() else {
        return Ran::failed(2, "curl: (2) no URL specified");
    };
    let has_data = words.has(&["d", "data"]);
    let is_head = words.has(&["I", "head"]);
    let plain = if is_head {
        "HEAD"
    } else if has_data {
        "POST"
    } else {
        "GET"
    };
    let method = words.value(&["X", "request"]).unwrap_or(plain);
    let host = words.host(&["H", "header"]);
    let mut url = (*url).to_owned();
    for _ in 0..REDIRECTIONS_MAX {
        let trace = place.send(&url, method, host);
        if trace.outcome != Outcome::Answered {
            let limit = words.value(&["connect-timeout", "m", "max-time"]);
            return waited(failure(&words, &url, &trace), trace.outcome, limit);
        }
        if trace.location.is_empty() || !words.has(&["L", "location"]) {
            return answer(&words, &url, &trace);
        }
        url = trace.location;
    }
    Ran::failed(47, format!("curl: (47) Maximum ({REDIRECTIONS_MAX}) redirects followed"))
}

fn failure(words: &Words<'_>, url: &str, trace: &Trace) -> Ran {
    let host = host_of(url);
    let port = Url::parse(url).map_or(80, |it| it.port);
    let seconds = words.value(&["connect-timeout", "m", "max-time"]).and_then(|it| it.parse::<u64>().ok());
    let millis = |seconds: u64| seconds.saturating_mul(1000).saturating_add(1);
    let (code, why) = match (trace.outcome, seconds) {
        (Outcome::NameTimedOut, Some(s)) => (28, format!("Resolving timed out after {} milliseconds", millis(s))),
        (Outcome::NameNotFound | Outcome::NameTimedOut, _) => (6, format!("Could not resolve host: {host}")),
        (Outcome::TimedOut, Some(s)) => (28, format!("Connection timed out after {} milliseconds", millis(s))),
        (Outcome::TimedOut, None) => {
            (28, format!("Failed to connect to {host} port {port} after {CONNECT_MS} ms: Could not connect to server"))
        }
        (Outcome::Refused, _) => {
            (7, format!("Failed to connect to {host} port {port} after 0 ms: Could not connect to server"))
        }
        (Outcome::NotSent | Outcome::Answered, _) => match Url::parse(url) {
            Err(_) => (3, "URL rejected: Malformed input to a URL function".to_owned()),
            Ok(_) => (7, trace.steps.last().map(|it| it.message.clone()).unwrap_or_default()),
        },
    };
    let is_quiet = words.has(&["s", "silent"]) && !words.has(&["S", "show-error"]);
    let stderr = if is_quiet { String::new() } else { format!("curl: ({code}) {why}\n") };
    Ran { stdout: written(words, 0), stderr, code, takes: 0 }
}

fn answer(words: &Words<'_>, url: &str, trace: &Trace) -> Ran {
    let mut ran = Ran::default();
    if trace.code >= 400 && words.has(&["f", "fail"]) {
        ran.code = 22;
        if !words.has(&["s", "silent"]) || words.has(&["S", "show-error"]) {
            ran.stderr = format!("curl: (22) The requested URL returned error: {}\n", trace.code);
        }
        ran.stdout = written(words, trace.code);
        return ran;
    }
    let head = head(trace);
    if words.has(&["v", "verbose"]) {
        ran.stderr.push_str(&verbose(words, url, trace, &head));
    }
    let is_head = words.has(&["I", "head"]);
    let mut text = if is_head || words.has(&["i", "include"]) { head } else { String::new() };
    if !is_head {
        text.push_str(&trace.body);
    }
    match words.value(&["o", "output"]) {
        None | Some("-") => ran.stdout = text,
        Some(_) => (),
    }
    ran.stdout.push_str(&written(words, trace.code));
    ran
}

fn head(trace: &Trace) -> String {
    let location = match trace.location.as_str() {
        "" => String::new(),
        it => format!("Location: {it}\r\n"),
    };
    let (code, length) = (trace.code, trace.body.len());
    format!(
        "HTTP/1.1 {code} {}\r\n{location}Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n",
        phrase(code)
    )
}

fn verbose(words: &Words<'_>, url: &str, trace: &Trace, head: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return String::new() };
    let (ip, port) = trace.address.map_or((String::new(), 0), |(ip, port)| (ip.to_string(), port));
    let host = match words.host(&["H", "header"]) {
        "" => parsed.host.as_str(),
        it => it,
    };
    let mut text = String::new();
    if parsed.host != ip {
        text.push_str(&format!("* Host {}:{port} was resolved.\n* IPv4: {ip}\n", parsed.host));
    }
    text.push_str(&format!("*   Trying {ip}:{port}...\n* Connected to {} ({ip}) port {port}\n", parsed.host));
    text.push_str(&format!("> GET {} HTTP/1.1\n> Host: {host}\n> Accept: */*\n> \n", parsed.path));
    head.lines().for_each(|it| text.push_str(&format!("< {it}\n")));
    text
}

/// `-w`, of which the code alone is known.
fn written(words: &Words<'_>, code: u16) -> String {
    let format = words.value(&["w", "write-out"]).unwrap_or("");
    let code = format!("{code:03}");
    let text = format.replace("%{http_code}", &code).replace("%{response_code}", &code);
    text.replace("\\n", "\n").replace("\\t", "\t")
}

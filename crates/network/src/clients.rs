//! Programs that talk over the network, with the words and exit codes of busybox and curl.

mod curl;
mod names;
mod wget;

use std::cell::Cell;

use runtime::{Ran, View};

use crate::{Answer, Origin, Outcome, Request, Trace, Url};

/// How long Linux tries to connect, and how long a resolver tries to ask, in seconds.
const CONNECT_TAKES: u32 = 134;
const ASK_TAKES: u32 = 10;

/// `ran` with the time that waiting in vain took; `limit` is what the program was told, if it was.
fn waited(ran: Ran, outcome: Outcome, limit: Option<&str>) -> Ran {
    let limit = limit.and_then(|it| it.parse().ok()).unwrap_or(u32::MAX);
    let takes = match outcome {
        Outcome::TimedOut => CONNECT_TAKES,
        Outcome::NameTimedOut => ASK_TAKES,
        _ => 0,
    };
    Ran { takes: takes.min(limit), ..ran }
}

/// Where a program runs.
pub(crate) struct Place<'a> {
    view: View<'a>,
    from: &'a Origin,
    /// Of the container: some images have another `nslookup`.
    image: &'a str,
    turn: &'a Cell<u64>,
}

/// Runs `name` with its arguments in a container; `None` for a program that does not talk over the network.
/// `turn` counts requests as [`crate::send`] does.
pub fn client(
    view: &View<'_>,
    from: &Origin,
    image: &str,
    turn: &Cell<u64>,
    name: &str,
    arguments: &[&str],
) -> Option<Ran> {
    let place = Place { view: *view, from, image, turn };
    Some(match name.rsplit('/').next().unwrap_or(name) {
        "wget" => wget::run(&place, arguments),
        "curl" => curl::run(&place, arguments),
        "dig" => names::dig(&place, arguments),
        "nslookup" => names::nslookup(&place, arguments),
        "getent" => names::getent(&place, arguments),
        // One that listens serves others.
        "nc" | "netcat" if !arguments.iter().any(|it| it.starts_with("-l")) => names::nc(&place, arguments),
        _ => return None,
    })
}

impl Place<'_> {
    fn send(&self, url: &str, method: &str, host: &str) -> Trace {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let request = Request {
            from: self.from.clone(),
            url: url.into(),
            method: method.into(),
            host: host.into(),
            is_running: true,
        };
        crate::send(&self.view, &request, turn)
    }

    fn resolve(&self, name: &str) -> Answer {
        crate::resolve(&self.view, self.from, name)
    }
}

/// The words of a command line: flags with what belongs to them, and the rest.
struct Words<'a> {
    flags: Vec<(&'a str, &'a str)>,
    plain: Vec<&'a str>,
}

impl<'a> Words<'a> {
    /// `with_value`: flags that take the next word, unless their value is in the same one.
    fn read(arguments: &[&'a str], with_value: &[&str]) -> Words<'a> {
        let mut res = Words { flags: Vec::new(), plain: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            if let Some(long) = word.strip_prefix("--") {
                match long.split_once('=') {
                    Some((name, value)) => res.flags.push((name, value)),
                    None if with_value.contains(&long) => res.flags.push((long, rest.next().unwrap_or(&""))),
                    None => res.flags.push((long, "")),
                }
                continue;
            }
            let Some(short) = word.strip_prefix('-').filter(|it| !it.is_empty()) else {
                res.plain.push(word);
                continue;
            };
            // `-qO-`: flags without a value, and at last one whose value follows.
            for (idx, c) in short.char_indices() {
                let end = idx + c.len_utf8();
                let (flag, after) = (&short[idx..end], &short[end..]);
                if with_value.contains(&flag) {
                    let value = if after.is_empty() { rest.next().copied().unwrap_or("") } else { after };
                    res.flags.push((flag, value));
                    break;
                }
                res.flags.push((flag, ""));
            }
        }
        res
    }

    fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(it, _)| names.contains(it))
    }

    fn value(&self, names: &[&str]) -> Option<&'a str> {
        self.flags.iter().rfind(|(it, _)| names.contains(it)).map(|(_, value)| *value)
    }

    /// The `Host` among headers that are given by one of these flags.
    fn host(&self, names: &[&str]) -> &'a str {
        let headers = self.flags.iter().filter(|(it, _)| names.contains(it)).filter_map(|(_, it)| it.split_once(':'));
        let mut hosts = headers.filter(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, it)| it.trim());
        hosts.next_back().unwrap_or("")
    }
}

/// The words for a code.
fn phrase(code: u16) -> &'static str {
    match code {
        200 => "OK",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "",
    }
}

/// The host of a URL, as it was written.
fn host_of(url: &str) -> String {
    Url::parse(url).map(|it| it.host).unwrap_or_default()
}

/// `10.96.0.1`, where a connection was tried.
fn address_of(trace: &Trace) -> String {
    trace.address.map(|(ip, _)| ip.to_string()).unwrap_or_default()
}

fn is_silent(outcome: Outcome) -> bool {
    outcome == Outcome::TimedOut
}

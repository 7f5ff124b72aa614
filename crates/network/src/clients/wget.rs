//! `wget` as busybox has it.

use runtime::Ran;

use super::{Place, Words, address_of, host_of, is_silent, phrase, waited};
use crate::{Outcome, Trace, Url};

/// Redirections that are followed at most.
const REDIRECTIONS_MAX: usize = 5;

pub(super) fn run(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let words = Words::read(
        arguments,
        &["O", "T", "t", "o", "P", "U", "header", "post-data", "timeout", "tries", "output-document", "user-agent"],
    );
    let Some(url) = words.plain.first() else {
        return Ran::failed(1, "wget: missing URL\nUsage: wget [-cqS] [--spider] [-O FILE] [-T SEC] URL...");
    };
    let method = if words.has(&["post-data"]) { "POST" } else { "GET" };
    let host = words.host(&["header"]);
    let mut url = (*url).to_owned();
    let mut said = String::new();
    for _ in 0..REDIRECTIONS_MAX {
        let trace = place.send(&url, method, host);
        if trace.address.is_some() && !words.has(&["q"]) {
            said.push_str(&connecting(&url, &trace));
        }
        if trace.outcome != Outcome::Answered {
            let mut ran = failure(&url, &trace, words.has(&["T", "timeout"]));
            ran.stderr.insert_str(0, &said);
            return waited(ran, trace.outcome, words.value(&["T", "timeout"]));
        }
        if trace.location.is_empty() {
            return answer(&words, &url, &trace, said);
        }
        url = trace.location;
    }
    Ran::failed(1, "wget: too many redirections")
}

fn connecting(url: &str, trace: &Trace) -> String {
    let (ip, port) = trace.address.map_or((String::new(), 0), |(ip, port)| (ip.to_string(), port));
    format!("Connecting to {} ({ip}:{port})\n", host_of(url))
}

fn failure(url: &str, trace: &Trace, has_timeout: bool) -> Ran {
    let host = host_of(url);
    let why = match trace.outcome {
        Outcome::NameNotFound | Outcome::NameTimedOut => format!("bad address '{host}'"),
        outcome if is_silent(outcome) && has_timeout => "download timed out".to_owned(),
        Outcome::TimedOut => format!("can't connect to remote host ({}): Connection timed out", address_of(trace)),
        Outcome::Refused => format!("can't connect to remote host ({}): Connection refused", address_of(trace)),
        Outcome::NotSent | Outcome::Answered => match Url::parse(url) {
            Err(_) => format!("not an http or ftp url: {url}"),
            Ok(_) => trace.steps.last().map(|it| it.message.clone()).unwrap_or_default(),
        },
    };
    Ran::failed(1, format!("wget: {why}"))
}

fn answer(words: &Words<'_>, url: &str, trace: &Trace, mut said: String) -> Ran {
    if trace.code != 200 {
        said.push_str(&format!("wget: server returned error: HTTP/1.1 {} {}\n", trace.code, phrase(trace.code)));
        return Ran { stderr: said, code: 1, ..Ran::default() };
    }
    if words.has(&["S"]) {
        said.push_str("  HTTP/1.1 200 OK\n");
    }
    let is_quiet = words.has(&["q"]);
    if words.has(&["spider"]) {
        if !is_quiet {
            said.push_str("remote file exists\n");
        }
        return Ran { stderr: said, ..Ran::default() };
    }
    let path = Url::parse(url).map(|it| it.plain_path().to_owned()).unwrap_or_default();
    let own = path.rsplit('/').next().filter(|it| !it.is_empty()).unwrap_or("index.html");
    let file = words.value(&["O", "output-document"]).unwrap_or(own);
    let (name, end) = match file {
        "-" => ("stdout".to_owned(), "written to stdout\n".to_owned()),
        file => (format!("'{file}'"), format!("'{file}' saved\n")),
    };
    if !is_quiet {
        let verb = if file == "-" { "writing" } else { "saving" };
        let bar = "*".repeat(32);
        said.push_str(&format!(
            "{verb} to {name}\n{file:<20} 100% |{bar}| {:>5}  0:00:00 ETA\n{end}",
            trace.body.len()
        ));
    }
    let stdout = if file == "-" { trace.body.clone() } else { String::new() };
    Ran { stdout, stderr: said, ..Ran::default() }
}

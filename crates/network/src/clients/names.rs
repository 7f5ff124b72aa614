//! `nslookup`, `dig`, `getent` and `nc`.

use std::net::IpAddr;

use runtime::Ran;

use super::{Place, Words, address_of, is_silent, waited};
use crate::{Answer, Outcome, dns};

/// `nslookup NAME`
pub(super) fn nslookup(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let words = Words::read(arguments, &[]);
    let Some(name) = words.plain.first() else {
        return Ran::failed(1, "Usage: nslookup HOST [DNS_SERVER]");
    };
    let answer = place.resolve(name);
    let ran = if is_old(place.image) { old(name, &answer) } else { new(place.image, name, &answer) };
    waited(ran, answer.outcome, None)
}

/// Before 1.29, busybox asked as programs do and printed otherwise.
fn is_old(image: &str) -> bool {
    let tag = image.rsplit('/').next().and_then(|it| it.strip_prefix("busybox:1.")).unwrap_or("");
    let minor: String = tag.chars().take_while(char::is_ascii_digit).collect();
    minor.parse::<u32>().is_ok_and(|it| it < 29)
}

fn old(name: &str, answer: &Answer) -> Ran {
    let server = dns::SERVER;
    let mut text = format!("Server:    {server}\nAddress 1: {server} kube-dns.kube-system.svc.cluster.local\n\n");
    if answer.outcome != Outcome::Answered {
        return Ran { stdout: text, ..Ran::failed(1, format!("nslookup: can't resolve '{name}'")) };
    }
    text.push_str(&format!("Name:      {name}\n"));
    for (idx, ip) in answer.addresses.iter().enumerate() {
        text.push_str(&format!("Address {}: {ip} {}\n", idx + 1, canonical(answer)));
    }
    Ran::printed(text)
}

fn new(image: &str, name: &str, answer: &Answer) -> Ran {
    let server = answer.server.unwrap_or(dns::SERVER);
    if answer.outcome == Outcome::NameTimedOut {
        let stdout = ";; connection timed out; no servers could be reached\n\n".to_owned();
        return Ran { stdout, code: 1, ..Ran::default() };
    }
    // Other images than these have the program of BIND, which writes ports otherwise.
    let image = image.rsplit('/').next().and_then(|it| it.split([':', '@']).next()).unwrap_or("");
    let mark = if matches!(image, "busybox" | "alpine") { ':' } else { '#' };
    let mut text = format!("Server:\t\t{server}\nAddress:\t{server}{mark}53\n\n");
    if answer.outcome != Outcome::Answered {
        text.push_str(&format!("** server can't find {name}: NXDOMAIN\n\n"));
        return Ran { stdout: text, code: 1, ..Ran::default() };
    }
    let mut current = answer.name.as_str();
    for alias in &answer.aliases {
        text.push_str(&format!("{current}\tcanonical name = {alias}\n"));
        current = alias;
    }
    for ip in &answer.addresses {
        text.push_str(&format!("Name:\t{current}\nAddress: {ip}\n"));
    }
    text.push('\n');
    Ran::printed(text)
}

/// The name that has the addresses.
fn canonical(answer: &Answer) -> &str {
    answer.aliases.last().map_or(answer.name.as_str(), String::as_str)
}

/// `dig NAME`, which knows no search path.
pub(super) fn dig(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let is_short = arguments.contains(&"+short");
    let is_name = |it: &&&str| !it.starts_with(['+', '-', '@']) && !matches!(**it, "A" | "AAAA" | "IN" | "ANY");
    let Some(name) = arguments.iter().find(is_name) else { return Ran::failed(1, "dig: no name is given") };
    let full = format!("{}.", name.trim_end_matches('.'));
    let answer = place.resolve(if arguments.contains(&"+search") { name } else { &full });
    if answer.outcome == Outcome::NameTimedOut {
        return Ran { code: 9, ..Ran::printed(";; no servers could be reached\n".to_owned()) };
    }
    let mut text = String::new();
    let mut owner = format!("{}.", answer.name.trim_end_matches('.'));
    for alias in &answer.aliases {
        let line = if is_short { format!("{alias}.\n") } else { format!("{owner}\t5\tIN\tCNAME\t{alias}.\n") };
        text.push_str(&line);
        owner = format!("{alias}.");
    }
    for ip in &answer.addresses {
        let line = if is_short { format!("{ip}\n") } else { format!("{owner}\t5\tIN\tA\t{ip}\n") };
        text.push_str(&line);
    }
    if is_short {
        return Ran::printed(text);
    }
    let status = if answer.outcome == Outcome::Answered { "NOERROR" } else { "NXDOMAIN" };
    let section = if text.is_empty() { String::new() } else { format!("\n;; ANSWER SECTION:\n{text}") };
    let server = answer.server.unwrap_or(dns::SERVER);
    Ran::printed(format!(
        ";; ->>HEADER<<- opcode: QUERY, status: {status}\n\n;; QUESTION SECTION:\n;{full}\tIN\tA\n{section}\n;; SERVER: {server}#53({server})\n"
    ))
}

/// `getent hosts NAME`
pub(super) fn getent(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let ["hosts" | "ahosts" | "ahostsv4", names @ ..] = arguments else { return Ran { code: 1, ..Ran::default() } };
    let mut ran = Ran::default();
    for name in names {
        let answer = place.resolve(name);
        if answer.outcome != Outcome::Answered {
            ran.code = 2;
        }
        let line = |ip: &IpAddr| format!("{ip:<15} {}  {name}\n", canonical(&answer));
        ran.stdout.extend(answer.addresses.iter().map(line));
    }
    ran
}

/// `nc -zv HOST PORT`: whether somebody takes connections.
pub(super) fn nc(place: &Place<'_>, arguments: &[&str]) -> Ran {
    let words = Words::read(arguments, &["w", "p", "s", "i", "e"]);
    let [host, port, ..] = words.plain.as_slice() else {
        return Ran::failed(1, "BusyBox: nc [OPTIONS] HOST PORT");
    };
    let trace = place.send(&format!("{host}:{port}"), "", "");
    let place = format!("{host} ({}:{port})", address_of(&trace));
    let outcome = trace.outcome;
    let ran = match outcome {
        Outcome::Answered if words.has(&["v"]) => Ran { stderr: format!("{place} open\n"), ..Ran::default() },
        Outcome::Answered => Ran::default(),
        Outcome::NameNotFound | Outcome::NameTimedOut => Ran::failed(1, format!("nc: bad address '{host}'")),
        Outcome::Refused => Ran::failed(1, format!("nc: {place}: Connection refused")),
        outcome if is_silent(outcome) && words.has(&["w"]) => Ran::failed(1, "nc: timed out"),
        Outcome::TimedOut => Ran::failed(1, format!("nc: {place}: Connection timed out")),
        Outcome::NotSent => Ran::failed(1, format!("nc: bad port '{port}'")),
    };
    waited(ran, outcome, words.value(&["w"]))
}

//! The commands that are known, inside the shell or outside.

use sim::{Duration, Instant};
use value::time;

use super::run::{Flow, Input, Shell, Stop};
use super::{arith, base};

/// Programs that are known by name; any other says nothing and, as the last command, serves for ever.
const KNOWN: [&str; 30] = [
    "[", "[[", "basename", "cat", "date", "dirname", "echo", "env", "exit", "expr", "false", "grep", "head",
    "hostname", "id", "ls", "mkdir", "printenv", "printf", "pwd", "seq", "sleep", "sort", "tail", "test", "touch",
    "true", "uname", "wc", "whoami",
];

/// Programs that ask the network, if there is one.
const ASKING: [&str; 6] = ["curl", "dig", "getent", "nc", "nslookup", "wget"];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || ASKING.contains(&name)
}

/// Whether a command is known to take no connections.
pub(super) fn is_harmless(name: &str) -> bool {
    let name = base(name);
    KNOWN.contains(&name) || is_silent(name) || BUILT_IN.contains(&name)
}

/// Commands of the shell itself that are programs nowhere, and filters.
const BUILT_IN: [&str; 15] = [
    "awk", "break", "continue", "cut", "export", "let", "read", "return", "rm", "sed", "tee", "tr", "uniq", "unset",
    "rev",
];

/// Commands whose time and status depend on their arguments alone.
const PLAIN: [&str; 6] = ["date", "echo", "exit", "false", "sleep", "true"];

pub(super) fn is_plain(name: &str) -> bool {
    PLAIN.contains(&base(name))
}

/// How many digits of pi a program prints, if it is the one of the documentation of Jobs.
pub(super) fn digits_of_pi(name: &str, arguments: &[&str]) -> Option<usize> {
    let script = arguments.last().filter(|_| name == "perl" && arguments.iter().any(|it| it.contains("bpi")))?;
    script.strip_prefix("print bpi(")?.strip_suffix(')')?.parse().ok().filter(|it| (2..=5_000).contains(it))
}

/// To compute it takes this long.
const PI_TAKES: Duration = Duration::from_secs(5);

/// A program that is not known and ends takes this long.
const UNKNOWN_TAKES: Duration = Duration::from_secs(1);

/// Runs one command with its arguments.
pub(super) fn run(shell: &mut Shell<'_>, name: &str, arguments: &[&str], input: &mut Input, last: bool) -> Flow {
    shell.status = 0;
    match (base(name), arguments) {
        ("echo", _) => echo(shell, arguments),
        ("printf", [format, values @ ..]) => shell.print(&printf(format, values)),
        ("date", _) => {
            let text = date(shell.now, arguments);
            shell.print(&text);
        }
        ("sleep", _) => return shell.sleep(sleep(arguments)),
        ("exit", _) => {
            return Err(Stop::Exit(arguments.first().and_then(|it| it.parse().ok()).unwrap_or(shell.status)));
        }
        ("return", _) => shell.status = arguments.first().and_then(|it| it.parse().ok()).unwrap_or(0),
        ("break", _) => return Err(Stop::Break),
        ("continue", _) => return Err(Stop::Continue),
        ("false", _) => shell.status = 1,
        ("test" | "[" | "[[", _) => {
            let words: Vec<&str> = arguments.iter().copied().filter(|it| !matches!(*it, "]" | "]]")).collect();
            shell.status = i64::from(!test(shell, &words));
            if shell.status != 0 && words.iter().any(|it| it.contains('/')) {
                shell.misses();
            }
        }
        ("seq", _) => seq(shell, arguments),
        ("expr", _) => {
            let res = arith::evaluate(&arguments.join(" "), &mut shell.variables.clone()).unwrap_or(0);
            shell.status = i64::from(res == 0);
            shell.print(&format!("{res}\n"));
        }
        ("let", _) => shell.status = i64::from(arith::evaluate(&arguments.join(" "), &mut shell.variables) == Some(0)),
        ("export" | "local" | "readonly" | "declare", _) => {
            for (name, value) in arguments.iter().filter_map(|it| it.split_once('=')) {
                shell.variables.insert(name.to_owned(), value.to_owned());
            }
        }
        ("unset", _) => arguments.iter().for_each(|it| drop(shell.variables.remove(*it))),
        ("set", [option, ..]) if option.starts_with('-') => shell.stops_on_error |= option.contains('e'),
        ("exec" | "command" | "eval" | "time" | "nohup" | "sudo", [name, rest @ ..]) => {
            return run(shell, name, rest, input, last);
        }
        ("timeout", [_, name, rest @ ..]) => return run(shell, name, rest, input, false),
        ("sh" | "bash" | "ash" | "dash", [option, script, ..]) if option.ends_with('c') => {
            let program = super::program(&["sh", option, script]);
            return program.map_or(Ok(()), |it| shell.inner(&it, input, last));
        }
        (
            "cat" | "head" | "tail" | "grep" | "wc" | "sort" | "tee" | "tr" | "cut" | "sed" | "awk" | "uniq" | "rev",
            _,
        ) => {
            return filter(shell, base(name), arguments, input);
        }
        ("touch", _) => shell.files.extend(arguments.iter().map(|it| ((*it).to_owned(), String::new()))),
        ("rm", _) => arguments.iter().for_each(|it| drop(shell.files.remove(*it))),
        ("read", [name, ..]) => read(shell, name, input),
        ("ls", _) => super::live::place(shell, "ls", arguments),
        ("hostname" | "cd" | "pwd", _) if shell.live.is_some() => super::live::place(shell, base(name), arguments),
        ("hostname", _) => shell.print(&format!("{}\n", shell.around.hostname)),
        ("whoami", _) => shell.print("root\n"),
        ("id", _) => shell.print("uid=0(root) gid=0(root) groups=0(root)\n"),
        ("pwd", _) => shell.print("/\n"),
        ("uname", _) => shell.print("Linux\n"),
        ("env" | "printenv", _) => {
            let one = |name: &&&str| shell.variables.get(**name).map(|it| format!("{it}\n"));
            let text: String = match arguments {
                [] => shell.variables.iter().map(|(k, v)| format!("{k}={v}\n")).collect(),
                names => names.iter().filter_map(|it| one(&it)).collect(),
            };
            shell.status = i64::from(arguments.iter().any(|it| !shell.variables.contains_key(*it)));
            shell.print(&text);
        }
        ("basename", [path, ..]) => shell.print(&format!("{}\n", base(path))),
        ("dirname", [path, ..]) => shell.print(&format!("{}\n", path.rsplit_once('/').map_or(".", |(it, _)| it))),
        ("kill" | "pkill" | "killall", _) if arguments.contains(&"1") => return Err(Stop::Exit(143)),
        // Whoever is asked about has just been told to end.
        ("kill" | "pkill" | "killall", ["-0", ..]) => shell.status = 1,
        ("perl", _) if digits_of_pi("perl", arguments).is_some() => {
            shell.sleep(PI_TAKES)?;
            let text = super::pi::digits(digits_of_pi("perl", arguments).unwrap_or(0));
            shell.print(&format!("{text}\n"));
        }
        (name, _) if is_silent(name) => (),
        (name, _) => return other(shell, name, arguments, last),
    }
    Ok(())
}

/// A program that the shell does not know.
fn other(shell: &mut Shell<'_>, name: &str, arguments: &[&str], last: bool) -> Flow {
    if let Some(ran) = shell.programs.and_then(|it| it(name, arguments)) {
        shell.asked = true;
        shell.status = ran.code;
        return super::live::heard(shell, &ran);
    }
    let is_typed = shell.live.as_ref().is_some_and(|it| !it.is_asked);
    if !is_typed && !name.contains('/') && !crate::image::has(&shell.around.image, name) {
        super::live::absent(shell, name);
        return Ok(());
    }
    if shell.live.is_some() {
        super::live::unknown(shell, name);
        return Ok(());
    }
    if last && !shell.around.unknown_ends { Err(Stop::ForEver) } else { shell.sleep(UNKNOWN_TAKES) }
}

/// Commands that do what they should and say nothing.
fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "true"
            | ":"
            | "set"
            | "trap"
            | "cd"
            | "mkdir"
            | "chmod"
            | "chown"
            | "cp"
            | "mv"
            | "ln"
            | "wait"
            | "shift"
            | "umask"
            | "sync"
            | "ulimit"
            | "source"
            | "."
            | "alias"
            | "shopt"
            | "kill"
            | "pkill"
            | "killall"
            | "printf"
            | "exec"
    )
}

fn echo(shell: &mut Shell<'_>, arguments: &[&str]) {
    let mut rest = arguments;
    let (mut new_line, mut escapes) = (true, false);
    while let [option @ ("-n" | "-e" | "-ne" | "-en" | "-E"), after @ ..] = rest {
        new_line &= !option.contains('n');
        escapes |= option.contains('e');
        rest = after;
    }
    let mut text = rest.join(" ");
    if escapes {
        text = unescaped(&text);
    }
    if new_line {
        text.push('\n');
    }
    shell.print(&text);
}

fn unescaped(text: &str) -> String {
    let mut res = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => res.push('\n'),
            ('\\', Some('t')) => res.push('\t'),
            ('\\', Some('r')) => res.push('\r'),
            ('\\', Some('\\')) => res.push('\\'),
            ('\\', Some(other)) => res.extend(['\\', other]),
            (c, _) => res.push(c),
        }
    }
    res
}

/// `%s`, `%d` and the like, as often as there are values.
fn printf(format: &str, values: &[&str]) -> String {
    let format = unescaped(format);
    let mut values = values.iter();
    let mut res = String::new();
    loop {
        let mut used = false;
        let mut rest = format.as_str();
        while let Some((before, after)) = rest.split_once('%') {
            res.push_str(before);
            let end = after.find(|it: char| it.is_ascii_alphabetic() || it == '%').unwrap_or(after.len());
            let width: usize = after[..end].trim_start_matches(['-', '0']).parse().unwrap_or(0).min(200);
            match after[end..].chars().next() {
                Some('%') => res.push('%'),
                Some('d' | 'i') => {
                    used = true;
                    let value = values.next().copied().unwrap_or("0");
                    match after.starts_with('0') {
                        true => res.push_str(&format!("{value:0>width$}")),
                        false => res.push_str(&format!("{value:>width$}")),
                    }
                }
                _ => {
                    used = true;
                    res.push_str(values.next().copied().unwrap_or(""));
                }
            }
            rest = after.get(end + 1..).unwrap_or("");
        }
        res.push_str(rest);
        if !used || values.len() == 0 {
            return res;
        }
    }
}

fn date(now: Instant, arguments: &[&str]) -> String {
    match arguments.iter().find_map(|it| it.strip_prefix('+')) {
        Some(format) => format!("{}\n", time::format_strftime(now.nanos(), format)),
        None if arguments.contains(&"-Iseconds") || arguments.contains(&"-Is") => {
            format!("{}\n", time::format_secs(now.secs()).replace('Z', "+00:00"))
        }
        None => format!("{}\n", time::format_unix_date(now.secs())),
    }
}

/// The sum of the times given.
fn sleep(arguments: &[&str]) -> Duration {
    let one = |text: &str| {
        if matches!(text, "infinity" | "inf") {
            return Duration::MAX;
        }
        let unit = text.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
        let (whole, fraction) =
            text[..text.len() - unit.len()].split_once('.').unwrap_or((&text[..text.len() - unit.len()], ""));
        let millis: u64 = format!("{fraction:0<3}").get(..3).and_then(|it| it.parse().ok()).unwrap_or(0);
        let factor = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => 1,
        };
        let millis = whole.parse::<u64>().unwrap_or(0).saturating_mul(1000).saturating_add(millis);
        Duration::from_millis(millis.saturating_mul(factor))
    };
    arguments.iter().fold(Duration::ZERO, |sum, it| sum.saturating_add(one(it)))
}

fn seq(shell: &mut Shell<'_>, arguments: &[&str]) {
    let numbers: Vec<i64> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => return,
    };
    let mut text = String::new();
    let mut n = first;
    for _ in 0..10_000 {
        if (step > 0 && n > last) || (step < 0 && n < last) {
            break;
        }
        text.push_str(&format!("{n}\n"));
        n = n.saturating_add(step);
    }
    shell.print(&text);
}

fn test(shell: &Shell<'_>, words: &[&str]) -> bool {
    if let Some(idx) = words.iter().position(|it| matches!(*it, "-o" | "||")) {
        return test(shell, &words[..idx]) || test(shell, &words[idx + 1..]);
    }
    if let Some(idx) = words.iter().position(|it| matches!(*it, "-a" | "&&")) {
        return test(shell, &words[..idx]) && test(shell, &words[idx + 1..]);
    }
    let number = |it: &str| it.trim().parse::<i64>().unwrap_or(0);
    match words {
        ["!", rest @ ..] => !test(shell, rest),
        [a, "=" | "==", b] => a == b || matches(b, a),
        [a, "!=", b] => a != b,
        [a, "-eq", b] => number(a) == number(b),
        [a, "-ne", b] => number(a) != number(b),
        [a, "-lt", b] => number(a) < number(b),
        [a, "-le", b] => number(a) <= number(b),
        [a, "-gt", b] => number(a) > number(b),
        [a, "-ge", b] => number(a) >= number(b),
        ["-z", text] => text.is_empty(),
        ["-n", text] => !text.is_empty(),
        ["-z"] => true,
        ["-f" | "-s", file] => shell.files.contains_key(&shell.path(file)),
        ["-e" | "-r" | "-x" | "-w", file] => shell.is_there(file, false),
        ["-d", file] => shell.is_there(file, true),
        [text] => !text.is_empty(),
        _ => false,
    }
}

fn read(shell: &mut Shell<'_>, name: &str, input: &mut Input) {
    if input.text.is_empty() {
        shell.status = 1;
        return;
    }
    let (line, rest) = input.text.split_once('\n').unwrap_or((&input.text, ""));
    shell.variables.insert(name.to_owned(), line.to_owned());
    input.text = rest.to_owned();
}

/// Commands that read files or what comes through a pipe.
fn filter(shell: &mut Shell<'_>, name: &str, arguments: &[&str], input: &mut Input) -> Flow {
    let mut count = 10;
    let mut follows = false;
    let mut plain = Vec::new();
    let mut options = arguments.iter();
    while let Some(it) = options.next() {
        match *it {
            "-n" if matches!(name, "head" | "tail") => {
                count = options.next().and_then(|it| it.parse().ok()).unwrap_or(10)
            }
            "-c" if name == "head" => drop(options.next()),
            "-f" | "-F" => follows = true,
            option if option.starts_with('-') && option.len() > 1 => {
                count = option[1..].trim_start_matches('n').parse().unwrap_or(count);
            }
            word => plain.push(word),
        }
    }
    let pattern = match name {
        "grep" | "tr" | "cut" | "sed" | "awk" if !plain.is_empty() => plain.remove(0),
        _ => "",
    };
    let plain: Vec<String> = plain.into_iter().map(|it| shell.path(it)).collect();
    let files: Vec<String> = plain.iter().map(|it| shell.files.get(it).cloned().unwrap_or_default()).collect();
    let missing = plain.iter().find(|it| name != "tee" && shell.live.is_some() && !shell.files.contains_key(*it));
    if let Some(missing) = missing {
        shell.misses();
        shell.complain(&format!("{name}: can't open '{missing}': No such file or directory"));
        shell.status = 1;
        return Ok(());
    }
    if name == "tee" {
        plain.iter().for_each(|it| drop(shell.files.insert(it.clone(), input.text.clone())));
    }
    let text = if plain.is_empty() || name == "tee" { std::mem::take(&mut input.text) } else { files.concat() };
    let mut lines: Vec<&str> = text.lines().collect();
    match name {
        "head" => lines.truncate(count),
        "tail" => drop(lines.drain(..lines.len().saturating_sub(count))),
        "grep" => {
            lines.retain(|it| it.contains(pattern) != arguments.contains(&"-v"));
            shell.status = i64::from(lines.is_empty());
            if arguments.contains(&"-q") {
                lines.clear();
            }
        }
        "sort" => {
            lines.sort_unstable();
            if arguments.contains(&"-r") {
                lines.reverse();
            }
        }
        "uniq" => lines.dedup(),
        "wc" => {
            let count = if arguments.contains(&"-c") { text.len() } else { lines.len() };
            shell.print(&format!("{count}\n"));
            return Ok(());
        }
        _ => (),
    }
    let mut res = lines.join("\n");
    if !res.is_empty() {
        res.push('\n');
    }
    shell.print(&res);
    // `tail -f` waits for more, which nobody writes; `cat` without a file for a terminal that is not there.
    if follows { Err(Stop::ForEver) } else { Ok(()) }
}

/// Whether a pattern with `*` and `?` matches a whole text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern_left, mut text_left) = (pattern, text);
    // Where to go on after the last `*`: the pattern behind it and the text it has not eaten yet.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let (p, t) = (pattern_left.chars().next(), text_left.chars().next());
        match (p, t) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern_left = &pattern_left[1..];
                retry = Some((pattern_left, text_left));
            }
            (Some(p), Some(t)) if p == '?' || p == t => {
                pattern_left = &pattern_left[p.len_utf8()..];
                text_left = &text_left[t.len_utf8()..];
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                let Some(c) = from.chars().next() else { return false };
                let from = &from[c.len_utf8()..];
                retry = Some((after, from));
                (pattern_left, text_left) = (after, from);
            }
        }
    }
}

/// `${NAME#pattern}`: without the shortest or longest beginning that matches.
pub(super) fn without_prefix<'a>(text: &'a str, pattern: &str, longest: bool) -> &'a str {
    let mut ends: Vec<usize> = text.char_indices().map(|(idx, _)| idx).chain([text.len()]).collect();
    if longest {
        ends.reverse();
    }
    ends.into_iter().find(|it| matches(pattern, &text[..*it])).map_or(text, |it| &text[it..])
}

//! Flags and arguments, read as `spf13/pflag` does and refused in its words.

use meta::quoted;

use crate::failure::{Failure, Result};
use crate::order;

/// The flags that every command has.
const GLOBAL: &str = "n/namespace:s kubeconfig:s context:s cluster:s user:s s/server:s v/v:i request-timeout:s as:s \
    as-group:a as-uid:s as-user-extra:a token:s cache-dir:s certificate-authority:s client-certificate:s client-key:s \
    insecure-skip-tls-verify:b tls-server-name:s match-server-version:b warnings-as-errors:b disable-compression:b \
    profile:s profile-output:s username:s password:s vmodule:s kuberc:s log-flush-frequency:d h/help:b";

/// A flag: `l/selector:s`, with a value for when none is given after `=`.
#[derive(Clone, Copy)]
struct Spec {
    short: Option<char>,
    long: &'static str,
    kind: char,
    bare: Option<&'static str>,
}

fn specs(texts: &'static [&'static str]) -> impl Iterator<Item = Spec> {
    texts.iter().chain(&[GLOBAL]).flat_map(|it| it.split_whitespace()).filter_map(|item| {
        let (names, kind) = item.split_once(':')?;
        let (kind, bare) = kind.split_once('=').map_or((kind, None), |(kind, bare)| (kind, Some(bare)));
        let (short, long) = names.split_once('/').map_or((None, names), |(short, long)| (short.chars().next(), long));
        let kind = kind.chars().next()?;
        Some(Spec { short, long, kind, bare: bare.or((kind == 'b').then_some("true")) })
    })
}

/// The flags of a command line and its other words.
#[derive(Default)]
pub(crate) struct Flags {
    given: Vec<(&'static str, String)>,
    pub(crate) args: Vec<String>,
    /// How many words come before `--`.
    pub(crate) n_before_dash: Option<usize>,
    spec: &'static [&'static str],
}

impl Flags {
    /// The last value of a flag; empty where it is not given.
    pub(crate) fn text(&self, flag: &str) -> &str {
        self.given.iter().rev().find(|(name, _)| *name == flag).map_or("", |(_, value)| value)
    }

    /// The last value of a flag, or what it is when not given.
    pub(crate) fn text_or<'a>(&'a self, flag: &str, default: &'a str) -> &'a str {
        if self.changed(flag) { self.text(flag) } else { default }
    }

    pub(crate) fn changed(&self, flag: &str) -> bool {
        self.given.iter().any(|(name, _)| *name == flag)
    }

    pub(crate) fn is(&self, flag: &str) -> bool {
        is_true(self.text(flag))
    }

    pub(crate) fn is_or(&self, flag: &str, default: bool) -> bool {
        if self.changed(flag) { self.is(flag) } else { default }
    }

    pub(crate) fn int(&self, flag: &str, default: i64) -> i64 {
        self.text(flag).parse().unwrap_or(default)
    }

    /// Seconds of a duration flag.
    pub(crate) fn seconds(&self, flag: &str, default: i64) -> i64 {
        parse_duration(self.text(flag)).map_or(default, |nanos| nanos.div_euclid(1_000_000_000))
    }

    /// Every value of a flag that may be repeated.
    pub(crate) fn all(&self, flag: &str) -> Vec<&str> {
        self.given.iter().filter(|(name, _)| *name == flag).map(|(_, value)| value.as_str()).collect()
    }

    /// Every value of a flag that may be repeated and takes several, with commas between.
    pub(crate) fn list(&self, flag: &str) -> Vec<String> {
        self.all(flag).iter().flat_map(|it| it.split(',')).map(str::to_owned).filter(|it| !it.is_empty()).collect()
    }

    /// Whether the command has `--validate`.
    pub(crate) fn knows_validation(&self) -> bool {
        names(self.spec).contains(&"validate")
    }

    /// Forgets a flag.
    pub(crate) fn unset(&mut self, flag: &str) {
        self.given.retain(|(name, _)| *name != flag);
    }

    /// Sets a flag as if the user had.
    pub(crate) fn set(&mut self, flag: &'static str, value: &str) {
        self.given.push((flag, value.to_owned()));
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Reads the words that follow a command's name.
///
/// # Errors
/// In pflag's words, without the line on help.
pub(crate) fn parse(spec: &'static [&'static str], words: &[String]) -> Result<Flags> {
    let mut flags = Flags { spec, ..Flags::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            flags.n_before_dash = Some(flags.args.len());
            flags.args.extend(words.cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if name.is_empty() || name.starts_with('-') {
                return Err(format!("bad flag syntax: {word}").into());
            }
            let Some(flag) = specs(spec).find(|it| it.long == name) else {
                return Err(format!("unknown flag: --{name}").into());
            };
            let value = match (value, flag.bare) {
                (Some(value), _) => value.to_owned(),
                (None, Some(bare)) => bare.to_owned(),
                (None, None) => match words.next() {
                    Some(next) => next.clone(),
                    None => return Err(format!("flag needs an argument: --{name}").into()),
                },
            };
            set(&mut flags, flag, value)?;
            continue;
        }
        match word.strip_prefix('-') {
            Some(shorts) if !shorts.is_empty() => parse_shorts(spec, shorts, &mut words, &mut flags)?,
            _ => flags.args.push(word.clone()),
        }
    }
    Ok(flags)
}

fn parse_shorts(
    spec: &'static [&'static str],
    shorts: &str,
    words: &mut std::slice::Iter<'_, String>,
    flags: &mut Flags,
) -> Result<()> {
    let mut rest = shorts;
    while let Some(short) = rest.chars().next() {
        let Some(flag) = specs(spec).find(|it| it.short == Some(short)) else {
            return Err(format!("unknown shorthand flag: {} in -{rest}", crate::go::quote_char(short)).into());
        };
        let after = &rest[short.len_utf8()..];
        if let Some(value) = after.strip_prefix('=') {
            return set(flags, flag, value.to_owned());
        }
        match flag.bare {
            Some(bare) => {
                set(flags, flag, bare.to_owned())?;
                rest = after;
                continue;
            }
            None if !after.is_empty() => return set(flags, flag, after.to_owned()),
            None => {
                let Some(next) = words.next() else {
                    return Err(format!("flag needs an argument: {} in -{rest}", crate::go::quote_char(short)).into());
                };
                return set(flags, flag, next.clone());
            }
        }
    }
    Ok(())
}

fn set(flags: &mut Flags, flag: Spec, value: String) -> Result<()> {
    let problem = match flag.kind {
        'b' if !is_true(&value) && !matches!(&*value, "0" | "f" | "F" | "false" | "FALSE" | "False") => {
            Some(format!("strconv.ParseBool: parsing {}: invalid syntax", quoted(&value)))
        }
        'i' if value.parse::<i64>().is_err() => {
            Some(format!("strconv.ParseInt: parsing {}: invalid syntax", quoted(&value)))
        }
        'd' if parse_duration(&value).is_none() => Some(match value.trim_end_matches(|it: char| it.is_ascii_digit()) {
            "" if !value.is_empty() => format!("time: missing unit in duration {}", quoted(&value)),
            _ => format!("time: invalid duration {}", quoted(&value)),
        }),
        _ => None,
    };
    if let Some(problem) = problem {
        let name = match flag.short {
            Some(short) => format!("-{short}, --{}", flag.long),
            None => format!("--{}", flag.long),
        };
        return Err(Failure::Text(format!(
            "invalid argument {} for {} flag: {problem}",
            quoted(&value),
            quoted(&name)
        )));
    }
    flags.given.push((flag.long, value));
    Ok(())
}

/// Nanoseconds of a Go duration such as `1h2m3.5s`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let n_digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(n_digits);
        let n_unit = after.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(n_unit);
        let unit: i64 = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        let mut part = unit;
        for digit in fraction.bytes() {
            part /= 10;
            total = total.checked_add(part.checked_mul(i64::from(digit.wrapping_sub(b'0')))?)?;
        }
        rest = after;
    }
    Some(if negative { -total } else { total })
}

/// Whether a word before a command's name is a flag whose value is the next word.
pub(crate) fn takes_next(word: &str) -> bool {
    if word.contains('=') {
        return false;
    }
    let spec = match word.strip_prefix("--") {
        Some(long) => specs(&[]).find(|it| it.long == long),
        None if word.len() == 2 => specs(&[]).find(|it| it.short == word.chars().nth(1)),
        None => None,
    };
    spec.is_some_and(|it| it.bare.is_none())
}

/// The long names of a command's flags.
pub(crate) fn names(spec: &'static [&'static str]) -> Vec<&'static str> {
    specs(spec).map(|it| it.long).collect()
}

/// The flags of a command as help shows them, the global ones left out.
pub(crate) fn shown(spec: &'static [&'static str]) -> Vec<String> {
    let n_own = spec.iter().flat_map(|it| it.split_whitespace()).count();
    lines(specs(spec).take(n_own).collect())
}

/// The flags of every command.
pub(crate) fn shown_global() -> Vec<String> {
    lines(specs(&[]).filter(|it| it.long != "help").collect())
}

fn lines(mut specs: Vec<Spec>) -> Vec<String> {
    order::by(&mut specs, &mut |a, b| a.long.cmp(b.long));
    let line = |it: &Spec| {
        let short = it.short.map_or(String::new(), |short| format!("-{short}, "));
        let default = match it.kind {
            'b' => "false",
            'a' | 'c' => "[]",
            'i' => "0",
            'd' => "0s",
            _ => "''",
        };
        format!("    {short}--{}={default}", it.long)
    };
    specs.iter().map(line).collect()
}

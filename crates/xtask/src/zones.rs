//! `cargo xtask zones`: the table of time zones for crate `cron`, from the package `tzdata` of Python's index.
//!
//! The package carries the IANA time zone database, which is in the public domain.

use crate::{
    files,
    process::{self, Res},
};
use std::collections::BTreeMap;
use std::path::Path;

const VERSION: &str = "2026.6";
/// Changes before the year 2000 are left out.
const SINCE: i64 = 946_684_800;

/// What a compiled zone file says.
struct Compiled {
    /// Instants and the offsets from then on, in seconds.
    changes: Vec<(i64, i64)>,
    first: i64,
    footer: String,
}

pub fn run(_args: &[String]) -> Res<()> {
    let dir = files::target().join("tzdata");
    files::remove_dir(&dir)?;
    let package = format!("tzdata=={VERSION}");
    let args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
    process::run(process::command("python3").args(args).arg(&dir).arg(package))?;
    let root = dir.join("tzdata");
    let names = files::read(&root.join("zones"))?;
    // Zones with the same rules share a line.
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names.lines() {
        lines.entry(rules(&root.join("zoneinfo").join(name))?).or_default().push(name);
    }
    let mut table: Vec<String> = lines.iter().map(|(rules, names)| format!("{}|{rules}\n", names.join(" "))).collect();
    table.sort();
    let head = format!("# Made by `cargo xtask zones` from tzdata {VERSION}; do not edit.\n");
    files::write(&files::root().join("crates/cron/data/zones.txt"), head + &table.concat())
}

fn rules(path: &Path) -> Res<String> {
    let broken = || format!("{} is no compiled time zone", path.display());
    let bytes = files::read_bytes(path)?;
    let Compiled { changes, first, footer } = compiled(&bytes).ok_or_else(broken)?;
    let mut base = first;
    let mut kept = Vec::new();
    let mut before = 0;
    for (at, offset) in changes {
        if at < SINCE {
            base = offset;
            continue;
        }
        kept.push(format!("{:x}:{}", (at - before) / 60, offset / 60));
        before = at - at % 60;
    }
    Ok(format!("{footer}|{}|{}", base / 60, kept.join(",")))
}

/// Reads the second, 64-bit part of a file (RFC 8536).
fn compiled(bytes: &[u8]) -> Option<Compiled> {
    let [isut, isstd, leap, times, types, chars] = counts(bytes)?;
    let bytes = bytes.get(44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut..)?;
    let [isut, isstd, leap, times, types, chars] = counts(bytes)?;
    let (at, rest) = bytes.get(44..)?.split_at_checked(times * 8)?;
    let (kinds, rest) = rest.split_at_checked(times)?;
    let (offsets, rest) = rest.split_at_checked(types * 6)?;
    let footer = rest.get(chars + leap * 12 + isstd + isut..)?;
    let offset =
        |kind: usize| Some(i64::from(i32::from_be_bytes(offsets.get(kind * 6..)?.first_chunk::<4>().copied()?)));
    let mut changes = Vec::new();
    for (at, kind) in at.chunks_exact(8).zip(kinds) {
        changes.push((i64::from_be_bytes(at.try_into().ok()?), offset(usize::from(*kind))?));
    }
    let footer = String::from_utf8(footer.to_vec()).ok()?.trim().to_owned();
    Some(Compiled { changes, first: offset(0)?, footer })
}

fn counts(bytes: &[u8]) -> Option<[usize; 6]> {
    if !bytes.starts_with(b"TZif") {
        return None;
    }
    let mut res = [0; 6];
    for (count, bytes) in res.iter_mut().zip(bytes.get(20..44)?.chunks_exact(4)) {
        *count = u32::from_be_bytes(bytes.try_into().ok()?) as usize;
    }
    Some(res)
}

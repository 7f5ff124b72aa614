//! The host is an operating system.

use std::{sync::LazyLock, time::Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The size of a page in `/proc`'s counts on every machine that this is measured on.
const PAGE_BYTES: u64 = 4096;

pub fn print(line: &str) {
    println!("{line}");
}

pub fn be_splittable() {}

pub fn args() -> Vec<String> {
    std::env::args().skip(1).collect()
}

pub fn nanos() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Zero where there is no `/proc`.
pub fn memory_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = statm.split(' ').nth(1).and_then(|it| it.parse::<u64>().ok());
    resident.unwrap_or_default() * PAGE_BYTES
}

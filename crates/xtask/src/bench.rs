//! `cargo xtask bench`: sizes and speeds against their targets, one line each.

use crate::{
    page,
    process::{self, Res},
    setup::{self, browser},
    wasm,
};

/// A program that prints lines of `name<TAB>value<TAB>unit<TAB>target`.
struct Measure {
    what: &'static str,
    run: fn() -> Res<String>,
}

const MEASURES: &[Measure] = &[
    Measure { what: "the page", run: of_page },
    Measure { what: "the engine, native", run: of_engine },
    Measure { what: "the engine in wasm", run: of_engine_in_wasm },
];

pub fn run(_args: &[String]) -> Res<()> {
    setup::for_tests()?;
    page::build()?;
    let mut report = String::new();
    for Measure { what, run } in MEASURES {
        for line in process::timed(&format!("measure {what}"), run)?.lines() {
            report.push_str(&judged(line)?);
            report.push('\n');
        }
    }
    print!("\n{report}");
    Ok(())
}

/// The line with its verdict: a value up to the target is well.
fn judged(line: &str) -> Res<String> {
    let fields = line.split('\t').collect::<Vec<_>>();
    let [_name, value, _unit, target] = fields[..] else {
        return Err(format!("not a measurement: {line}"));
    };
    let number = |text: &str| text.parse::<f64>().map_err(|_| format!("not a number in: {line}"));
    let verdict = if number(value)? <= number(target)? { "ok" } else { "over" };
    Ok(format!("{line}\t{verdict}"))
}

fn of_engine() -> Res<String> {
    each(|args| {
        let cargo = ["run", "--release", "--package", "tests", "--bin", "bench", "--"];
        process::output(process::command("cargo").args(cargo).args(args))
    })
}

fn of_engine_in_wasm() -> Res<String> {
    let program = wasm::Program::build("tests", "bench")?;
    each(|args| program.run(args))
}

/// Runs each measure of `tests/src/bin/bench.rs` in a process of its own.
fn each(bench: impl Fn(&[&str]) -> Res<String>) -> Res<String> {
    bench(&["list"])?.lines().map(|name| bench(&[name])).collect()
}

fn of_page() -> Res<String> {
    let browser = browser::path().ok_or("no browser")?;
    process::output(
        process::command("node")
            .arg("tests/browser/measure.mjs")
            .env("CHROMIUM", browser)
            .env("DRYDOCK_DIST", page::dist()),
    )
}

#[cfg(test)]
mod tests {
    use super::judged;

    #[test]
    fn a_value_up_to_the_target_is_ok() {
        assert_eq!(judged("a\t3\tKB\t3").as_deref(), Ok("a\t3\tKB\t3\tok"));
        assert_eq!(judged("a\t3.5\tKB\t3").as_deref(), Ok("a\t3.5\tKB\t3\tover"));
        assert!(judged("a\t3\tKB").is_err());
        assert!(judged("a\tx\tKB\t3").is_err());
    }
}

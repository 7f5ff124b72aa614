//! Tasks around the code: set-up, building and serving the page, tests, checks and benchmarks.
//!
//! This crate does not know the engine: it starts other programs and reads their output.

mod bench;
mod files;
mod page;
mod process;
mod schema;
mod serve;
mod setup;
mod test;
mod tidy;
mod wasm;
mod zones;

use process::Res;
use std::process::ExitCode;

/// A task as the command line names it.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Res<()>,
}

/// The help text is this list.
// tidy: sorted
const TASKS: &[Task] = &[
    Task {
        name: "bench",
        about: "sizes and speeds, one line each: name, value, unit, target, ok or over",
        run: bench::run,
    },
    Task { name: "build", about: "the static site into dist/", run: page::run },
    Task { name: "ci", about: "what continuous integration runs: the same as test", run: test::run },
    Task {
        name: "schema",
        about: "make the table of the API's types anew from a package of Python's index",
        run: schema::run,
    },
    Task { name: "serve", about: "build the page and serve it on 127.0.0.1 [--port 8080]", run: serve::run },
    Task { name: "setup", about: "install whatever is missing, for building and for tests", run: setup::run },
    Task {
        name: "test",
        about: "every test: native, wasm, real kubectl, real browser [NAME of a step…]",
        run: test::run,
    },
    Task { name: "tidy", about: "the rules of the architecture that a program can check", run: tidy::run },
    Task {
        name: "zones",
        about: "make the table of time zones anew from a package of Python's index",
        run: zones::run,
    },
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).collect::<Vec<_>>();
    let name = if args.is_empty() { String::new() } else { args.remove(0) };
    let Some(task) = TASKS.iter().find(|it| it.name == name) else {
        println!("usage: cargo xtask TASK\n");
        for Task { name, about, .. } in TASKS {
            println!("  {name:<8} {about}");
        }
        return if name.is_empty() || name == "help" || name == "--help" {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        };
    };
    match (task.run)(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

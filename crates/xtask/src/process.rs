//! Starting other programs and saying so.

use crate::files;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// A failure is a sentence for the person at the terminal.
pub type Res<T> = Result<T, String>;

/// A command that runs in the root of the repository.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut res = Command::new(program);
    res.current_dir(files::root());
    if let Ok(path) = path_with(&[]) {
        res.env("PATH", path);
    }
    res
}

/// Shows the command, runs it with its output on the terminal, and waits.
pub fn run(command: &mut Command) -> Res<()> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// What the command prints on standard output; an error holds what it printed on standard error.
pub fn output(command: &mut Command) -> Res<String> {
    let res = command.stdin(Stdio::null()).output().map_err(|error| format!("{}: {error}", shown(command)))?;
    if !res.status.success() {
        let said = String::from_utf8_lossy(&res.stderr);
        return Err(format!("{} ended with {}\n{said}", shown(command), res.status));
    }
    String::from_utf8(res.stdout).map_err(|_| format!("{} printed no UTF-8", shown(command)))
}

/// Runs `work` between a line that announces it and a line with the seconds it took.
pub fn timed<T>(what: &str, work: impl FnOnce() -> Res<T>) -> Res<T> {
    println!("== {what}");
    let start = Instant::now();
    let res = work();
    let verdict = if res.is_ok() { "done" } else { "FAILED" };
    println!("== {what}: {verdict} in {} s", start.elapsed().as_secs());
    res
}

/// Where a program is, by `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    search_path().into_iter().map(|dir| dir.join(program)).find(|it| it.is_file())
}

/// `PATH` with `dirs` in front.
pub fn path_with(dirs: &[&Path]) -> Res<OsString> {
    let all = dirs.iter().map(|it| it.to_path_buf()).chain(search_path());
    std::env::join_paths(all).map_err(|error| format!("PATH: {error}"))
}

/// The folders of `PATH`, and last the one that `cargo install` fills: a cargo of Debian's does not bring it there.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).map(|it| it.join("bin"));
    dirs.extend(cargo.filter(|it| !dirs.contains(it)));
    dirs
}

fn shown(command: &Command) -> String {
    let mut res = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        res.push(' ');
        res.push_str(&arg.to_string_lossy());
    }
    res
}

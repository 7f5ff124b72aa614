//! Commands that somebody waits for, as `kubectl exec` does: they know the container's files and reach the network,
//! and what they complain about is heard.

use std::collections::{BTreeMap, BTreeSet};

use runtime::Ran;
use sim::{Duration, Instant};

use super::parse::{self, Node};
use super::run::{Flow, Input, Shell, Stop};
use super::{Program, Surroundings, is_shell};

/// Virtual time that a command may take.
const TAKES_MAX: Duration = Duration::from_secs(60);
/// Folders that every image has.
const FOLDERS: [&str; 12] = ["bin", "dev", "etc", "home", "lib", "opt", "proc", "root", "sys", "tmp", "usr", "var"];

/// Programs that others than the shell know: the name and its arguments.
pub type Programs<'a> = &'a dyn Fn(&str, &[&str]) -> Option<Ran>;

#[derive(Default)]
pub(super) struct Live {
    pub errors: String,
    /// A kubelet asks: what the shell does not know is taken to succeed.
    pub is_asked: bool,
    /// Whether there was such a command.
    pub unknown: bool,
    /// Whether a file was looked for that is not there.
    pub missing: bool,
}

/// How a command ended that a kubelet ran.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// `None`: it took too long.
    pub code: Option<i64>,
    /// Both channels.
    pub output: String,
    pub took: Duration,
    /// Whether it depended on a command that the shell does not know.
    pub unknown: bool,
    /// Whether it depended on a file that is not there, as far as is known.
    pub missing: bool,
}

/// Runs the command of a probe or a hook among these files.
pub(crate) fn ask(
    program: &Program,
    around: &Surroundings,
    files: &BTreeMap<String, String>,
    at: Instant,
    takes_max: Duration,
) -> Asked {
    let mut shell = Shell::new(around, at, at + takes_max);
    shell.files.clone_from(files);
    shell.captured = Some(String::new());
    shell.live = Some(Live { is_asked: true, ..Live::default() });
    let code = match shell.node(&program.0, &mut Input::default(), true) {
        Err(Stop::Exit(code)) => Some(code),
        Err(Stop::ForEver | Stop::Waits(_)) => None,
        Ok(()) | Err(Stop::Break | Stop::Continue) => Some(shell.status),
    };
    let live = shell.live.take().unwrap_or_default();
    let output = shell.captured.take().unwrap_or_default() + &live.errors;
    let took = if code.is_some() { shell.now.since(at) } else { takes_max };
    Asked { code, output, took, unknown: live.unknown, missing: live.missing }
}

/// Runs a command line among `files` until it ends.
pub(crate) fn exec(
    words: &[&str],
    around: &Surroundings,
    files: BTreeMap<String, String>,
    stdin: &str,
    now: Instant,
    programs: Programs<'_>,
) -> Ran {
    let is_bare_shell = matches!(words, [shell] | [shell, "-"] if is_shell(shell));
    let script = if is_bare_shell { parse::parse(stdin).map(Program) } else { super::program(words) };
    let is_script = words.first().is_some_and(|it| is_shell(it));
    let program = match script {
        Some(it) => it,
        None if is_script => return Ran { stderr: "sh: syntax error\n".to_owned(), code: 2, ..Ran::default() },
        None => Program(Node::of_words(words)),
    };
    let mut shell = Shell::new(around, now, now + TAKES_MAX);
    shell.files = files;
    shell.captured = Some(String::new());
    shell.live = Some(Live::default());
    shell.programs = Some(programs);
    let text = if is_bare_shell { String::new() } else { stdin.to_owned() };
    let flow = shell.node(&program.0, &mut Input { text }, true);
    let code = match flow {
        Err(Stop::Exit(code)) => code,
        Err(Stop::ForEver | Stop::Waits(_)) => {
            shell.complain("(it goes on; the simulation waits a minute for a command, and ends it here)");
            137
        }
        Ok(()) | Err(Stop::Break | Stop::Continue) => shell.status,
    };
    let errors = shell.live.take().map(|it| it.errors).unwrap_or_default();
    Ran { stdout: shell.captured.take().unwrap_or_default(), stderr: errors, code, takes: 0 }
}

/// What a program of others said. A log has both of its channels; time passes in logs only, as nobody waits for them.
pub(super) fn heard(shell: &mut Shell<'_>, ran: &Ran) -> Flow {
    let Some(live) = &mut shell.live else {
        shell.sleep(Duration::from_secs(ran.takes.into()))?;
        // What is wrong is said last.
        let (first, last) = if ran.code == 0 { (&ran.stderr, &ran.stdout) } else { (&ran.stdout, &ran.stderr) };
        shell.print(first);
        shell.print(last);
        return Ok(());
    };
    live.errors.push_str(&ran.stderr);
    shell.print(&ran.stdout);
    Ok(())
}

/// A program that the image does not have: the shell says so, to a log too.
pub(super) fn absent(shell: &mut Shell<'_>, name: &str) {
    let is_small = matches!(crate::image::short(&shell.around.image), "alpine" | "busybox");
    let text = format!("sh: {}{name}: not found", if is_small { "" } else { "1: " });
    match shell.live {
        Some(_) => shell.complain(&text),
        None => shell.print(&format!("{text}\n")),
    }
    shell.status = 127;
}

/// A program that nobody knows.
pub(super) fn unknown(shell: &mut Shell<'_>, name: &str) {
    if let Some(live) = shell.live.as_mut().filter(|it| it.is_asked) {
        live.unknown = true;
        return;
    }
    let known = "the simulation knows common shell commands, curl, nc, nslookup and wget";
    shell.complain(&format!("sh: {name}: not found ({known})"));
    shell.status = 127;
}

/// Where one is: `hostname`, `pwd`, `cd`, `ls`.
pub(super) fn place(shell: &mut Shell<'_>, name: &str, arguments: &[&str]) {
    let own = shell.around.hostname.to_string();
    let here = shell.variables.get("PWD").cloned().unwrap_or_else(|| "/".to_owned());
    let plain = arguments.iter().find(|it| !it.starts_with('-')).map(|it| absolute(&here, it));
    match name {
        "hostname" if arguments.iter().any(|it| matches!(*it, "-i" | "-I")) => {
            let hosts = shell.files.get("/etc/hosts").cloned().unwrap_or_default();
            let line = hosts.lines().find_map(|it| it.split_once('\t').filter(|(_, name)| *name == own));
            shell.print(&format!("{}\n", line.map_or("127.0.0.1", |(ip, _)| ip)));
        }
        "hostname" => shell.print(&format!("{own}\n")),
        "pwd" => shell.print(&format!("{here}\n")),
        "cd" => drop(shell.variables.insert("PWD".to_owned(), plain.unwrap_or_else(|| "/root".to_owned()))),
        _ => list(shell, &plain.unwrap_or(here)),
    }
}

impl Shell<'_> {
    /// A path from where one is, for commands that know that.
    pub fn path(&self, path: &str) -> String {
        let here = self.variables.get("PWD").filter(|_| self.live.is_some());
        here.map_or_else(|| path.to_owned(), |here| absolute(here, path))
    }
}

impl Shell<'_> {
    /// A file is not there, as far as is known.
    pub fn misses(&mut self) {
        if let Some(live) = &mut self.live {
            live.missing = true;
        }
    }

    /// Whether a file or a folder is there.
    pub fn is_there(&self, path: &str, is_folder: bool) -> bool {
        let path = self.path(path);
        let folder = format!("{}/", path.trim_end_matches('/'));
        let holds = self.files.range(folder.clone()..).next().is_some_and(|(it, _)| it.starts_with(&folder));
        holds
            || folder == "/"
            || FOLDERS.contains(&path.trim_matches('/'))
            || (!is_folder && self.files.contains_key(&path))
    }
}

fn absolute(here: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", here.trim_end_matches('/')) }
}

fn list(shell: &mut Shell<'_>, path: &str) {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let mut names: BTreeSet<String> = shell
        .files
        .keys()
        .filter_map(|it| it.strip_prefix(folder.as_str())?.split('/').next().map(str::to_owned))
        .collect();
    if folder == "/" {
        names.extend(FOLDERS.iter().map(|it| (*it).to_owned()));
    }
    let is_known = folder == "/" || FOLDERS.contains(&path.trim_matches('/'));
    if shell.files.contains_key(path) {
        shell.print(&format!("{path}\n"));
    } else if names.is_empty() && !is_known {
        shell.misses();
        shell.complain(&format!("ls: {path}: No such file or directory"));
        shell.status = 1;
    } else {
        shell.print(&names.iter().map(|it| format!("{it}\n")).collect::<String>());
    }
}

//! A session as a text: commands after `$ `, and below each what it prints.
//!
//! `$ wait 10s` lets virtual time pass. A first line `# nodes: 5` chooses the cluster. Other lines with `#` are prose.
//! A command that fails ends with a line `[exit 1]`. `UPDATE_EXPECT=1` writes what our own kubectl prints.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cluster::Duration;

/// A scenario's text taken apart.
pub struct Transcript {
    pub folder: PathBuf,
    pub n_nodes: u32,
    /// What stands above the first command.
    head: String,
    steps: Vec<Step>,
}

struct Step {
    command: String,
    expected: String,
    /// Prose that follows.
    after: String,
}

/// Somebody who carries commands out on a cluster.
pub trait Player {
    /// Output, then errors, then `[exit N]` unless it is 0.
    fn kubectl(&mut self, words: &[String]) -> Result<String, String>;
    fn wait(&mut self, time: Duration) -> Result<(), String>;
    /// What of an output may differ is made equal; the texts of our own kubectl are taken as they are.
    fn masked(&self, text: &str) -> String;
    /// Whether its outputs are what the files hold.
    fn writes(&self) -> bool;
}

impl Transcript {
    pub fn read(folder: &Path) -> Result<Transcript, String> {
        let path = folder.join("session.txt");
        let text = std::fs::read_to_string(&path).map_err(|it| format!("{}: {it}", path.display()))?;
        let mut res = Transcript { folder: folder.to_owned(), n_nodes: 3, head: String::new(), steps: Vec::new() };
        for line in text.lines() {
            if let Some(n_nodes) = line.strip_prefix("# nodes: ") {
                res.n_nodes = n_nodes.parse().map_err(|_| format!("{}: {line}", path.display()))?;
            }
            if let Some(command) = line.strip_prefix("$ ") {
                res.steps.push(Step { command: command.to_owned(), expected: String::new(), after: String::new() });
                continue;
            }
            let part = match res.steps.last_mut() {
                None => &mut res.head,
                Some(step) if line.starts_with('#') || !step.after.is_empty() => &mut step.after,
                Some(step) => &mut step.expected,
            };
            part.push_str(line);
            part.push('\n');
        }
        if res.steps.is_empty() { Err(format!("{} has no command", path.display())) } else { Ok(res) }
    }

    /// What each command prints.
    pub fn play(&self, player: &mut dyn Player) -> Result<Vec<String>, String> {
        self.steps.iter().map(|it| play_one(&it.command, player)).collect()
    }

    /// An error that shows the first difference; or the file is written anew.
    pub fn compare(&self, player: &dyn Player, played: &[String]) -> Result<(), String> {
        if player.writes() && std::env::var_os("UPDATE_EXPECT").is_some() {
            let path = self.folder.join("session.txt");
            return std::fs::write(&path, self.with(played)).map_err(|it| format!("{}: {it}", path.display()));
        }
        let mut wrong = String::new();
        for (step, output) in self.steps.iter().zip(played) {
            // An empty line at the end of the text stands between steps and is no output.
            let (expected, output) = (player.masked(step.expected.trim_end()), player.masked(output.trim_end()));
            if expected != output {
                // Writing to a text cannot fail.
                let _ok = writeln!(wrong, "$ {}\n--- expected\n{expected}\n--- printed\n{output}\n", step.command);
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn with(&self, played: &[String]) -> String {
        let mut res = self.head.clone();
        for (step, output) in self.steps.iter().zip(played) {
            // Some commands end without the end of a line.
            let end = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
            res.push_str(&format!("$ {}\n{output}{end}{}", step.command, step.after));
        }
        res
    }
}

fn play_one(command: &str, player: &mut dyn Player) -> Result<String, String> {
    let words = split(command)?;
    match words.first().map(String::as_str) {
        Some("kubectl") => player.kubectl(&words[1..]),
        Some("wait") if words.len() == 2 => player.wait(duration(&words[1])?).map(|()| String::new()),
        _ => Err(format!("no command: {command}")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("no time: {text}");
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number * seconds))
}

/// Words as a shell sees them: quotes of both kinds, no substitutions.
fn split(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in command.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            None if c == ' ' => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quote.is_some() { Err(format!("an open quote: {command}")) } else { Ok(words) }
}

//! The real kubectl against the real server, whose clock stands still until it is told to go.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration as WallDuration, Instant};

use cluster::Duration;

use crate::mask;
use crate::transcript::{Player, Transcript};

/// The longest that one command may take.
const COMMAND_MAX: WallDuration = WallDuration::from_secs(120);
/// A command that has had nothing to do for so long waits for something: time goes on, a second for each quarter of it.
const PATIENCE: WallDuration = WallDuration::from_millis(400);

struct Real {
    kubectl: PathBuf,
    folder: PathBuf,
    server: Child,
    port: u16,
    /// kubeconfig and kubectl's caches.
    home: PathBuf,
}

/// The program to compare with, as the environment names it.
pub fn kubectl() -> Option<PathBuf> {
    std::env::var_os("DRYDOCK_KUBECTL").map(PathBuf::from)
}

pub fn start(transcript: &Transcript) -> Result<Box<dyn Player>, String> {
    let kubectl = kubectl().ok_or("DRYDOCK_KUBECTL names no program")?;
    let name = transcript.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let home = std::env::temp_dir().join(format!("drydock-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&home).map_err(|it| format!("{}: {it}", home.display()))?;
    let config = home.join("kubeconfig");
    let mut server = Command::new(drydock()?)
        .args(["serve", "--port", "0", "--speed", "0", "--start", "2026-01-01T09:00:00Z"])
        .args(["--nodes", &transcript.n_nodes.to_string(), "--kubeconfig"])
        .arg(&config)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|it| format!("the server: {it}"))?;
    let out = server.stdout.take().ok_or("the server has no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).map_err(|it| format!("the server: {it}"))?;
    let port =
        line.trim().rsplit(':').next().and_then(|it| it.parse().ok()).ok_or(format!("the server said: {line}"))?;
    let mut real = Real { kubectl, folder: transcript.folder.clone(), server, port, home };
    // As our own player does before its first command.
    real.wait(Duration::from_secs(30))?;
    Ok(Box::new(real))
}

/// The server, built once for all tests of this process.
fn drydock() -> Result<PathBuf, String> {
    static BUILT: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    let build = || {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let status = Command::new(cargo).args(["build", "--quiet", "--package", "server"]).current_dir(root).status();
        if !status.map_err(|it| format!("cargo: {it}"))?.success() {
            return Err("the server does not build".to_owned());
        }
        let own = std::env::current_exe().map_err(|it| it.to_string())?;
        own.ancestors().nth(2).map(|it| it.join("drydock")).ok_or("this program is in no target folder".to_owned())
    };
    BUILT.get_or_init(build).clone()
}

impl Real {
    fn advance(&self, seconds: u64) -> Result<(), String> {
        let failed = |it: std::io::Error| format!("the clock: {it}");
        let body = format!("{{\"seconds\": {seconds}}}");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(failed)?;
        let request = format!(
            "POST /apis/sim.drydock.dev/v1alpha1/clocks/cluster/advance HTTP/1.1\r\nHost: drydock\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(format!("the clock: {answer}")) }
    }

    /// Waits for the process; time goes on while neither it nor the server has anything to do.
    fn finish(&self, child: &mut Child) -> Result<i32, String> {
        let start = Instant::now();
        let (mut idle_since, mut patience) = (start, PATIENCE);
        loop {
            if let Some(status) = child.try_wait().map_err(|it| it.to_string())? {
                return Ok(status.code().unwrap_or(-1));
            }
            if start.elapsed() > COMMAND_MAX {
                child.kill().map_err(|it| it.to_string())?;
                return Err("the command does not end".to_owned());
            }
            if is_busy(child.id()) || is_busy(self.server.id()) {
                idle_since = Instant::now();
            }
            if idle_since.elapsed() > patience {
                self.advance(1)?;
                idle_since = Instant::now();
                patience = PATIENCE / 4;
            }
            std::thread::sleep(WallDuration::from_millis(5));
        }
    }
}

/// Whether a thread of the process runs or would run if the machine had time for it, as Linux tells.
fn is_busy(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    let state = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("stat")).unwrap_or_default();
        // The name before the state may hold anything but ends with the last parenthesis.
        text.rsplit_once(") ").and_then(|(_, it)| it.chars().next())
    };
    threads.flatten().any(|it| matches!(state(it.path()), Some('R' | 'D')))
}

impl Player for Real {
    fn kubectl(&mut self, words: &[String]) -> Result<String, String> {
        let mut child = Command::new(&self.kubectl)
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("KUBECONFIG", self.home.join("kubeconfig"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|it| format!("{}: {it}", self.kubectl.display()))?;
        let mut out = child.stdout.take().ok_or("no output")?;
        let mut err = child.stderr.take().ok_or("no output")?;
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text)
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).map(|_| text)
        });
        let code = self.finish(&mut child)?;
        let text = |it: std::thread::JoinHandle<std::io::Result<String>>| {
            it.join().map_err(|_| "a reader broke".to_owned())?.map_err(|it| it.to_string())
        };
        let mut res = text(reader)?;
        res.push_str(&text(errors)?);
        if code != 0 {
            res.push_str(&format!("[exit {code}]\n"));
        }
        Ok(res)
    }

    fn wait(&mut self, time: Duration) -> Result<(), String> {
        self.advance(time.as_secs())
    }

    fn masked(&self, text: &str) -> String {
        mask::differences(text)
    }

    fn writes(&self) -> bool {
        false
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // Neither can fail in a way that somebody could mend.
        self.server.kill().ok();
        self.server.wait().ok();
        std::fs::remove_dir_all(&self.home).ok();
    }
}

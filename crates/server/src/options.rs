//! The command line.

use std::path::PathBuf;

use cluster::{Config, Duration, Instant, KubeletMode};
use lexopt::prelude::{Long, Short, Value, ValueExt};

pub(crate) const HELP: &str = "\
Drydock simulates Kubernetes: an API server, controllers, a scheduler and kubelets. No container runs.

drydock serve   serve the cluster's API on 127.0.0.1 for kubectl and other clients
  --port P              port; 0 picks one (default 8001)
  --nodes N             machines node-1 … node-N (default 3)
  --seed S              for names and chance (default 1)
  --speed 1|60|max|0    virtual seconds per second; 0: time stands still until advanced (default 1)
  --start RFC3339       virtual time at the beginning (default: now)
  --kubeconfig FILE     where to write the client's configuration (default drydock.kubeconfig)
  --apply FILE          manifests to create at the start; may be given several times
  --kubelet real|fast   how pods live (default real)
  --log-changes-max N   changes of each kind that watches can go back to

drydock run FILE…       apply files to a fresh cluster, let virtual time pass, print
  --nodes N --seed S --kubelet real|fast
  --for 10m             virtual time (default 10m)
  --get RESOURCES       what to print (default pods)
  -o wide|yaml|json     how
";

/// What is asked for.
pub(crate) enum Command {
    Help,
    Serve(Serve),
    Run(Run),
}

/// How fast virtual time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speed {
    /// Virtual seconds per second; 0 stands still.
    Times(u32),
    /// As fast as the engine can.
    Max,
}

pub(crate) struct Serve {
    pub port: u16,
    pub config: Config,
    pub speed: Speed,
    pub kubeconfig: PathBuf,
    pub apply: Vec<PathBuf>,
}

pub(crate) struct Run {
    pub files: Vec<PathBuf>,
    pub config: Config,
    pub time: Duration,
    pub get: String,
    pub output: String,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let Some(command) = parser.next()? else { return Ok(Command::Help) };
    match command {
        Value(it) if it == "serve" => serve(parser).map(Command::Serve),
        Value(it) if it == "run" => run(parser).map(Command::Run),
        Long("help") | Short('h') => Ok(Command::Help),
        it => Err(it.unexpected()),
    }
}

fn serve(mut parser: lexopt::Parser) -> Result<Serve, lexopt::Error> {
    let start = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0);
    let mut options = Serve {
        port: 8001,
        config: Config { start: Instant::from_secs(start), ..Config::default() },
        speed: Speed::Times(1),
        kubeconfig: PathBuf::from("drydock.kubeconfig"),
        apply: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("port") => options.port = parser.value()?.parse()?,
            Long("speed") => options.speed = parser.value()?.parse_with(speed)?,
            Long("start") => options.config.start = parser.value()?.parse_with(instant)?,
            Long("kubeconfig") => options.kubeconfig = parser.value()?.into(),
            Long("apply") => options.apply.push(parser.value()?.into()),
            Long("log-changes-max") => options.config.log_changes_max = parser.value()?.parse()?,
            it => common(&mut options.config, it, &mut parser)?,
        }
    }
    Ok(options)
}

fn run(mut parser: lexopt::Parser) -> Result<Run, lexopt::Error> {
    let mut options = Run {
        files: Vec::new(),
        config: Config::default(),
        time: Duration::from_secs(600),
        get: "pods".to_owned(),
        output: String::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("for") => options.time = parser.value()?.parse_with(duration)?,
            Long("get") => options.get = parser.value()?.parse()?,
            Short('o') | Long("output") => options.output = parser.value()?.parse()?,
            Value(file) => options.files.push(file.into()),
            it => common(&mut options.config, it, &mut parser)?,
        }
    }
    Ok(options)
}

/// Options that every command has.
fn common(config: &mut Config, arg: lexopt::Arg<'_>, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
    match arg {
        Long("nodes") => config.n_nodes = parser.value()?.parse()?,
        Long("seed") => config.seed = parser.value()?.parse()?,
        Long("kubelet") => {
            config.kubelet = parser.value()?.parse_with(|it| match it {
                "real" => Ok(KubeletMode::Real),
                "fast" => Ok(KubeletMode::Fast),
                _ => Err("real or fast"),
            })?;
        }
        it => return Err(it.unexpected()),
    }
    Ok(())
}

fn speed(text: &str) -> Result<Speed, &'static str> {
    match text {
        "max" => Ok(Speed::Max),
        _ => text.parse().map(Speed::Times).map_err(|_| "a whole number or max"),
    }
}

fn instant(text: &str) -> Result<Instant, &'static str> {
    value::time::parse_nanos(text).map(Instant::from_nanos).ok_or("a time such as 2026-11-24T16:00:00Z")
}

/// `90s`, `10m`, `2h`, `1d`.
fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "a time such as 90s, 10m or 2h";
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| EXPECTED)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(EXPECTED),
    };
    number.checked_mul(factor).map(Duration::from_secs).ok_or(EXPECTED)
}

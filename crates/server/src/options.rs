//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

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
  --apply FILE          manifests to apply at the start; may be given several times
  --record FILE         where to write the run's inputs at the end, for drydock replay
  --page DIR            also serves the files of this directory, such as the built page
  --kubelet real|fast   how pods live (default real)
  --reaction MS         milliseconds after which the scheduler acts on a change (default 10)
  --log-changes-max N   changes of each kind that watches can go back to

drydock replay FILE     repeat a recorded run and print its fingerprint

drydock kubectl ARGS…   our own kubectl, for the same command lines as the real one
  --server URL          the server to talk to (default http://127.0.0.1:8001)

drydock run FILE…       apply files to a fresh cluster, let virtual time pass, print
  --nodes N --seed S --kubelet real|fast
  --for 10m             virtual time (default 10m)
  --get RESOURCES       what to print of all namespaces, as kubectl get does (default pods)
  -o wide|yaml|json|…   how
";

/// What is asked for.
pub(crate) enum Command {
    Help,
    Serve(Serve),
    Run(Run),
    Replay(PathBuf),
    /// The words after `kubectl`.
    Kubectl(Vec<String>),
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
    pub record: Option<PathBuf>,
    pub page: Option<PathBuf>,
}

pub(crate) struct Run {
    pub files: Vec<PathBuf>,
    pub config: Config,
    pub time: Duration,
    pub get: String,
    pub output: String,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Value(it)) => it,
        Some(it) => return Err(it.unexpected()),
    };
    match command.to_str() {
        Some("kubectl") => {
            let words = parser.raw_args()?.map(|it| it.to_string_lossy().into_owned());
            Ok(Command::Kubectl(words.collect()))
        }
        _ if asks_for_help(parser.clone()) => Ok(Command::Help),
        Some("serve") => serve(parser).map(Command::Serve),
        Some("run") => run(parser).map(Command::Run),
        Some("replay") => Ok(Command::Replay(parser.value()?.into())),
        _ => Err(lexopt::Error::UnexpectedArgument(command)),
    }
}

fn asks_for_help(mut parser: lexopt::Parser) -> bool {
    while let Ok(Some(arg)) = parser.next() {
        if matches!(arg, Long("help") | Short('h')) {
            return true;
        }
    }
    false
}

fn serve(mut parser: lexopt::Parser) -> Result<Serve, lexopt::Error> {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let mut options = Serve {
        port: 8001,
        config: Config { start: Instant::from_secs(start), ..Config::default() },
        speed: Speed::Times(1),
        kubeconfig: PathBuf::from("drydock.kubeconfig"),
        apply: Vec::new(),
        record: None,
        page: None,
    };
    while let Some(arg) = next(&mut parser)? {
        match arg.name() {
            "--port" => options.port = read(&arg, &mut parser, whole)?,
            "--speed" => options.speed = read(&arg, &mut parser, speed)?,
            "--start" => options.config.start = read(&arg, &mut parser, instant)?,
            "--kubeconfig" => options.kubeconfig = parser.value()?.into(),
            "--apply" => options.apply.push(parser.value()?.into()),
            "--record" => options.record = Some(parser.value()?.into()),
            "--page" => options.page = Some(parser.value()?.into()),
            "--reaction" => options.config.reaction = Duration::from_millis(read(&arg, &mut parser, whole)?),
            "--log-changes-max" => options.config.log_changes_max = read(&arg, &mut parser, whole)?,
            _ => common(&mut options.config, arg, &mut parser)?,
        }
    }
    options.config.speed = match options.speed {
        Speed::Max => "max".to_owned(),
        Speed::Times(factor) => factor.to_string(),
    };
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
    while let Some(arg) = next(&mut parser)? {
        match arg.name() {
            "--for" => options.time = read(&arg, &mut parser, duration)?,
            "--get" => options.get = parser.value()?.parse()?,
            "-o" | "--output" => options.output = parser.value()?.parse()?,
            "" => options.files.extend(arg.value().map(PathBuf::from)),
            _ => common(&mut options.config, arg, &mut parser)?,
        }
    }
    Ok(options)
}

/// An option or a value, apart from the parser so that it can go on.
enum Arg {
    Option(String),
    Value(OsString),
}

impl Arg {
    /// Empty for a value.
    fn name(&self) -> &str {
        match self {
            Arg::Option(name) => name,
            Arg::Value(_) => "",
        }
    }

    fn value(self) -> Option<OsString> {
        match self {
            Arg::Option(_) => None,
            Arg::Value(it) => Some(it),
        }
    }

    fn unexpected(self) -> lexopt::Error {
        match self {
            Arg::Option(name) => lexopt::Error::UnexpectedOption(name),
            Arg::Value(it) => lexopt::Error::UnexpectedArgument(it),
        }
    }
}

fn next(parser: &mut lexopt::Parser) -> Result<Option<Arg>, lexopt::Error> {
    Ok(parser.next()?.map(|it| match it {
        Long(name) => Arg::Option(format!("--{name}")),
        Short(name) => Arg::Option(format!("-{name}")),
        Value(it) => Arg::Value(it),
    }))
}

/// Options that every command has.
fn common(config: &mut Config, arg: Arg, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
    match arg.name() {
        "--nodes" => config.n_nodes = read(&arg, parser, whole)?,
        "--seed" => config.seed = read(&arg, parser, whole)?,
        "--kubelet" => config.kubelet = read(&arg, parser, kubelet)?,
        _ => return Err(arg.unexpected()),
    }
    Ok(())
}

/// The value of an option; an error says of which, and what it may be.
fn read<T>(
    arg: &Arg,
    parser: &mut lexopt::Parser,
    from: fn(&str) -> Result<T, &'static str>,
) -> Result<T, lexopt::Error> {
    let value = parser.value()?;
    let text = value.to_string_lossy();
    from(&text).map_err(|wanted| format!("{} {text}: it takes {wanted}", arg.name()).into())
}

fn whole<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a whole number, not below zero and not too large")
}

fn kubelet(text: &str) -> Result<KubeletMode, &'static str> {
    match text {
        "real" => Ok(KubeletMode::Real),
        "fast" => Ok(KubeletMode::Fast),
        _ => Err("real or fast"),
    }
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

//! When probes change their mind: computed once when a container starts, so that nobody has to ask.

use meta::Object;
use runtime::View;
use sim::{Duration, Instant};
use value::Value;

use crate::behavior::Behavior;
use crate::client::Programs;
use crate::environment;
use crate::foresight::{Foresight, Known};
use crate::shell::{self, Output, Program, Surroundings};

/// What is going to happen to a container that starts now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Prospects {
    /// When it ends by itself: exit code and reason (empty: by the code).
    pub exit: Option<Box<(Instant, i64, value::Str)>>,
    /// When it counts as started.
    pub started: Option<Instant>,
    /// When it becomes ready and unready, in order.
    pub ready: Vec<(Instant, bool)>,
    /// When its probe has failed often enough to kill it, and in what words.
    pub killed: Option<Box<(Instant, String)>>,
    /// The first failure of its readiness probe, in words.
    pub unhealthy: Option<Box<(Instant, String)>>,
    /// Whether its program asks the network, so that it may go on otherwise when that changes.
    pub asks: bool,
}

/// Where a container's probes stand.
const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];
/// Rounds of a probe that are looked at beyond the last change.
const ROUNDS_MAX: u32 = 1_000;

/// One probe of a container.
struct Probe<'a> {
    spec: &'a Value,
    delay: Duration,
    period: Duration,
    failures: u32,
    successes: u32,
}

impl<'a> Probe<'a> {
    fn of(container: &'a Value, name: &str) -> Option<Probe<'a>> {
        let spec = container.get(name)?;
        let number = |key: &str, default: u32| {
            spec.i64_at(key).and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0).unwrap_or(default)
        };
        Some(Probe {
            spec,
            delay: Duration::from_secs(u64::try_from(spec.i64_at("initialDelaySeconds").unwrap_or(0)).unwrap_or(0)),
            period: Duration::from_secs(number("periodSeconds", 10).into()),
            failures: number("failureThreshold", 3),
            successes: number("successThreshold", 1),
        })
    }
}

/// What decides the answers of probes.
struct World<'a> {
    view: &'a View<'a>,
    behavior: &'a Behavior,
    start: Instant,
    output: Option<Output>,
    around: Surroundings,
}

/// Looks ahead for a container that starts now.
pub(crate) fn prospects(
    view: &View<'_>,
    pod: &Object,
    container: &Value,
    behavior: &Behavior,
    foresight: &Foresight,
) -> Prospects {
    let start = view.now;
    let known = foresight.program(view, pod, container);
    let (output, around) = match &*known {
        Known { plain: Some(it), .. } if PROBES.iter().all(|it| container.get(it).is_none()) => {
            (Some(it.output(start)), Surroundings::default())
        }
        Known { program: Some(it), .. } => {
            let around = environment::with_files(view, pod, container);
            let programs = Programs::of(view, pod, container, foresight.client);
            let run = |name: &str, arguments: &[&str]| programs.run(name, arguments);
            (Some(shell::run(it, &around, start, Instant::END, Some(&run))), around)
        }
        Known { program: None, .. } => (None, Surroundings::default()),
    };
    let asks = output.as_ref().is_some_and(|it| it.asked);
    let world = World { view, behavior, start, output, around };
    let mut res = Prospects { exit: exit(&world, container).map(Box::new), asks, ..Prospects::default() };
    let mut from = start;
    let [startup, liveness, readiness] = PROBES;
    if let Some(probe) = Probe::of(container, startup) {
        let (passed, killed) = world.until_passed(&probe, start);
        res.killed = killed.map(|at| Box::new((at, world.failure("Startup", &probe))));
        let Some(passed) = passed else { return res };
        from = passed;
    }
    res.started = Some(from);
    if let Some(probe) = Probe::of(container, liveness) {
        res.killed = world.killed(&probe, from).map(|at| Box::new((at, world.failure("Liveness", &probe))));
    }
    match Probe::of(container, readiness) {
        Some(probe) => {
            res.ready = world.flips(&probe, from);
            let first = from + probe.delay + SETTLE;
            if res.ready.first().is_none_or(|(at, _)| *at > first) {
                res.unhealthy = Some(Box::new((first, world.failure("Readiness", &probe))));
            }
        }
        // No room to spare: every container that runs has one.
        None => res.ready = behavior.ready.iter().map(|it| ((start + *it).max(from), true)).collect(),
    }
    res
}

/// The first probe comes this long after the start and the initial delay.
const SETTLE: Duration = Duration::from_millis(1000);
/// A container that uses more memory than it may is found out after this long.
const OUT_OF_MEMORY: Duration = Duration::from_secs(2);

fn exit(world: &World<'_>, container: &Value) -> Option<(Instant, i64, value::Str)> {
    let limit = container.str_at("resources.limits.memory");
    let limit = limit.and_then(|it| value::quantity::Quantity::parse(it).ok()).map(|it| it.value());
    if let (Some(used), Some(limit)) = (world.behavior.memory, limit)
        && used > limit
    {
        return Some((world.start + OUT_OF_MEMORY, 137, "OOMKilled".into()));
    }
    if let Some(exit) = &world.behavior.exit {
        return Some((world.start + exit.after, exit.code, exit.reason.clone()));
    }
    let end = world.output.as_ref()?.end?;
    Some((end.at, end.code, "".into()))
}

impl World<'_> {
    /// Whether a probe succeeds at a time.
    fn succeeds(&self, command: Option<&Program>, at: Instant, is_liveness: bool) -> bool {
        if is_liveness && self.behavior.dies.is_some_and(|it| at >= self.start + it) {
            return false;
        }
        if !is_liveness && self.behavior.ready.is_none_or(|it| at < self.start + it) {
            return false;
        }
        let (Some(command), Some(output)) = (command, &self.output) else { return true };
        let changed = output.changes.iter().rev().find(|(changed, _)| *changed <= at);
        let files = changed.map_or(&self.around.files, |(_, it)| it);
        shell::probe(command, &self.around, files, at)
    }

    fn command(&self, probe: &Probe<'_>) -> Option<Program> {
        let words: Vec<&str> = probe.spec.list_at("exec.command").iter().filter_map(Value::as_str).collect();
        shell::program(&words)
    }

    /// After this nothing changes any more.
    fn settled(&self) -> Instant {
        let changes = self.output.iter().flat_map(|it| &it.changes).map(|(at, _)| *at);
        let declared = [self.behavior.ready, self.behavior.dies].into_iter().flatten().map(|it| self.start + it);
        changes.chain(declared).max().unwrap_or(self.start).max(self.view.now)
    }

    /// Times at which a probe is run, with what it answers.
    fn answers(&self, probe: &Probe<'_>, from: Instant, is_liveness: bool) -> Vec<(Instant, bool)> {
        let command = self.command(probe);
        let last = self.settled() + probe.period * (probe.failures.max(probe.successes) + 1);
        let mut at = from + probe.delay + SETTLE;
        let mut answers = Vec::new();
        while answers.len() < ROUNDS_MAX as usize && (at <= last + probe.delay || answers.is_empty()) {
            answers.push((at, self.succeeds(command.as_ref(), at, is_liveness)));
            at = at + probe.period;
        }
        answers
    }

    /// When a startup probe succeeds or else has failed too often.
    fn until_passed(&self, probe: &Probe<'_>, from: Instant) -> (Option<Instant>, Option<Instant>) {
        let command = self.command(probe);
        let mut at = from + probe.delay + SETTLE;
        for _ in 0..probe.failures.min(ROUNDS_MAX) {
            if self.succeeds(command.as_ref(), at, false) {
                return (Some(at), None);
            }
            at = at + probe.period;
        }
        (None, Some(at - probe.period))
    }

    /// When a liveness probe has failed too often.
    fn killed(&self, probe: &Probe<'_>, from: Instant) -> Option<Instant> {
        let mut n_failures = 0;
        for (at, passed) in self.answers(probe, from, true) {
            n_failures = if passed { 0 } else { n_failures + 1 };
            if n_failures >= probe.failures {
                return Some(at);
            }
        }
        None
    }

    /// When a readiness probe changes what it says.
    fn flips(&self, probe: &Probe<'_>, from: Instant) -> Vec<(Instant, bool)> {
        let (mut flips, mut ready, mut n_same, mut last) = (Vec::new(), false, 0, false);
        for (at, passed) in self.answers(probe, from, false) {
            n_same = if passed == last { n_same + 1 } else { 1 };
            last = passed;
            let wanted = if passed { probe.successes } else { probe.failures };
            if passed != ready && n_same >= wanted {
                ready = passed;
                flips.push((at, ready));
            }
        }
        flips
    }

    fn failure(&self, which: &str, probe: &Probe<'_>) -> String {
        let port = |key: &str| match probe.spec.at(key) {
            Some(Value::Int(it)) => it.to_string(),
            Some(it) => it.as_str().unwrap_or("").to_owned(),
            None => String::new(),
        };
        let why = if probe.spec.get("exec").is_some() {
            String::new()
        } else if probe.spec.get("httpGet").is_some() {
            let code = if which == "Liveness" { 500 } else { 503 };
            format!("HTTP probe failed with statuscode: {code}")
        } else if probe.spec.get("grpc").is_some() {
            "service unhealthy (responded with \"NOT_SERVING\")".to_owned()
        } else {
            format!("dial tcp :{}: connect: connection refused", port("tcpSocket.port"))
        };
        format!("{which} probe failed: {why}")
    }
}

//! When probes change their mind: computed once when a container starts, so that nobody has to ask.

use meta::Object;
use runtime::View;
use sim::{Duration, Instant};
use value::{Str, Value};

use crate::behavior::Behavior;
use crate::client::Programs;
use crate::foresight::{Facts, Foresight, Known};
use crate::shell::{self, Output, Program, Surroundings};
use crate::{environment, hooks, image, last_word};

/// What is going to happen to a container that starts now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Prospects {
    /// When it ends by itself.
    pub exit: Option<Box<Ending>>,
    /// When it counts as started.
    pub started: Option<Instant>,
    /// When it becomes ready and unready, in order.
    pub ready: Vec<(Instant, bool)>,
    /// When it is killed, and why.
    pub killed: Option<Box<(Instant, Why)>>,
    /// What its probes complain about.
    pub failures: Option<Box<Failures>>,
    /// Whether its program asks the network, so that it may go on otherwise when that changes.
    pub asks: bool,
}

/// How a run ends by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ending {
    pub at: Instant,
    pub code: i64,
    /// Empty: by the code.
    pub reason: Str,
    /// What it leaves behind as its last word.
    pub message: Str,
}

/// Why a kubelet kills a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    Liveness,
    Startup,
    /// Its `postStart` hook failed, in these words.
    Hook(String),
    /// It is to be another one.
    Changed,
    /// Its resources change, for which it has to be restarted.
    Resized,
}

/// Failing probes of one run: each is an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Failures {
    /// The next one last.
    list: Vec<(Instant, Str)>,
    /// One that goes on failing after them.
    forever: Option<Forever>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Forever {
    at: Instant,
    period: Duration,
    message: Str,
    n: u32,
}

impl Forever {
    /// After this many events about one object, the next are dropped, but for one from time to time (client-go's spam filter).
    const BURST: u32 = 25;
    const LATER: Duration = Duration::from_secs(300);

    fn go_on(&mut self) {
        self.n += 1;
        let millis = self.period.as_millis().max(1);
        let rounds = if self.n < Forever::BURST { 1 } else { Forever::LATER.as_millis().div_ceil(millis) };
        self.at = self.at + self.period * u32::try_from(rounds).unwrap_or(1);
    }
}

impl Failures {
    pub fn next_at(&self) -> Option<Instant> {
        self.list.last().map(|it| it.0).or(self.forever.as_ref().map(|it| it.at))
    }

    /// The next one, if it is due.
    pub fn pop(&mut self, now: Instant) -> Option<Str> {
        if self.next_at()? > now {
            return None;
        }
        if let Some((_, message)) = self.list.pop() {
            return Some(message);
        }
        let forever = self.forever.as_mut()?;
        forever.go_on();
        Some(forever.message.clone())
    }

    /// Leaves those out that have been told.
    pub fn skip(&mut self, now: Instant) {
        self.list.retain(|(at, _)| *at > now);
        while let Some(it) = self.forever.as_mut().filter(|it| it.at <= now) {
            it.go_on();
        }
    }

    fn is_empty(&self) -> bool {
        self.next_at().is_none()
    }
}

/// What a probe comes to.
enum Answer {
    Passed,
    /// And what it says.
    Failed(Str),
    /// It could not be run: counts as nothing.
    Errored(Str),
}

/// What the answers of one probe come to: when it was asked, whether it passed (`None`: it could not be run), what it said.
type Asked = (Instant, Option<bool>, Str);

/// Where a container's probes stand.
pub(crate) const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];
/// Rounds of a probe that are looked at beyond the last change.
const ROUNDS_MAX: u32 = 1_000;

/// One probe of a container.
struct Probe<'a> {
    name: &'static str,
    spec: &'a Value,
    command: Option<Program>,
    timeout: Duration,
    delay: Duration,
    period: Duration,
    failures: u32,
    successes: u32,
}

impl<'a> Probe<'a> {
    fn of(container: &'a Value, name: &'static str) -> Option<Probe<'a>> {
        let spec = container.get(name)?;
        let number = |key: &'static str, default: u32| {
            spec.i64_at(key).and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0).unwrap_or(default)
        };
        let words: Vec<&str> = spec.list_at("exec.command").iter().filter_map(Value::as_str).collect();
        Some(Probe {
            name,
            spec,
            command: shell::program(&words),
            timeout: Duration::from_secs(number("timeoutSeconds", 1).into()),
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
    pod: &'a Object,
    container: &'a Value,
    behavior: &'a Behavior,
    start: Instant,
    output: Option<Output>,
    around: Surroundings,
    listens: Listens,
}

/// Whether connections to a container are taken.
enum Listens {
    /// To which ports nobody knows, so to all.
    Somewhere,
    To(&'static [i64]),
}

/// Whether nobody hears the hook before the end of a container.
pub(crate) fn stops_unheard(view: &View<'_>, pod: &Object, container: &Value, foresight: &Foresight) -> bool {
    let known = foresight.facts(container).program(view, pod, container);
    let (behavior, around) = (Behavior::default(), Surroundings::default());
    let listens = listens(known.program.as_ref(), container);
    let world = World { view, pod, container, behavior: &behavior, start: view.now, output: None, around, listens };
    world.unheard("preStop").is_some()
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
    let facts = foresight.facts(container);
    let (known, is_asked) = (facts.program(view, pod, container), facts.is_asked);
    let (output, around) = match &*known {
        Known { plain: Some(it), .. } if !is_asked && !last_word::is_log(container) => {
            (Some(it.output(start)), Surroundings::default())
        }
        Known { program: Some(it), .. } => {
            let around = environment::with_files(view, pod, container);
            let programs = Programs::of(view, pod, container, foresight.client);
            let run = |name: &str, arguments: &[&str]| programs.run(name, arguments);
            (Some(shell::run(it, &around, start, Instant::END, Some(&run))), around)
        }
        Known { program: None, .. } if is_asked => (None, environment::with_files(view, pod, container)),
        Known { program: None, .. } => (None, Surroundings::default()),
    };
    let asks = output.as_ref().is_some_and(|it| it.asked);
    let listens = if is_asked { listens(known.program.as_ref(), container) } else { Listens::Somewhere };
    let world = World { view, pod, container, behavior, start, output, around, listens };
    let mut res = Prospects { exit: exit(&world, &facts).map(Box::new), asks, ..Prospects::default() };
    if is_asked {
        world.ask(&mut res);
    } else {
        // No room to spare: every container that runs has one.
        res.started = Some(start);
        res.ready = behavior.ready.iter().map(|it| (start + *it, true)).collect();
    }
    res
}

/// The first probe comes this long after the start and the initial delay.
const SETTLE: Duration = Duration::from_millis(1000);
/// A container that uses more memory than it may is found out after this long.
const OUT_OF_MEMORY: Duration = Duration::from_secs(2);

fn exit(world: &World<'_>, facts: &Facts) -> Option<Ending> {
    let (container, start) = (world.container, world.start);
    let ending = |at, code, reason: &str| Some(Ending { at, code, reason: reason.into(), message: Str::default() });
    if let Some((max, told)) = facts.memory
        && world.behavior.memory.or(told).is_some_and(|used| used > max)
    {
        return ending(start + OUT_OF_MEMORY, 137, "OOMKilled");
    }
    if let Some(exit) = &world.behavior.exit {
        return ending(start + exit.after, exit.code, &exit.reason);
    }
    let Some(output) = &world.output else {
        let ends = !world.behavior.is_declared && facts.is_idle_shell;
        return if ends { ending(start, 0, "") } else { None };
    };
    let end = output.end?;
    Some(Ending { at: end.at, code: end.code, reason: "".into(), message: last_word::of(container, output, end.code) })
}

/// What takes connections in a container, where that is certain: a script of known commands takes none, a well-known
/// image that runs what it comes with has its port.
fn listens(program: Option<&Program>, container: &Value) -> Listens {
    let declares = |it: &Value| it.str_at("protocol").unwrap_or("TCP") == "TCP";
    match program {
        Some(it) if it.is_understood() && !container.list_at("ports").iter().any(declares) => Listens::To(&[]),
        Some(_) => Listens::Somewhere,
        None => image::ports(container).map_or(Listens::Somewhere, Listens::To),
    }
}

impl World<'_> {
    /// What the container's hook and probes come to.
    fn ask(&self, res: &mut Prospects) {
        let mut failures = Failures::default();
        let startup = Probe::of(self.container, PROBES[0]);
        let hook = hooks::run(self.pod, self.container, "postStart", &self.around, self.start);
        if let Some(why) = hook.and_then(|it| it.failure).or_else(|| self.unheard("postStart")) {
            res.killed = Some(Box::new((self.start, Why::Hook(why))));
            return;
        }
        let mut from = self.start;
        if let Some(probe) = startup {
            let answers = self.until_passed(&probe, from);
            let passed = answers.last().filter(|it| it.1 == Some(true)).map(|it| it.0);
            let n_failed = answers.iter().filter(|it| it.1 == Some(false)).count();
            if n_failed >= probe.failures as usize {
                res.killed = answers.last().map(|it| Box::new((it.0, Why::Startup)));
            }
            failures.add(&probe, answers, false);
            let Some(passed) = passed else {
                res.failures = failures.boxed();
                return;
            };
            from = passed;
        }
        res.started = Some(from);
        if let Some(probe) = Probe::of(self.container, PROBES[1]) {
            let (answers, killed) = self.until_killed(&probe, from);
            res.killed = killed.map(|at| Box::new((at, Why::Liveness)));
            failures.add(&probe, answers, killed.is_none());
        }
        match Probe::of(self.container, PROBES[2]) {
            Some(probe) => {
                let answers = self.answers(&probe, from);
                res.ready = flips(&probe, &answers);
                failures.add(&probe, answers, true);
            }
            None => res.ready = self.behavior.ready.iter().map(|it| ((self.start + *it).max(from), true)).collect(),
        }
        res.failures = failures.boxed();
    }

    /// What a probe comes to at a time.
    fn answer(&self, probe: &Probe<'_>, at: Instant) -> Answer {
        let is_liveness = probe.name == PROBES[1];
        let declared = match is_liveness {
            true => self.behavior.dies.is_some_and(|it| at >= self.start + it),
            false => self.behavior.ready.is_none_or(|it| at < self.start + it),
        };
        if declared {
            return Answer::Failed(self.declared_failure(probe, is_liveness).into());
        }
        if let Some(command) = &probe.command {
            return self.answer_of_command(command, probe, at);
        }
        let Some(action) = ["httpGet", "tcpSocket", "grpc"].into_iter().find_map(|it| Some((it, probe.spec.get(it)?)))
        else {
            return Answer::Passed;
        };
        let port = match self.port(action.1) {
            Ok(it) => it,
            Err(name) => {
                return Answer::Errored(format!("strconv.Atoi: parsing \"{name}\": invalid syntax").into());
            }
        };
        match self.takes(action.1, port) {
            true => Answer::Passed,
            false => Answer::Failed(self.refused(action, port, probe.timeout).into()),
        }
    }

    /// Whether somebody listens where a probe or a hook asks; where nobody knows, somebody does.
    fn takes(&self, action: &Value, port: i64) -> bool {
        let elsewhere = !action.str_at("host").is_none_or(str::is_empty);
        let is_open = match &self.listens {
            Listens::Somewhere => true,
            Listens::To(ports) => ports.contains(&port),
        };
        is_open || elsewhere
    }

    /// Why nobody hears a hook that asks over HTTP. What is answered does not matter.
    fn unheard(&self, which: &str) -> Option<String> {
        let action = self.container.get("lifecycle")?.get(which)?.get("httpGet")?;
        let port = self.port(action).ok().filter(|it| !self.takes(action, *it))?;
        let why = self.refused(("httpGet", action), port, Duration::ZERO);
        Some(hooks::unheard(self.pod, self.container, action, &why))
    }

    /// Whether files may be there that are not known of.
    fn is_open(&self) -> bool {
        let has_hook = self.container.at("lifecycle.postStart").is_some();
        has_hook || (self.output.is_none() && !image::is_well_known(self.container))
    }

    fn answer_of_command(&self, command: &Program, probe: &Probe<'_>, at: Instant) -> Answer {
        let changed = self.output.iter().flat_map(|it| it.changes.iter().rev()).find(|(changed, _)| *changed <= at);
        let files = changed.map_or(&self.around.files, |(_, it)| it);
        let asked = shell::ask(command, &self.around, files, at, probe.timeout);
        match asked.code {
            Some(0) => Answer::Passed,
            // What an unknown program has written, nobody knows.
            _ if asked.unknown || (asked.missing && self.is_open()) => Answer::Passed,
            Some(_) => Answer::Failed(asked.output.into()),
            None => {
                let words: Vec<&str> = probe.spec.list_at("exec.command").iter().filter_map(Value::as_str).collect();
                let (command, seconds) = (words.join(" "), probe.timeout.as_secs());
                Answer::Failed(format!("command timed out: \"{command}\" timed out after {seconds}s").into())
            }
        }
    }

    /// The number of a port, or its name where the container has none of that name.
    fn port<'b>(&self, action: &'b Value) -> Result<i64, &'b str> {
        match action.get("port") {
            Some(Value::Str(name)) => {
                let ports = self.container.list_at("ports");
                let named = ports.iter().find(|it| it.str_at("name") == Some(name));
                named.and_then(|it| it.i64_at("containerPort")).or_else(|| name.parse().ok()).ok_or(name)
            }
            it => Ok(it.and_then(Value::as_i64).unwrap_or(0)),
        }
    }

    /// After this nothing changes any more.
    fn settled(&self) -> Instant {
        let changes = self.output.iter().flat_map(|it| &it.changes).map(|(at, _)| *at);
        let declared = [self.behavior.ready, self.behavior.dies].into_iter().flatten().map(|it| self.start + it);
        changes.chain(declared).max().unwrap_or(self.start).max(self.view.now)
    }

    fn asked(&self, probe: &Probe<'_>, at: Instant) -> Asked {
        let Probe { name, .. } = probe;
        let which = match *name {
            "startupProbe" => "Startup",
            "livenessProbe" => "Liveness",
            _ => "Readiness",
        };
        match self.answer(probe, at) {
            Answer::Passed => (at, Some(true), Str::default()),
            Answer::Failed(why) => (at, Some(false), format!("{which} probe failed: {why}").into()),
            Answer::Errored(why) => {
                (at, None, format!("{which} probe errored and resulted in unknown state: {why}").into())
            }
        }
    }

    /// Times at which a probe is run, with what it answers, until it answers the same for ever.
    fn answers(&self, probe: &Probe<'_>, from: Instant) -> Vec<Asked> {
        let last = self.settled() + probe.period * (probe.failures.max(probe.successes) + 1);
        let mut at = from + probe.delay + SETTLE;
        let mut answers = Vec::new();
        while answers.len() < ROUNDS_MAX as usize && (at <= last + probe.delay || answers.is_empty()) {
            answers.push(self.asked(probe, at));
            at = at + probe.period;
        }
        answers
    }

    /// What a startup probe answers until it succeeds or has failed too often.
    fn until_passed(&self, probe: &Probe<'_>, from: Instant) -> Vec<Asked> {
        let mut answers = Vec::new();
        let mut at = from + probe.delay + SETTLE;
        for _ in 0..probe.failures.min(ROUNDS_MAX) {
            answers.push(self.asked(probe, at));
            if answers.last().is_some_and(|it| it.1 == Some(true)) {
                break;
            }
            at = at + probe.period;
        }
        answers
    }

    /// What a liveness probe answers, and when it has failed too often.
    fn until_killed(&self, probe: &Probe<'_>, from: Instant) -> (Vec<Asked>, Option<Instant>) {
        let mut answers = self.answers(probe, from);
        let mut n_failures = 0;
        let failed = answers.iter().position(|(_, passed, _)| {
            n_failures = match passed {
                Some(true) => 0,
                Some(false) => n_failures + 1,
                None => n_failures,
            };
            n_failures >= probe.failures
        });
        let Some(idx) = failed else { return (answers, None) };
        answers.truncate(idx + 1);
        let at = answers.last().map(|it| it.0);
        (answers, at)
    }

    /// How a probe fails because it is declared to.
    fn declared_failure(&self, probe: &Probe<'_>, is_liveness: bool) -> String {
        if probe.spec.get("exec").is_some() {
            String::new()
        } else if probe.spec.get("httpGet").is_some() {
            let code = if is_liveness { 500 } else { 503 };
            format!("HTTP probe failed with statuscode: {code}")
        } else if probe.spec.get("grpc").is_some() {
            "service unhealthy (responded with \"NOT_SERVING\")".to_owned()
        } else {
            let port = probe.spec.get("tcpSocket").and_then(|it| self.port(it).ok()).unwrap_or(0);
            format!("dial tcp {}: connect: connection refused", self.address(port))
        }
    }

    fn address(&self, port: i64) -> String {
        format!("{}:{port}", self.pod.str_at("status.podIP").unwrap_or(""))
    }

    fn refused(&self, (kind, action): (&str, &Value), port: i64, timeout: Duration) -> String {
        let address = self.address(port);
        let refused = format!("dial tcp {address}: connect: connection refused");
        match kind {
            "httpGet" => {
                let scheme = action.str_at("scheme").unwrap_or("HTTP").to_ascii_lowercase();
                let path = action.str_at("path").unwrap_or("/");
                format!("Get \"{scheme}://{address}/{}\": {refused}", path.trim_start_matches('/'))
            }
            "grpc" => {
                let seconds = timeout.as_secs();
                format!("timeout: failed to connect service \"{address}\" within {seconds}s: context deadline exceeded")
            }
            _ => refused,
        }
    }
}

impl Failures {
    /// Adds what a probe complains about; it goes on if it may and its last answer was a complaint.
    fn add(&mut self, probe: &Probe<'_>, answers: Vec<Asked>, may_go_on: bool) {
        let last = answers.last().filter(|it| may_go_on && it.1 != Some(true));
        if let Some((at, _, message)) = last {
            let (at, n) = (*at + probe.period, u32::try_from(answers.len()).unwrap_or(u32::MAX));
            self.forever = Some(Forever { at, period: probe.period, message: message.clone(), n });
        }
        let complaints = answers.into_iter().filter(|it| it.1 != Some(true));
        self.list.extend(complaints.map(|(at, _, message)| (at, message)));
        self.list.sort_by_key(|it| std::cmp::Reverse(it.0));
    }

    fn boxed(self) -> Option<Box<Failures>> {
        (!self.is_empty()).then(|| Box::new(self))
    }
}

/// When a readiness probe changes what it says.
fn flips(probe: &Probe<'_>, answers: &[Asked]) -> Vec<(Instant, bool)> {
    let (mut flips, mut ready, mut n_same, mut last) = (Vec::new(), false, 0, false);
    for (at, passed, _) in answers {
        let Some(passed) = *passed else { continue };
        n_same = if passed == last { n_same + 1 } else { 1 };
        last = passed;
        let wanted = if passed { probe.successes } else { probe.failures };
        if passed != ready && n_same >= wanted {
            ready = passed;
            flips.push((*at, ready));
        }
    }
    flips
}

//! What happens to containers when their time comes: pulls, starts, probes, exits, restarts, stops.

use sim::{Duration, Instant};
use value::Str;

use crate::events::Events;
use crate::life::{CRASH_BACK_OFF, CRASH_FORGIVEN, Container, Ended, Life, Next, PULL_BACK_OFF, State};
use crate::outside::{Outside, spec_of};
use crate::probes::{Prospects, Why};
use crate::status::container_id;

/// What the exit code of a container that is killed says: 128 and the signal.
const KILLED: i64 = 137;
/// What the runtime says of a container that it could not start.
const CANNOT_START: i64 = 128;
/// Containers that listen to the signal end this long after it, unless their grace period is shorter.
const STOP: Duration = Duration::from_millis(500);
/// After this long the kubelet notices that a container has ended, or that a pull failed before.
const NOTICED: Duration = Duration::from_secs(1);
const PULL_AGAIN: Duration = Duration::from_secs(12);
/// A pod in which something could not begin is looked at again after this long.
const SYNC_AGAIN: Duration = Duration::from_secs(12);

/// Lets everything happen that is due.
pub(crate) fn advance(life: &mut Life, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    // Each step may make the next one due at once; this many are more than any pod takes before it rests.
    const STEPS_MAX: usize = 1_000;
    for _ in 0..STEPS_MAX {
        if !step(life, now, events, outside) {
            break;
        }
    }
}

fn step(life: &mut Life, now: Instant, events: &mut Events, outside: &Outside<'_>) -> bool {
    if life.stopping {
        return life.stop_at.is_some_and(|it| it <= now) && end_all(life, now);
    }
    if life.deadline().is_some_and(|it| it <= now) {
        let message = "Pod was active on the node longer than the specified deadline".to_owned();
        events.pod("Normal", "DeadlineExceeded", message.clone());
        life.failed = Some(Box::new(("DeadlineExceeded".into(), message)));
        begin_stop(life, now, events, outside);
        return true;
    }
    if life.rejected || life.mounts.is_some() {
        return false;
    }
    begin_what_may(life, now);
    stop_sidecars(life, now, events);
    if let Some(container) = life.containers.iter_mut().find(|it| it.probed_at().is_some_and(|at| at <= now)) {
        probe(container, now, events);
        return true;
    }
    let due = life.containers.iter().position(|it| it.next != Next::Nothing && it.at <= now);
    due.is_some_and(|idx| {
        run(life, idx, now, events, outside);
        true
    })
}

/// Containers whose turn has come begin: init containers one after the other, then all others.
fn begin_what_may(life: &mut Life, now: Instant) {
    let initialized = life.initialized();
    let mut may_begin = true;
    for container in &mut life.containers {
        let waits_for_init = !container.is_init && !initialized;
        let fresh = container.next == Next::Nothing && matches!(container.state, State::Waiting { .. });
        if fresh && may_begin && !waits_for_init {
            container.plan(Next::Pull, now);
        }
        if container.is_init {
            may_begin = may_begin && (initialized || container.lets_next_begin());
        }
    }
}

/// Sidecars end once the main containers have, unless the pod is to run for ever.
fn stop_sidecars(life: &mut Life, now: Instant, events: &mut Events) {
    if life.restart_policy == "Always" || !life.main_is_over() {
        return;
    }
    for container in &mut life.containers {
        if !container.is_sidecar || container.next == Next::Stop {
            continue;
        }
        if container.is_running() {
            events.normal(container, "Killing", format!("Stopping container {}", container.name));
            container.plan(Next::Stop, now + STOP);
        } else if container.next != Next::Nothing {
            container.plan(Next::Nothing, Instant::END);
        }
    }
}

/// A probe changes what it says.
fn probe(container: &mut Container, now: Instant, events: &mut Events) {
    if let Some(complaint) = container.prospects.failures.as_mut().and_then(|it| it.pop(now)) {
        events.warning(container, "Unhealthy", complaint.to_string());
        return;
    }
    if !container.started && container.prospects.started.is_some_and(|it| it <= now) {
        container.started = true;
        return;
    }
    if container.prospects.ready.first().is_some_and(|(at, _)| *at <= now) {
        let (_, ready) = container.prospects.ready.remove(0);
        container.ready = ready;
    }
}

fn run(life: &mut Life, idx: usize, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    let Life { uid, containers, .. } = &mut *life;
    let container = &mut containers[idx];
    match container.next {
        Next::Nothing => (),
        Next::Pull | Next::Retry => pull(container, now, events, outside),
        Next::Pulled => pulled(container, now, events),
        Next::Start => {
            if let Some(why) = start(container, uid, now, events, outside) {
                exit(life, idx, now, CANNOT_START, "StartError", why.into(), events);
            }
        }
        Next::Exit => {
            let ending = container.prospects.exit.take();
            let Some(it) = ending else { return container.plan(Next::Nothing, Instant::END) };
            exit(life, idx, now, it.code, &it.reason, it.message.clone(), events);
        }
        Next::Kill => kill(life, idx, now, events, outside),
        Next::Killed => killed(life, idx, now, events, outside),
        Next::Again => {
            let code = container.ended().map_or(0, |it| it.code);
            let again = life.restarts(idx, code);
            let container = &mut life.containers[idx];
            match again {
                true => container.plan(Next::Retry, now + NOTICED),
                false => container.plan(Next::Nothing, Instant::END),
            }
        }
        Next::Stop => exit(life, idx, now, 0, "", Str::default(), events),
    }
}

/// `EnsureImageExists`
fn pull(container: &mut Container, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    let image = container.image.clone();
    if let Some(why) = outside.foresight.fault_of_image(&image) {
        let message =
            format!("Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {why}");
        events.warning(container, "InspectFailed", message.clone());
        return refuse(container, now, events, "InvalidImageName", message);
    }
    // What was pulled for another pod is pulled again for the first container, so that pods are alike.
    let asks = container.pull_policy == "Never" || container.had_image();
    let is_present = container.behavior.pull.is_zero() || (asks && outside.has_image(&image));
    if container.pull_policy == "Never" && !is_present {
        let message = format!("Container image \"{image}\" is not present with pull policy of Never");
        events.warning(container, "ErrImageNeverPull", message.clone());
        return refuse(container, now, events, "ErrImageNeverPull", message);
    }
    if container.pull_policy != "Always" && is_present {
        let message =
            ["Container image \"", &image, "\" already present on machine and can be accessed by the pod"].concat();
        events.normal(container, "Pulled", message);
        container.plan(Next::Start, now + container.behavior.start);
        return;
    }
    events.normal(container, "Pulling", ["Pulling image \"", &image, "\""].concat());
    container.pull_began = now;
    container.plan(Next::Pulled, now + container.behavior.pull);
}

fn pulled(container: &mut Container, now: Instant, events: &mut Events) {
    let Some(error) = container.behavior.pull_error.clone() else {
        let took = go_duration(now.since(container.pull_began));
        let size = image_size(&container.image).to_string();
        let (image, waited) = (&container.image, " including waiting). Image size: ");
        let message =
            ["Successfully pulled image \"", image, "\" in ", &took, " (", &took, waited, &size, " bytes."].concat();
        events.normal(container, "Pulled", message);
        events.pulled.push(container.image.clone());
        if matches!(container.state, State::Waiting { reason: "ErrImagePull" | "ImagePullBackOff", .. }) {
            container.back_off = Duration::ZERO;
        }
        container.plan(Next::Start, now + container.behavior.start);
        return;
    };
    if matches!(container.state, State::Waiting { reason: "ErrImagePull", .. }) {
        let message = format!("Back-off pulling image \"{}\"", container.image);
        events.normal(container, "BackOff", message.clone());
        events.warning(container, "Failed", "Error: ImagePullBackOff".to_owned());
        container.wait("ImagePullBackOff", format!("{message}: ErrImagePull: {error}"));
        let (first, max) = PULL_BACK_OFF;
        container.back_off = if container.back_off.is_zero() { first } else { (container.back_off * 2).min(max) };
        container.plan(Next::Pull, now + container.back_off);
        return;
    }
    events.warning(container, "Failed", format!("Failed to pull image \"{}\": {error}", container.image));
    events.warning(container, "Failed", "Error: ErrImagePull".to_owned());
    container.wait("ErrImagePull", error.to_string());
    container.back_off = Duration::ZERO;
    // The next sync finds it backing off.
    container.plan(Next::Pulled, now + PULL_AGAIN);
}

/// A container cannot begin: tried again later.
fn refuse(container: &mut Container, now: Instant, events: &mut Events, reason: &'static str, message: String) {
    let told = if reason == "CreateContainerConfigError" { &*message } else { reason };
    events.warning(container, "Failed", format!("Error: {told}"));
    container.wait(reason, message);
    container.plan(Next::Pull, now + SYNC_AGAIN);
}

/// Creates a container and starts it. Answers why it could not be started.
fn start(
    container: &mut Container,
    pod_uid: &str,
    now: Instant,
    events: &mut Events,
    outside: &Outside<'_>,
) -> Option<String> {
    if let Some(why) = outside.config_error(container) {
        refuse(container, now, events, "CreateContainerConfigError", why);
        return None;
    }
    events.normal(container, "Created", "Container created".to_owned());
    let error = outside.start_error(container);
    match &error {
        Some(why) => events.warning(container, "Failed", format!("Error: {why}")),
        None => events.normal(container, "Started", "Container started".to_owned()),
    }
    if let State::Terminated(ended) = &container.state {
        container.last = Some(Box::new(ended.clone()));
    }
    if container.last.is_some() {
        container.restarts += 1;
    }
    container.id = container_id(pod_uid, &container.name, container.restarts);
    (container.ready, container.started) = (false, false);
    if error.is_some() {
        // It never ran: the runtime says so with the beginning of time.
        container.state = State::Running { since: Instant::default() };
        return error;
    }
    container.state = State::Running { since: now };
    container.prospects = outside.prospects(container, now);
    if container.is_init && !container.is_sidecar {
        container.prospects.ready.clear();
    }
    plan_end(container);
    None
}

/// Plans what ends the present run first: itself or a probe.
pub(crate) fn plan_end(container: &mut Container) {
    let exit = container.prospects.exit.as_ref().map(|it| it.at);
    let killed = container.prospects.killed.as_ref().map(|it| it.0);
    match (exit, killed) {
        (Some(exit), killed) if killed.is_none_or(|it| exit <= it) => container.plan(Next::Exit, exit),
        (_, Some(killed)) => container.plan(Next::Kill, killed),
        _ => container.plan(Next::Nothing, Instant::END),
    }
}

/// A container is to end because of its probes, its hook or its spec: it is told to.
fn kill(life: &mut Life, idx: usize, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    let container = &life.containers[idx];
    let Some((_, why)) = container.prospects.killed.as_deref() else { return };
    let will = if life.restart_policy == "Never" && !container.is_sidecar { "" } else { ", will be restarted" };
    let message = match why {
        Why::Hook(_) => {
            events.warning(container, "FailedPostStartHook", "PostStartHook failed".to_owned());
            "FailedPostStartHook".to_owned()
        }
        Why::Liveness => format!("Container {} failed liveness probe{will}", container.name),
        Why::Startup => format!("Container {} failed startup probe{will}", container.name),
        Why::Changed => format!("Container {} definition changed, will be restarted", container.name),
        Why::Resized => format!("Container {} resize requires restart", container.name),
    };
    events.normal(container, "Killing", message);
    let grace = ["livenessProbe", "startupProbe"].into_iter().find_map(|it| {
        let is_it = (it == "livenessProbe") == matches!(why, Why::Liveness);
        let spec = spec_of(&life.pod, container)
            .filter(|_| is_it && !matches!(why, Why::Hook(_) | Why::Changed | Why::Resized))?;
        spec.get(it)?.i64_at("terminationGracePeriodSeconds")
    });
    let takes = stop_takes(life, idx, events, outside).min(grace.map_or_else(|| grace_of(life), to_grace));
    let container = &mut life.containers[idx];
    container.prospects.failures = None;
    container.plan(Next::Killed, now + takes);
}

/// A container that was told to end has ended, or is ended.
fn killed(life: &mut Life, idx: usize, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    let container = &life.containers[idx];
    let why = container.prospects.killed.as_deref().map(|it| it.1.clone());
    let listens = !is_deaf(life, container) && container.behavior.dies.is_none();
    let (code, reason) = if listens { (0, "Completed") } else { (KILLED, "Error") };
    if matches!(why, Some(Why::Changed | Why::Resized)) {
        life.containers[idx].back_off = Duration::ZERO;
    }
    exit(life, idx, now, code, reason, Str::default(), events);
    let container = &mut life.containers[idx];
    match why {
        Some(Why::Changed | Why::Resized) => {
            container.back_off = Duration::ZERO;
            if let Some(image) = outside.image_of(container) {
                container.image = image;
            }
            container.plan(Next::Pull, now);
        }
        Some(Why::Hook(message)) if container.ended().is_some() && container.next == Next::Retry => {
            container.wait("PostStartHookError", message);
        }
        _ => (),
    }
}

fn exit(life: &mut Life, idx: usize, now: Instant, code: i64, reason: &str, message: Str, events: &mut Events) {
    let again = life.restarts(idx, code);
    let container = &mut life.containers[idx];
    let State::Running { since } = container.state else { return };
    let reason = match (reason, code) {
        ("", 0) => "Completed".into(),
        ("", _) => "Error".into(),
        (reason, _) => reason.into(),
    };
    let never_ran = since == Instant::default();
    let ended = Ended { code, reason, since, at: now, message };
    container.ready = container.is_init && code == 0 && !container.is_sidecar;
    container.started = false;
    container.prospects = Prospects::default();
    container.plan(Next::Nothing, Instant::END);
    if !again {
        container.state = State::Terminated(ended);
        return;
    }
    let (first, max) = CRASH_BACK_OFF;
    // The first restart comes at once: the back-off begins with the second.
    if container.back_off.is_zero() || (now.since(since) >= CRASH_FORGIVEN && !never_ran) {
        let message = ended.message.to_string();
        container.state = State::Terminated(ended);
        if never_ran {
            container.wait("RunContainerError", message);
        }
        container.back_off = first;
        container.plan(Next::Retry, now + NOTICED);
        return;
    }
    let pod = format!("{}_{}({})", life.key.name, life.key.namespace, life.uid);
    let message = format!(
        "back-off {} restarting failed container={} pod={pod}",
        go_duration(container.back_off),
        container.name
    );
    let event = format!("Back-off restarting failed container {} in pod {pod}", container.name);
    events.warning(container, "BackOff", event);
    container.last = Some(Box::new(ended));
    container.state = State::Waiting { reason: "CrashLoopBackOff", message };
    container.plan(Next::Retry, now + container.back_off);
    container.back_off = (container.back_off * 2).min(max);
}

/// Tells every running container to stop.
pub(crate) fn begin_stop(life: &mut Life, now: Instant, events: &mut Events, outside: &Outside<'_>) {
    if life.stopping {
        return;
    }
    life.stopping = true;
    let grace = grace_of(life);
    let mut needs = Duration::ZERO;
    for idx in 0..life.containers.len() {
        let container = &life.containers[idx];
        if container.is_running() {
            events.normal(container, "Killing", format!("Stopping container {}", container.name));
            needs = needs.max(stop_takes(life, idx, events, outside));
        }
    }
    let deaf = needs >= grace && needs > STOP;
    life.stop_at = Some(now + needs.min(grace));
    if deaf {
        life.killed_hard = true;
    }
}

fn grace_of(life: &Life) -> Duration {
    to_grace(life.pod.meta.grace_seconds.or(life.pod.i64_at("spec.terminationGracePeriodSeconds")).unwrap_or(30))
}

fn to_grace(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// How long a container takes to end once it is told: what its `preStop` hook takes, and then itself.
fn stop_takes(life: &Life, idx: usize, events: &mut Events, outside: &Outside<'_>) -> Duration {
    let container = &life.containers[idx];
    let spec = spec_of(&life.pod, container);
    let sleeps = spec.and_then(|it| it.at("lifecycle.preStop")).and_then(|it| it.i64_at("sleep.seconds"));
    let mut takes = sleeps.map_or(Duration::ZERO, to_grace);
    if let Some(hook) = outside.pre_stop(container) {
        if hook.failure.is_some() {
            events.warning(container, "FailedPreStopHook", "PreStopHook failed".to_owned());
        }
        takes = hook.took;
    }
    takes.saturating_add(if is_deaf(life, container) { Duration::MAX } else { STOP })
}

/// Whether a container does not listen to the signal: a shell or `sleep` as the first process.
fn is_deaf(life: &Life, container: &Container) -> bool {
    let spec = spec_of(&life.pod, container);
    let mut words = spec.into_iter().flat_map(|it| it.list_at("command").iter().chain(it.list_at("args")));
    let first = words.next().and_then(|it| it.as_str()).and_then(|it| it.rsplit('/').next());
    matches!(first, Some("sh" | "bash" | "ash" | "sleep"))
}

/// Ends what still runs.
fn end_all(life: &mut Life, now: Instant) -> bool {
    life.stop_at = None;
    let hard = life.killed_hard;
    for container in &mut life.containers {
        if let State::Running { since } = container.state {
            let (code, reason) = if hard { (KILLED, "Error") } else { (0, "Completed") };
            let ended = Ended { code, reason: reason.into(), since, at: now, message: Str::default() };
            container.state = State::Terminated(ended);
        }
        container.ready = false;
        container.started = false;
        container.prospects = Prospects::default();
        container.plan(Next::Nothing, Instant::END);
    }
    true
}

/// A size that a name determines: 10 to 200 MB.
pub(crate) fn image_size(image: &str) -> u64 {
    let hash = image
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    10_000_000 + hash % 190_000_000
}

/// As Go prints a duration: `1.2s`, `800ms`, `2m40s`.
pub(crate) fn go_duration(it: Duration) -> String {
    let millis = it.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = if rest % 1000 == 0 {
        format!("{}", rest / 1000)
    } else {
        format!("{}.{:03}", rest / 1000, rest % 1000).trim_end_matches('0').to_owned()
    };
    if minutes > 0 { format!("{minutes}m{seconds}s") } else { format!("{seconds}s") }
}

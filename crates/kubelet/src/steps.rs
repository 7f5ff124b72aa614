//! What happens to containers when their time comes: pulls, starts, exits, restarts, stops.

use sim::{Duration, Instant};

use crate::events::Events;
use crate::life::{CRASH_BACK_OFF, CRASH_FORGIVEN, Container, Ended, Life, Next, PULL_BACK_OFF, State};

/// What the exit code of a container that is killed says: 128 and the signal.
const KILLED: i64 = 137;
/// Containers end this long after they are told to, unless their grace period is shorter.
const STOP: Duration = Duration::from_millis(500);

/// Lets everything happen that is due; answers whether anything did.
pub(crate) fn advance(life: &mut Life, now: Instant, events: &mut Events) -> bool {
    let mut changed = false;
    // Each step may make the next one due at once; a container takes at most this many before it rests.
    const STEPS_MAX: usize = 32;
    for _ in 0..STEPS_MAX {
        if !step(life, now, events) {
            break;
        }
        changed = true;
    }
    changed
}

fn step(life: &mut Life, now: Instant, events: &mut Events) -> bool {
    if life.stopping {
        return life.stop_at.is_some_and(|it| it <= now) && end_all(life, now);
    }
    if life.deadline().is_some_and(|it| it <= now) {
        life.failed =
            Some(("DeadlineExceeded", "Pod was active on the node longer than the specified deadline".to_owned()));
        begin_stop(life, now, events);
        return true;
    }
    begin_what_may(life, now);
    let due = life
        .containers
        .iter()
        .position(|it| (it.next != Next::Nothing && it.at <= now) || it.ready_at.is_some_and(|at| at <= now));
    let Some(idx) = due else { return false };
    if life.containers[idx].ready_at.is_some_and(|at| at <= now) {
        let container = &mut life.containers[idx];
        container.ready_at = None;
        container.ready = true;
        container.started = true;
        return true;
    }
    run(life, idx, now, events);
    true
}

/// Containers whose turn has come begin: init containers one after the other, then all others.
fn begin_what_may(life: &mut Life, now: Instant) {
    let mut may_begin = true;
    for container in &mut life.containers {
        if !container.is_init && !may_begin {
            return;
        }
        let fresh = container.next == Next::Nothing && matches!(container.state, State::Waiting { .. });
        if fresh && may_begin {
            container.plan(Next::Pull, now);
        }
        if container.is_init {
            may_begin = may_begin && container.lets_next_begin();
        }
    }
}

fn run(life: &mut Life, idx: usize, now: Instant, events: &mut Events) {
    let restarts = |life: &Life, code| life.restarts(idx, code);
    match life.containers[idx].next {
        Next::Nothing => (),
        Next::Pull => pull(&mut life.containers[idx], now, events),
        Next::Pulled => pulled(&mut life.containers[idx], now, events),
        Next::Start | Next::Retry => start(&mut life.containers[idx], now, events),
        Next::Exit => {
            let code = life.containers[idx].behavior.exit.as_ref().map_or(0, |it| it.code);
            let again = restarts(life, code);
            let pod = (life.key.name.clone(), life.key.namespace.clone(), life.uid.clone());
            exit(&mut life.containers[idx], now, again, &pod, events);
        }
    }
}

fn pull(container: &mut Container, now: Instant, events: &mut Events) {
    if container.pull_policy != "Always" && container.behavior.pull.is_zero() {
        events.normal(
            container,
            "Pulled",
            format!(
                "Container image \"{}\" already present on machine and can be accessed by the pod",
                container.image
            ),
        );
        container.plan(Next::Start, now + container.behavior.start);
        return;
    }
    events.normal(container, "Pulling", format!("Pulling image \"{}\"", container.image));
    container.pull_began = now;
    container.plan(Next::Pulled, now + container.behavior.pull);
}

fn pulled(container: &mut Container, now: Instant, events: &mut Events) {
    let Some(error) = container.behavior.pull_error.clone() else {
        let took = go_duration(now.since(container.pull_began));
        let size = image_size(&container.image);
        events.normal(
            container,
            "Pulled",
            format!(
                "Successfully pulled image \"{}\" in {took} ({took} including waiting). Image size: {size} bytes.",
                container.image
            ),
        );
        container.back_off = Duration::ZERO;
        container.plan(Next::Start, now + container.behavior.start);
        return;
    };
    let was_backing_off = matches!(container.state, State::Waiting { reason: "ErrImagePull", .. });
    if was_backing_off {
        let message = format!("Back-off pulling image \"{}\"", container.image);
        events.normal(container, "BackOff", message.clone());
        events.warning(container, "Failed", "Error: ImagePullBackOff".to_owned());
        container.state =
            State::Waiting { reason: "ImagePullBackOff", message: format!("{message}: ErrImagePull: {error}") };
        let (first, max) = PULL_BACK_OFF;
        container.back_off = if container.back_off.is_zero() { first } else { (container.back_off * 2).min(max) };
        container.plan(Next::Pull, now + container.back_off);
        return;
    }
    events.warning(container, "Failed", format!("Failed to pull image \"{}\": {error}", container.image));
    events.warning(container, "Failed", "Error: ErrImagePull".to_owned());
    container.state = State::Waiting { reason: "ErrImagePull", message: error.to_string() };
    // The next sync finds it backing off.
    container.plan(Next::Pulled, now + Duration::from_secs(12));
}

fn start(container: &mut Container, now: Instant, events: &mut Events) {
    events.normal(container, "Created", format!("Container created"));
    events.normal(container, "Started", format!("Container started"));
    if let State::Terminated(ended) = &container.state {
        container.last = Some(ended.clone());
    }
    if container.last.is_some() {
        container.restarts += 1;
    }
    container.state = State::Running { since: now };
    container.started = container.probe_delay.is_zero();
    container.ready_at = container
        .behavior
        .ready
        .map(|it| now + it + container.probe_delay)
        .filter(|_| !container.is_init || container.is_sidecar);
    if container.ready_at == Some(now) {
        container.ready_at = None;
        container.ready = true;
        container.started = true;
    }
    match &container.behavior.exit {
        Some(exit) => {
            let at = now + exit.after;
            container.plan(Next::Exit, at);
        }
        None => container.plan(Next::Nothing, Instant::END),
    }
}

fn exit(
    container: &mut Container,
    now: Instant,
    again: bool,
    pod: &(value::Str, value::Str, value::Str),
    events: &mut Events,
) {
    let State::Running { since } = container.state else { return };
    let (code, declared) =
        container.behavior.exit.as_ref().map_or((0, value::Str::default()), |it| (it.code, it.reason.clone()));
    let reason = match (&*declared, code) {
        ("", 0) => "Completed".into(),
        ("", _) => "Error".into(),
        _ => declared,
    };
    let ended = Ended { code, reason, since, at: now };
    container.ready = container.is_init && code == 0 && !container.is_sidecar;
    container.started = false;
    container.ready_at = None;
    container.plan(Next::Nothing, Instant::END);
    if !again {
        container.state = State::Terminated(ended);
        return;
    }
    let (first, max) = CRASH_BACK_OFF;
    if now.since(since) >= CRASH_FORGIVEN {
        container.back_off = Duration::ZERO;
    }
    // The first restart comes at once, as the kubelet's back-off begins with the second.
    if container.last.is_none() || container.back_off.is_zero() && container.restarts == 0 {
        container.state = State::Terminated(ended);
        container.back_off = first;
        container.plan(Next::Retry, now + Duration::from_secs(1));
        return;
    }
    let (name, namespace, uid) = pod;
    let message = format!(
        "back-off {} restarting failed container={} pod={name}_{namespace}({uid})",
        go_duration(container.back_off),
        container.name
    );
    events.warning(
        container,
        "BackOff",
        format!("Back-off restarting failed container {} in pod {name}_{namespace}({uid})", container.name),
    );
    container.last = Some(ended);
    container.state = State::Waiting { reason: "CrashLoopBackOff", message };
    container.plan(Next::Retry, now + container.back_off);
    container.back_off = (container.back_off * 2).min(max);
}

/// Tells every running container to stop.
pub(crate) fn begin_stop(life: &mut Life, now: Instant, events: &mut Events) {
    if life.stopping {
        return;
    }
    life.stopping = true;
    let grace = life.pod.meta.grace_seconds.or(life.pod.i64_at("spec.terminationGracePeriodSeconds")).unwrap_or(30);
    let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
    for container in life.containers.iter().filter(|it| it.is_running()) {
        events.normal(container, "Killing", format!("Stopping container {}", container.name));
    }
    let any_running = life.containers.iter().any(Container::is_running);
    life.stop_at = Some(if any_running { now + STOP.min(grace) } else { now });
}

/// Ends what still runs.
fn end_all(life: &mut Life, now: Instant) -> bool {
    life.stop_at = None;
    for container in &mut life.containers {
        if let State::Running { since } = container.state {
            let code = if life.failed.is_some() { KILLED } else { 0 };
            let reason = if code == 0 { "Completed" } else { "Error" };
            container.state = State::Terminated(Ended { code, reason: reason.into(), since, at: now });
        }
        container.ready = false;
        container.started = false;
        container.ready_at = None;
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

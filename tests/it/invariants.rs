//! What must hold whatever is done to a cluster, tried with operations by chance.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cluster::{Config, Duration};
use sim::Rng;
use tests::session::Session;
use value::{Value, json};

use crate::operations;

/// Operations of one run.
const LENGTH: u64 = 40;
/// What a node has, in thousandths of a CPU.
const NODE_MILLIS: i64 = 4_000;
/// Long enough for every grace period, back-off and eviction.
const CALM: Duration = Duration::from_secs(1_800);
/// Long enough for events to go.
const IDLE: Duration = Duration::from_secs(3_700);

// tidy: sorted
const LISTS: &[&str] = &[
    "/api/v1/nodes",
    "/api/v1/pods",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/statefulsets",
    "/apis/batch/v1/cronjobs",
    "/apis/batch/v1/jobs",
];

/// Runs the seeds; an error names the first that fails and how few operations it takes.
pub fn seeds(seeds: std::ops::Range<u64>) -> Result<(), String> {
    for seed in seeds {
        let Err(first) = run(seed, LENGTH) else { continue };
        let shortest = (1..LENGTH).find_map(|it| Some((it, run(seed, it).err()?)));
        let (length, error) = shortest.unwrap_or((LENGTH, first));
        return Err(format!("seed {seed}, {length} operations: {error}"));
    }
    Ok(())
}

fn run(seed: u64, length: u64) -> Result<(), String> {
    let mut rng = Rng::stream(seed, "invariants");
    let mut session = Session::new(&Config { seed, ..Config::default() });
    let mut placed = BTreeMap::new();
    let mut done = String::new();
    for _ in 0..length {
        let operation = operations::one(&mut rng, &mut session);
        // Writing to a text cannot fail.
        let _ok = writeln!(done, "{operation}");
        let wait = match rng.below(4) {
            0 => Duration::from_millis(rng.below(1_500)),
            1 => Duration::from_secs(rng.below(200)),
            _ => Duration::from_secs(rng.below(20)),
        };
        session.wait(wait);
        always(&State::of(&mut session), &mut placed).map_err(|it| format!("{it}\nafter\n{done}"))?;
    }
    operations::calm_down(&mut session);
    session.wait(CALM);
    let state = State::of(&mut session);
    always(&state, &mut placed)?;
    at_rest(&state).map_err(|it| format!("{it}\nat rest after\n{done}"))?;
    session.wait(IDLE);
    let revision = session.cluster.revision();
    session.wait(IDLE);
    match session.cluster.revision() == revision {
        true => Ok(()),
        false => Err(format!("{} still written, at rest after\n{done}", written(&mut session, revision.0))),
    }
}

/// The objects that are newer than a revision, by name.
fn written(session: &mut Session, revision: u64) -> String {
    let state = State::of(session);
    let is_new = |it: &&Value| {
        it.str_at("metadata.resourceVersion").is_some_and(|it| it.parse().is_ok_and(|it: u64| it > revision))
    };
    let names: Vec<String> = state.all().filter(is_new).map(name).collect();
    if names.is_empty() { "something is".to_owned() } else { format!("{} are", names.join(", ")) }
}

/// Every object that matters here, by the path of its list.
struct State {
    lists: BTreeMap<&'static str, Vec<Value>>,
}

impl State {
    fn of(session: &mut Session) -> State {
        let mut list = |path: &&'static str| {
            let (_, body) = session.send("GET", path, "");
            let list = json::parse(body.as_bytes()).expect("a list is JSON");
            (*path, list.list_at("items").to_vec())
        };
        State { lists: LISTS.iter().map(&mut list).collect() }
    }

    fn list(&self, plural: &str) -> &[Value] {
        self.lists.iter().find(|(path, _)| path.ends_with(plural)).map_or(&[], |(_, list)| list)
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.lists.values().flatten()
    }

    /// What is controlled by the object.
    fn owned(&self, plural: &str, owner: &Value) -> Vec<&Value> {
        let uid = owner.str_at("metadata.uid");
        let is_owned = |it: &&Value| owners(it).any(|it| it.str_at("uid") == uid);
        self.list(plural).iter().filter(is_owned).collect()
    }
}

fn name(object: &Value) -> String {
    let text = |path: &'static str| object.str_at(path).unwrap_or_default();
    // Items of lists do not tell their kind.
    format!("{} ({})", text("metadata.name"), text("metadata.uid"))
}

fn number(object: &Value, path: &'static str) -> i64 {
    object.i64_at(path).unwrap_or(0)
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object.list_at("metadata.ownerReferences").iter()
}

fn is_ready(pod: &Value) -> bool {
    pod.list_at("status.conditions")
        .iter()
        .any(|it| it.str_at("type") == Some("Ready") && it.str_at("status") == Some("True"))
}

fn is_active(pod: &Value) -> bool {
    !matches!(pod.str_at("status.phase"), Some("Failed" | "Succeeded"))
        && pod.at("metadata.deletionTimestamp").is_none()
}

fn is_finished(job: &Value) -> bool {
    let is_end =
        |it: &Value| matches!(it.str_at("type"), Some("Complete" | "Failed")) && it.str_at("status") == Some("True");
    job.list_at("status.conditions").iter().any(is_end)
}

fn ensure(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

/// At any time. `placed` holds where each pod was seen first.
fn always(state: &State, placed: &mut BTreeMap<String, String>) -> Result<(), String> {
    for object in state.all() {
        let (observed, generation) =
            (number(object, "status.observedGeneration"), number(object, "metadata.generation"));
        ensure(observed <= generation, || format!("{}: observed {observed} of {generation}", name(object)))?;
    }
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    for pod in state.list("/pods") {
        let Some(node) = pod.str_at("spec.nodeName").filter(|it| !it.is_empty()) else { continue };
        let first = placed.entry(name(pod)).or_insert_with(|| node.to_owned());
        ensure(first == node, || format!("pod {} moved from {first} to {node}", name(pod)))?;
        if !matches!(pod.str_at("status.phase"), Some("Failed" | "Succeeded")) {
            *taken.entry(node).or_default() += pod.list_at("spec.containers").iter().map(millis).sum::<i64>();
        }
    }
    for (node, millis) in taken {
        ensure(millis <= NODE_MILLIS, || format!("node {node} gives away {millis}m"))?;
    }
    for set in [state.list("/deployments"), state.list("/replicasets"), state.list("/statefulsets")].concat() {
        let [all, ready, available] =
            ["status.replicas", "status.readyReplicas", "status.availableReplicas"].map(|it| number(&set, it));
        ensure(all >= ready && ready >= available, || format!("{}: {all}, {ready}, {available}", name(&set)))?;
    }
    for job in state.list("/jobs") {
        let (succeeded, wanted) = (number(job, "status.succeeded"), number(job, "spec.completions"));
        ensure(succeeded <= wanted, || format!("job {}: {succeeded} of {wanted} succeeded", name(job)))?;
    }
    for cron in state.list("/cronjobs").iter().filter(|it| it.str_at("spec.concurrencyPolicy") == Some("Forbid")) {
        let running = state.owned("/jobs", cron).iter().filter(|it| !is_finished(it)).count();
        ensure(running <= 1, || format!("cron job {} runs {running} times at once", name(cron)))?;
    }
    Ok(())
}

/// What a container requests; all of ours say it in thousandths.
fn millis(container: &Value) -> i64 {
    let text = container.str_at("resources.requests.cpu").unwrap_or("0");
    match text.strip_suffix('m') {
        Some(millis) => millis.parse().unwrap_or(0),
        None => text.parse().unwrap_or(0) * 1_000,
    }
}

/// When everything is in order and nothing has been done for long.
fn at_rest(state: &State) -> Result<(), String> {
    let uids: BTreeSet<&str> = state.all().filter_map(|it| it.str_at("metadata.uid")).collect();
    for object in state.all() {
        ensure(object.at("metadata.deletionTimestamp").is_none(), || {
            format!("{} is still being deleted", name(object))
        })?;
        for owner in owners(object).filter_map(|it| it.str_at("uid")) {
            ensure(uids.contains(owner), || format!("{} has lost its owner {owner}", name(object)))?;
        }
        let (observed, generation) =
            (number(object, "status.observedGeneration"), number(object, "metadata.generation"));
        let is_observing = object.at("status.observedGeneration").is_some();
        ensure(!is_observing || observed == generation, || {
            format!("{}: observed {observed} of {generation}", name(object))
        })?;
    }
    for node in state.list("/nodes") {
        ensure(is_ready(node), || format!("node {} is not ready", name(node)))?;
    }
    state.list("/daemonsets").iter().try_for_each(|it| daemon_set(state, it))?;
    state.list("/replicasets").iter().try_for_each(|it| counted(it, &state.owned("/pods", it)))?;
    state.list("/statefulsets").iter().try_for_each(|it| counted(it, &state.owned("/pods", it)))?;
    state.list("/deployments").iter().try_for_each(|it| deployment(state, it))?;
    for job in state.list("/jobs") {
        let active = state.owned("/pods", job).iter().filter(|it| is_active(it)).count() as i64;
        let told = number(job, "status.active");
        ensure(told == active, || format!("job {} counts {told} active pods, not {active}", name(job)))?;
        let waits = job.bool_at("spec.suspend") == Some(true) || number(job, "spec.parallelism") == 0;
        ensure(is_finished(job) || waits || active > 0, || format!("job {} does nothing", name(job)))?;
    }
    Ok(())
}

/// One ready pod on each node.
fn daemon_set(state: &State, set: &Value) -> Result<(), String> {
    let pods = state.owned("/pods", set);
    let n_nodes = state.list("/nodes").len();
    let nodes: BTreeSet<&str> = pods.iter().filter_map(|it| it.str_at("spec.nodeName")).collect();
    let ready = pods.iter().filter(|it| is_ready(it)).count();
    let told = [
        "status.desiredNumberScheduled",
        "status.currentNumberScheduled",
        "status.numberReady",
        "status.updatedNumberScheduled",
    ]
    .map(|it| number(set, it));
    let is_right = pods.len() == n_nodes && nodes.len() == n_nodes && ready == n_nodes;
    ensure(is_right, || format!("daemon set {}: {} pods, {ready} ready, on {nodes:?}", name(set), pods.len()))?;
    let on_delete = set.str_at("spec.updateStrategy.type") == Some("OnDelete");
    let n_right = told.iter().take(if on_delete { 3 } else { 4 }).filter(|it| **it == n_nodes as i64).count();
    ensure(n_right == if on_delete { 3 } else { 4 }, || format!("daemon set {} counts {told:?}", name(set)))
}

/// As many pods as wanted, counted as they are.
fn counted(set: &Value, pods: &[&Value]) -> Result<(), String> {
    let active = pods.iter().filter(|it| is_active(it)).count() as i64;
    let ready = pods.iter().filter(|it| is_active(it) && is_ready(it)).count() as i64;
    let (wanted, told, told_ready) =
        (number(set, "spec.replicas"), number(set, "status.replicas"), number(set, "status.readyReplicas"));
    ensure(wanted == active && told == active && told_ready == ready, || {
        format!("{} wants {wanted}, has {active} ({ready} ready), counts {told} ({told_ready} ready)", name(set))
    })
}

/// Only the newest ReplicaSet has pods, as many as wanted.
fn deployment(state: &State, deployment: &Value) -> Result<(), String> {
    let sets = state.owned("/replicasets", deployment);
    let with_pods = sets.iter().filter(|it| number(it, "spec.replicas") > 0).count();
    let pods: i64 = sets.iter().map(|it| number(it, "status.replicas")).sum();
    let ready: i64 = sets.iter().map(|it| number(it, "status.readyReplicas")).sum();
    let told = ["spec.replicas", "status.replicas", "status.updatedReplicas", "status.readyReplicas"]
        .map(|it| number(deployment, it));
    // Without room for a surge an update stands still: then the counts of pods are all there is to hold.
    let is_updated = with_pods <= 1;
    let is_right = told[1] == pods && told[3] == ready && (!is_updated || told[0] == pods && told[2] == pods);
    ensure(is_right, || format!("deployment {} counts {told:?} of {pods} pods, {ready} ready", name(deployment)))
}

//! Saving a cluster and going on from there, and repeating a run from its inputs.

use std::collections::BTreeMap;

use apiserver::ApiServer;
use http::Request;
use meta::{Object, Revision};
use runtime::Recorder;
use sim::{Duration, Instant, Rng};
use store::Store;
use value::{Map, Value, json, value};

use crate::actors;
use crate::{Cluster, Config, KubeletMode};

/// The version of both formats.
const FORMAT: i64 = 1;
/// Bytes of recorded requests at most; a run that is longer cannot be repeated from its inputs.
const INPUTS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Everything from outside that changed something, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// What the run began with, if it was not a fresh cluster.
    base: Option<Value>,
    list: Vec<Value>,
    n_bytes: usize,
}

impl Cluster {
    /// Everything that is needed to go on from here, as JSON. Of what actors have in their heads only what takes long is:
    /// back-offs, histories, what containers wait for. For the rest they list again, as after a restart.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut rng: Map = self.slots.iter().map(|it| (it.actor.name().into(), number(it.rng.state()))).collect();
        rng.insert("", number(self.api.rng_state()));
        let saved = value!({
            "actors": self.saved_actors(), "config": config_value(&self.config), "drydock": FORMAT,
            "events": number(self.recorder.n_recorded()), "now": number(self.now.nanos()), "requests": number(self.n_requests),
            "revision": number(self.revision().0), "rng": rng, "turn": number(self.n_turns()),
        });
        // Objects are many: each becomes text by itself, at the end of the map.
        let mut text = json::to_string(&saved).into_bytes();
        text.pop();
        text.extend_from_slice(b",\"objects\":[");
        for (idx, object) in self.api.store().all().enumerate() {
            if idx > 0 {
                text.push(b',');
            }
            json::write(&self.api.to_value(object), &mut text);
        }
        text.extend_from_slice(b"]}");
        text
    }

    /// A snapshot, after which this cluster's actors begin anew, too: from here on it and what is restored from the
    /// snapshot are the same to the byte. The restart is an input of the run.
    pub fn checkpoint(&mut self) -> Vec<u8> {
        let saved = self.snapshot();
        self.restart();
        saved
    }

    /// Every actor begins anew with what the store holds, as when a whole control plane is started again.
    pub fn restart(&mut self) {
        let input = value!({ "now": number(self.now.nanos()), "restart": true, "turn": number(self.n_turns()) });
        self.inputs.list.push(input);
        let saved = self.saved_actors();
        let mut slots = actors::all(&self.config, &self.api);
        for (new, old) in slots.iter_mut().zip(&self.slots) {
            new.rng = old.rng.clone();
        }
        self.slots = slots;
        self.recorder = Recorder::after(self.recorder.n_recorded());
        self.api.forget();
        self.restart_all();
        self.take_up(&saved.into());
    }

    /// What actors remember beyond the store, by name.
    pub(crate) fn saved_actors(&self) -> Map {
        let all = self.slots.iter().map(|it| (it.actor.name().into(), it.actor.saved()));
        all.filter(|(_, it)| !it.is_null()).collect()
    }

    fn take_up(&mut self, saved: &Value) {
        for slot in &mut self.slots {
            if let Some(saved) = saved.get(slot.actor.name()) {
                slot.take_up(saved);
            }
        }
        self.read_wakeups();
    }

    /// The cluster that a snapshot was taken of: no open streams, every actor as after a restart.
    ///
    /// # Errors
    /// Why the bytes are no snapshot of this version.
    pub fn restore(bytes: &[u8]) -> Result<Cluster, String> {
        let saved = json::parse(bytes).map_err(|it| it.to_string())?;
        Cluster::from_value(&saved)
    }

    fn from_value(saved: &Value) -> Result<Cluster, String> {
        check_format(saved)?;
        let config = config_of(saved.get("config").unwrap_or(&Value::Null));
        let mut cluster = Cluster::empty(&config);
        let state = |name: &str| saved.get("rng").and_then(|it| it.get(name)).and_then(whole);
        let mut shared = BTreeMap::new();
        let objects = saved.list_at("objects").iter().filter_map(|it| object(&cluster.api, it, &mut shared)).collect();
        let revision = Revision(saved.get("revision").and_then(whole).ok_or("no revision")?);
        let n_kinds = cluster.api.registry().ids().count();
        let store = Store::restore(n_kinds, config.log_changes_max, revision, objects);
        cluster.api.restore(store, state("").ok_or("no state of chance")?);
        for slot in &mut cluster.slots {
            if let Some(it) = state(slot.actor.name()) {
                slot.rng = Rng::new(it);
            }
        }
        cluster.now = Instant::from_nanos(saved.get("now").and_then(whole).ok_or("no time")?);
        // Snapshots of before had none of these.
        cluster.recorder = Recorder::after(saved.get("events").and_then(whole).unwrap_or(0));
        cluster.n_turns = saved.get("turn").and_then(whole).unwrap_or(0);
        cluster.n_requests = saved.get("requests").and_then(whole).unwrap_or(0);
        cluster.inputs.base = Some(saved.clone());
        cluster.restart_all();
        cluster.take_up(saved.get("actors").unwrap_or(&Value::Null));
        Ok(cluster)
    }

    /// The inputs of this run, as JSON: enough to repeat it.
    pub fn recording(&self) -> Vec<u8> {
        let begin = match &self.inputs.base {
            Some(base) => ("snapshot", base.clone()),
            None => ("config", config_value(&self.config)),
        };
        let mut saved = value!({
            "complete": self.inputs.n_bytes <= INPUTS_BYTES_MAX, "drydock": FORMAT, "inputs": self.inputs.list.clone(),
            "now": number(self.now.nanos()), "turn": number(self.n_turns()),
        });
        saved.set(begin.0, begin.1);
        json::to_string(&saved).into_bytes()
    }

    /// Repeats a recorded run to its end.
    ///
    /// # Errors
    /// Why the bytes are no recording of this version.
    pub fn replay(bytes: &[u8]) -> Result<Cluster, String> {
        let saved = json::parse(bytes).map_err(|it| it.to_string())?;
        check_format(&saved)?;
        if saved.bool_at("complete") == Some(false) {
            return Err("the run had more inputs than a recording holds".to_owned());
        }
        let mut cluster = match saved.get("snapshot") {
            Some(base) => Cluster::from_value(base)?,
            None => Cluster::new(&config_of(saved.get("config").unwrap_or(&Value::Null))),
        };
        for input in saved.list_at("inputs") {
            cluster.go_to(input)?;
            if input.bool_at("restart") == Some(true) {
                cluster.restart();
                continue;
            }
            cluster.handle(request_of(input)?);
        }
        cluster.go_to(&saved)?;
        Ok(cluster)
    }

    /// Lets as many turns pass as had passed when `moment` was recorded.
    fn go_to(&mut self, moment: &Value) -> Result<(), String> {
        let at = moment.get("now").and_then(whole).map(Instant::from_nanos).ok_or("an input without a time")?;
        let turn = moment.get("turn").and_then(whole).ok_or("an input without a turn")?;
        while self.n_turns() < turn {
            let left = u32::try_from(turn - self.n_turns()).unwrap_or(u32::MAX);
            if self.advance(at, left).n_turns == 0 {
                break;
            }
        }
        self.now = self.now.max(at);
        Ok(())
    }

    /// Remembers a request that may change something.
    pub(crate) fn record(&mut self, request: &Request<Vec<u8>>) {
        if matches!(*request.method(), http::Method::GET | http::Method::HEAD) || self.inputs.n_bytes > INPUTS_BYTES_MAX
        {
            return;
        }
        let uri = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let headers: Map =
            request.headers().iter().filter_map(|(k, v)| Some((k.as_str().into(), v.to_str().ok()?.into()))).collect();
        let mut input = value!({
            "headers": headers, "method": request.method().as_str(), "now": number(self.now.nanos()), "turn": number(self.n_turns()), "uri": uri,
        });
        match std::str::from_utf8(request.body()) {
            Ok("") => (),
            Ok(text) => input.set("body", text),
            Err(_) => input.set("bytes", request.body().iter().map(|it| format!("{it:02x}")).collect::<String>()),
        }
        self.inputs.n_bytes += request.body().len() + uri.len();
        self.inputs.list.push(input);
    }
}

/// Numbers of 64 bits without a sign are texts in JSON.
fn number(it: u64) -> Value {
    it.to_string().into()
}

fn whole(it: &Value) -> Option<u64> {
    it.as_str()?.parse().ok()
}

fn check_format(saved: &Value) -> Result<(), String> {
    match saved.i64_at("drydock") {
        Some(FORMAT) => Ok(()),
        Some(other) => Err(format!("version {other} of the format is not known")),
        None => Err("this was not saved by Drydock".to_owned()),
    }
}

fn config_value(config: &Config) -> Value {
    let Config { seed, start, n_nodes, kubelet, log_changes_max, reaction, speed } = config;
    let kubelet = if *kubelet == KubeletMode::Fast { "fast" } else { "real" };
    value!({
        "kubelet": kubelet, "logChangesMax": number(*log_changes_max as u64), "nodes": *n_nodes,
        "reaction": number(u64::try_from(reaction.as_nanos()).unwrap_or(u64::MAX)), "seed": number(*seed),
        "speed": speed.as_str(), "start": number(start.nanos()),
    })
}

fn config_of(saved: &Value) -> Config {
    let default = Config::default();
    Config {
        seed: saved.get("seed").and_then(whole).unwrap_or(default.seed),
        start: saved.get("start").and_then(whole).map_or(default.start, Instant::from_nanos),
        n_nodes: saved.i64_at("nodes").and_then(|it| u32::try_from(it).ok()).unwrap_or(default.n_nodes),
        kubelet: if saved.str_at("kubelet") == Some("fast") { KubeletMode::Fast } else { KubeletMode::Real },
        log_changes_max: saved
            .get("logChangesMax")
            .and_then(whole)
            .and_then(|it| usize::try_from(it).ok())
            .unwrap_or(default.log_changes_max),
        reaction: saved.get("reaction").and_then(whole).map_or(default.reaction, Duration::from_nanos),
        speed: saved.str_at("speed").map_or(default.speed, str::to_owned),
    }
}

fn request_of(input: &Value) -> Result<Request<Vec<u8>>, String> {
    let mut request =
        Request::builder().method(input.str_at("method").unwrap_or("GET")).uri(input.str_at("uri").unwrap_or("/"));
    for (key, value) in input.map_at("headers").into_iter().flat_map(Map::iter) {
        request = request.header(key.as_str(), value.as_str().unwrap_or(""));
    }
    let body = match (input.str_at("body"), input.str_at("bytes")) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(hex)) => hex
            .as_bytes()
            .chunks(2)
            .filter_map(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok())
            .collect(),
        (None, None) => Vec::new(),
    };
    request.body(body).map_err(|it| it.to_string())
}

/// A saved object; `None` for a kind that is not served. Equal parts become one allocation again.
fn object(api: &ApiServer, saved: &Value, shared: &mut BTreeMap<Vec<u8>, Value>) -> Option<Object> {
    let kind = api.registry().by_kind(saved.str_at("apiVersion")?, saved.str_at("kind")?)?.id;
    let mut whole = saved.as_map()?.clone();
    for part in ["spec", "data"] {
        whole.edit_map(part, |it| {
            let keys: Vec<value::Str> = it.keys().cloned().collect();
            for key in keys {
                it.edit(&key, |value| share(value, shared));
            }
        });
    }
    Some(Object::from_map(kind, &whole))
}

fn share(value: &mut Value, shared: &mut BTreeMap<Vec<u8>, Value>) {
    if !matches!(value, Value::Map(_) | Value::List(_)) {
        return;
    }
    let mut text = Vec::new();
    json::write(value, &mut text);
    *value = shared.entry(text).or_insert_with(|| value.clone()).clone();
}

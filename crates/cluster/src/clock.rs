//! The Clock named `cluster`: virtual time as an object, and the request that lets it pass.

use apiserver::Body;
use http::{Method, Response};
use kinds::CLOCK;
use meta::{Errors, Key, Status};
use sim::{Duration, Instant};
use value::{Value, json, time, value};

use crate::Cluster;

/// The name of the one Clock.
pub(crate) const NAME: &str = "cluster";
const ADVANCE: &str = "/apis/sim.drydock.dev/v1alpha1/clocks/cluster/advance";
/// Nothing due for this long counts as idle.
const QUIET: Duration = Duration::from_secs(30);
/// Time that waiting for idleness takes at most.
const IDLE_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Turns at one instant after which something must be wrong, and the request ends.
const TURNS_MAX: u32 = 50_000_000;

/// What a request to advance asks for.
enum Advance {
    Until(Instant),
    NextEvent,
    Idle,
}

/// Answers `POST …/clocks/cluster/advance`; `None` for every other request.
pub(crate) fn handle(cluster: &mut Cluster, request: &http::Request<Vec<u8>>) -> Option<Response<Body>> {
    if request.method() != Method::POST || request.uri().path() != ADVANCE {
        return None;
    }
    Some(match read(request.body(), cluster.now) {
        Ok(advance) => {
            run(cluster, &advance);
            answer(200, &cluster.clock())
        }
        Err(status) => answer(status.code, &status.to_value()),
    })
}

fn run(cluster: &mut Cluster, advance: &Advance) {
    match advance {
        Advance::Until(until) => {
            cluster.advance(*until, TURNS_MAX);
        }
        Advance::NextEvent => {
            cluster.step(TURNS_MAX);
        }
        Advance::Idle => {
            let end = cluster.now + IDLE_WITHIN;
            while cluster.next_wakeup().is_some_and(|it| it <= (cluster.now + QUIET).min(end)) {
                cluster.step(TURNS_MAX);
            }
        }
    }
}

/// A JSON body with exactly one of `seconds`, `until` and `to`.
fn read(body: &[u8], now: Instant) -> Result<Advance, Status> {
    let body = json::parse(body).map_err(|it| Status::bad_request(it.to_string()))?;
    let mut errors = Errors::new();
    let wanted = match (body.get("seconds"), body.get("until"), body.get("to")) {
        (Some(it), None, None) => seconds(it).map(|it| Advance::Until(now + it)).ok_or(("seconds", it)),
        (None, Some(it), None) => it
            .as_str()
            .and_then(time::parse_nanos)
            .map(|it| Advance::Until(Instant::from_nanos(it)))
            .ok_or(("until", it)),
        (None, None, Some(it)) => match it.as_str() {
            Some("nextEvent") => Ok(Advance::NextEvent),
            Some("idle") => Ok(Advance::Idle),
            _ => Err(("to", it)),
        },
        _ => {
            return Err(Status::bad_request("exactly one of `seconds`, `until` and `to` is wanted"));
        }
    };
    wanted.map_err(|(field, it)| {
        match field {
            "seconds" => errors.invalid(field, it.clone(), "must be a number of seconds that is not negative"),
            "until" => errors.invalid(field, it.clone(), "must be a time such as 2026-11-24T16:00:00Z"),
            _ => errors.not_supported(field, it.as_str().unwrap_or(""), &["idle", "nextEvent"]),
        }
        Status::invalid("sim.drydock.dev", "Clock", NAME, &errors)
    })
}

/// A number of seconds, whole or with a fraction.
fn seconds(value: &Value) -> Option<Duration> {
    let text = match value {
        Value::Int(it) => return u64::try_from(*it).ok().map(Duration::from_secs),
        Value::Decimal(text) => text,
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.')?;
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

fn answer(code: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(json::to_string(body).into_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

impl Cluster {
    /// The speed that the Clock object asks hosts for: `0`, `1`, `60`, `max`.
    pub fn clock_speed(&self) -> Option<String> {
        let clock = self.api.store().get(CLOCK, &Key::cluster(NAME))?;
        clock.str_at("spec.speed").filter(|it| !it.is_empty()).map(str::to_owned)
    }

    /// What the Clock's status says: nothing of it is stored.
    pub(crate) fn clock_status(&self) -> Value {
        let pending: u64 = self.slots.iter().map(|it| it.actor.stats().queue_depth).sum();
        let mut status = value!({
            "pending": i64::try_from(pending).unwrap_or(i64::MAX),
            "revision": i64::try_from(self.revision().0).unwrap_or(i64::MAX),
            "time": time::format_micros(self.now.nanos()),
        });
        if let Some(next) = self.next_wakeup() {
            status.set("nextEvent", time::format_micros(next.nanos()));
        }
        status
    }

    /// The whole Clock, as an answer shows it.
    fn clock(&self) -> Value {
        match self.api.store().get(CLOCK, &Key::cluster(NAME)) {
            Some(clock) => self.api.to_value(clock).with("status", self.clock_status()),
            // Somebody deleted it: time passes all the same.
            None => value!({
                "apiVersion": "sim.drydock.dev/v1alpha1", "kind": "Clock", "metadata": { "name": NAME }, "status": self.clock_status(),
            }),
        }
    }
}

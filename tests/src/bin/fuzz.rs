//! Sends anything at all to the engine: whatever comes in, a valid answer goes out.
//!
//! `cargo run --package tests --bin fuzz -- [REQUESTS] [SEED]`; a failure names both and shows the request.

use std::sync::{Arc, Mutex};

use cluster::{Body, Cluster, Config, Duration, Progress};
use sim::Rng;
use tests::{fuzz, host};
use value::json;

const REQUESTS: u64 = 20_000;
/// Requests of one cluster, before the next seed takes a fresh one.
const REQUESTS_OF_CLUSTER: u64 = 2_000;
/// Turns after a request: an engine that never comes to rest must not hang the run.
const TURNS_MAX: u32 = 20_000;

fn main() {
    let mut args = host::args().into_iter();
    let n_requests = args.next().and_then(|it| it.parse().ok()).unwrap_or(REQUESTS);
    let first_seed = args.next().and_then(|it| it.parse().ok()).unwrap_or(1);
    let current = Arc::new(Mutex::new(String::new()));
    let shown = current.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(request) = shown.lock() {
            eprintln!("after {request}");
        }
        before(info);
    }));
    let mut left: u64 = n_requests;
    let mut seed = first_seed;
    let mut codes = std::collections::BTreeMap::<u16, u64>::new();
    while left > 0 {
        let n = left.min(REQUESTS_OF_CLUSTER);
        one(seed, n, &current, &mut codes);
        left -= n;
        seed += 1;
    }
    for (code, n) in &codes {
        host::print(&format!("{code}: {n} answers"));
    }
    host::print(&format!("{n_requests} requests from seed {first_seed} on, every one answered"));
}

fn one(seed: u64, n_requests: u64, current: &Mutex<String>, codes: &mut std::collections::BTreeMap<u16, u64>) {
    let mut rng = Rng::stream(seed, "fuzz");
    // A short log makes readers that are too slow common; then everybody lists again and again.
    let mut cluster = Cluster::new(&Config {
        seed,
        n_nodes: 2,
        log_changes_max: if seed.is_multiple_of(8) { 16 } else { 1_024 },
        ..Config::default()
    });
    let mut open = Vec::new();
    for number in 0..n_requests {
        let request = if rng.below(4) == 0 { live(&mut rng, &mut cluster) } else { None };
        let request = request.unwrap_or_else(|| fuzz::request(&mut rng));
        if let Ok(mut current) = current.lock() {
            *current = format!("seed {seed}, request {number}: {}", fuzz::shown(&request));
        }
        let answer = cluster.handle(request);
        let code = answer.status().as_u16();
        *codes.entry(code).or_default() += 1;
        match answer.into_body() {
            Body::Bytes(bytes) => check(code, &bytes),
            Body::Watch(stream) => open.push(stream),
            _ => (),
        }
        rests(&cluster.settle(TURNS_MAX));
        if rng.below(16) == 0 {
            let until = cluster.now() + Duration::from_secs(rng.below(90));
            rests(&cluster.advance(until, TURNS_MAX));
        }
        cluster.pump(64);
        if open.len() > 8 {
            cluster.close(open.remove(0));
        }
    }
}

/// What there is, with a number changed.
fn live(rng: &mut Rng, cluster: &mut Cluster) -> Option<http::Request<Vec<u8>>> {
    let path = fuzz::live(rng);
    let asked = http::Request::builder().uri(path).body(Vec::new()).ok()?;
    match cluster.handle(asked).into_body() {
        Body::Bytes(bytes) => fuzz::put_back(rng, path, &bytes),
        _ => None,
    }
}

/// Whatever was asked for, the engine comes to rest.
fn rests(progress: &Progress) {
    assert!(progress.done, "still at work after {} turns", progress.n_turns);
}

/// A failure is a Status.
fn check(code: u16, bytes: &[u8]) {
    assert!((200..600).contains(&code), "the code is {code}");
    if code < 400 || bytes.first() != Some(&b'{') {
        return;
    }
    let text = std::str::from_utf8(bytes).expect("an answer is UTF-8");
    let status = json::parse(text.as_bytes()).expect("an answer that begins as JSON is JSON");
    assert_eq!(status.str_at("kind"), Some("Status"), "{text}");
    assert_eq!(status.i64_at("code"), Some(i64::from(code)), "{text}");
}

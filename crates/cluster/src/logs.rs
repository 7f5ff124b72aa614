//! Answers of `…/pods/NAME/log`: a text, or a stream that follows.

use std::collections::BTreeMap;

use apiserver::{Body, Chunk, StreamId};
use http::{HeaderValue, Response, StatusCode, header};
use kubelet::{LogLine, LogOptions};
use meta::{Key, Status};
use sim::{Duration, Instant};
use value::{Value, json, time};

use crate::{Cluster, exec};

/// Streams of logs have numbers of their own, far from those of watches.
const FIRST_STREAM: u64 = 1 << 62;

/// Open streams that follow a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogStreams {
    open: BTreeMap<StreamId, Follow>,
    n_opened: u64,
}

#[derive(Clone, Debug)]
struct Follow {
    pod: Key,
    options: LogOptions,
    timestamps: bool,
    /// Lines up to here have been sent.
    sent_until: Instant,
    /// Not yet read by anybody.
    waiting: Vec<u8>,
    over: bool,
}

/// What a client asks for.
struct Wanted {
    options: LogOptions,
    follow: bool,
    timestamps: bool,
    limit_bytes: Option<usize>,
}

impl Cluster {
    /// Answers a request for a log with its options as a tree.
    pub(crate) fn log(&mut self, pod: Key, options: &Value) -> Response<Body> {
        let now = self.now;
        let wanted = wanted(options, now);
        let view = self.view();
        if let Some(object) = view.get(kinds::POD, &pod)
            && let Err(why) = kubelet::dial(&view, object)
        {
            let (host, container) = (why.split(' ').nth(2).unwrap_or(""), &wanted.options.container);
            let url = format!("https://{}/containerLogs/{pod}/{container}", host.trim_end_matches(':'));
            return failure(&Status::new(500, "InternalError", format!("Get \"{url}\": {why}")));
        }
        let lines = match kubelet::log(&self.view(), &pod, &wanted.options, exec::client) {
            Ok(lines) => lines,
            Err(status) => return failure(&status),
        };
        let mut text = text(&lines, wanted.timestamps);
        if let Some(limit) = wanted.limit_bytes {
            text.truncate(limit);
        }
        let mut response = Response::new(Body::Bytes(Vec::new()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if !wanted.follow {
            *response.body_mut() = Body::Bytes(text);
            return response;
        }
        self.log_streams.n_opened += 1;
        let id = StreamId(FIRST_STREAM + self.log_streams.n_opened);
        let options = LogOptions { tail: None, ..wanted.options };
        let follow =
            Follow { pod, options, timestamps: wanted.timestamps, sent_until: now, waiting: text, over: false };
        self.log_streams.open.insert(id, follow);
        *response.body_mut() = Body::Watch(id);
        response
    }

    /// Chunks of the logs that are followed.
    pub(crate) fn pump_logs(&mut self, out: &mut Vec<(StreamId, Chunk)>) {
        if self.log_streams.open.is_empty() {
            return;
        }
        let mut streams = std::mem::take(&mut self.log_streams);
        for (id, follow) in &mut streams.open {
            self.follow(follow);
            if !follow.waiting.is_empty() || follow.over {
                out.push((*id, Chunk { bytes: std::mem::take(&mut follow.waiting), last: follow.over }));
            }
        }
        streams.open.retain(|_, it| !it.over);
        self.log_streams = streams;
    }

    fn follow(&self, follow: &mut Follow) {
        let view = self.view();
        let since = follow.sent_until + Duration::from_nanos(1);
        let options = LogOptions { since: Some(since), ..follow.options.clone() };
        match kubelet::log(&view, &follow.pod, &options, exec::client) {
            Ok(lines) => follow.waiting.extend(text(&lines, follow.timestamps)),
            // The pod has gone.
            Err(_) => follow.over = true,
        }
        follow.sent_until = self.now;
        follow.over |= !kubelet::is_running(&view, &follow.pod, &follow.options.container);
    }

    /// The client of a followed log has gone; answers whether there was one.
    pub(crate) fn close_log(&mut self, id: StreamId) -> bool {
        self.log_streams.open.remove(&id).is_some()
    }

    /// When a stream has something to send by time alone, for hosts that sleep until something is due.
    pub fn next_output(&self) -> Option<Instant> {
        let view = self.view();
        let next = |it: &Follow| kubelet::next_line(&view, &it.pod, &it.options.container, exec::client);
        self.log_streams.open.values().filter_map(next).min()
    }
}

fn wanted(options: &Value, now: Instant) -> Wanted {
    // Options come from a query: numbers and flags may be texts.
    let int = |key: &str| match options.get(key)? {
        Value::Int(it) => Some(*it),
        it => it.as_str()?.parse().ok(),
    };
    let flag = |key: &str| match options.get(key) {
        Some(Value::Bool(it)) => *it,
        Some(it) => it.as_str().is_some_and(|it| it != "false" && it != "0"),
        None => false,
    };
    let since_time = options.str_at("sinceTime").and_then(time::parse_nanos).map(Instant::from_nanos);
    let since_seconds =
        int("sinceSeconds").and_then(|it| u64::try_from(it).ok()).map(|it| now - Duration::from_secs(it));
    Wanted {
        options: LogOptions {
            container: options.str_at("container").unwrap_or("").into(),
            previous: flag("previous"),
            tail: int("tailLines").and_then(|it| usize::try_from(it).ok()),
            since: since_time.or(since_seconds),
        },
        follow: flag("follow"),
        timestamps: flag("timestamps"),
        limit_bytes: int("limitBytes").and_then(|it| usize::try_from(it).ok()),
    }
}

fn text(lines: &[LogLine], timestamps: bool) -> Vec<u8> {
    let mut text = String::new();
    for line in lines {
        if timestamps {
            text.push_str(&time::format_nanos(line.at.nanos()));
            text.push(' ');
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text.into_bytes()
}

pub(crate) fn failure(status: &Status) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(json::to_string(&status.to_value()).into_bytes()));
    *response.status_mut() = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

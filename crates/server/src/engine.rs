//! The engine on a thread of its own: requests in by a channel, answers and stream chunks out.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Instant as WallInstant;

use cluster::{Body, Cluster, Config, Duration, StreamId};
use tokio::sync::{mpsc as stream, oneshot};

use crate::options::Speed;

/// Turns between two looks at the channel: keeps requests quick while much is going on.
const TURNS_AT_ONCE: u32 = 64;
/// Chunks handed to streams at once.
const CHUNKS_AT_ONCE: usize = 4096;
/// The longest sleep; a request ends it anyway.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// What the engine is asked for.
pub(crate) enum Job {
    /// One request and where its answer goes.
    Request {
        request: Box<http::Request<Vec<u8>>>,
        /// Streams end after this wall time.
        timeout: Option<Duration>,
        reply: oneshot::Sender<http::Response<Answer>>,
    },
    /// The inputs of the run until now.
    Recording(oneshot::Sender<Vec<u8>>),
}

/// The body of an answer.
pub(crate) enum Answer {
    Bytes(Vec<u8>),
    Stream(stream::UnboundedReceiver<Vec<u8>>),
}

struct Open {
    sender: stream::UnboundedSender<Vec<u8>>,
    until: Option<WallInstant>,
}

/// Engine, open streams and the mapping of time.
struct Engine {
    cluster: Cluster,
    open: BTreeMap<StreamId, Open>,
    speed: Speed,
    /// Wall time and virtual time of the last change of speed.
    base: (WallInstant, cluster::Instant),
}

/// Starts the engine; it ends when the last sender of jobs does.
pub(crate) fn start(config: &Config, speed: Speed) -> mpsc::Sender<Job> {
    let (sender, receiver) = mpsc::channel();
    let config = config.clone();
    std::thread::spawn(move || {
        let cluster = Cluster::new(&config);
        let base = (WallInstant::now(), cluster.now());
        let mut engine = Engine { cluster, open: BTreeMap::new(), speed, base };
        engine.settle();
        engine.work(&receiver);
    });
    sender
}

impl Engine {
    fn work(&mut self, jobs: &mpsc::Receiver<Job>) {
        loop {
            let done = self.pass_time();
            self.pump();
            let job = if done {
                jobs.recv_timeout(self.sleep())
            } else {
                jobs.try_recv().map_err(|it| match it {
                    mpsc::TryRecvError::Empty => mpsc::RecvTimeoutError::Timeout,
                    mpsc::TryRecvError::Disconnected => mpsc::RecvTimeoutError::Disconnected,
                })
            };
            match job {
                Ok(Job::Request { request, timeout, reply }) => {
                    // It may have come after a long sleep.
                    self.pass_time();
                    self.answer(*request, timeout, reply);
                }
                Ok(Job::Recording(reply)) => {
                    reply.send(self.cluster.recording()).ok();
                }
                Err(mpsc::RecvTimeoutError::Timeout) => (),
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn answer(
        &mut self,
        request: http::Request<Vec<u8>>,
        timeout: Option<Duration>,
        reply: oneshot::Sender<http::Response<Answer>>,
    ) {
        let (parts, body) = self.cluster.handle(request).into_parts();
        self.read_speed();
        let answer = match body {
            Body::Bytes(bytes) => Answer::Bytes(bytes),
            Body::Watch(id) => {
                let (sender, receiver) = stream::unbounded_channel();
                self.open.insert(id, Open { sender, until: timeout.map(|it| WallInstant::now() + it) });
                Answer::Stream(receiver)
            }
            // The cluster answers these itself.
            Body::Tunnel(_) => Answer::Bytes(Vec::new()),
        };
        // What the request set off and is due at this instant is done before the next one.
        self.settle();
        reply.send(http::Response::from_parts(parts, answer)).ok();
    }

    fn settle(&mut self) {
        while !self.cluster.settle(TURNS_AT_ONCE).done {}
    }

    /// Brings virtual time to where it should be; answers whether everything due is done.
    fn pass_time(&mut self) -> bool {
        match self.speed {
            Speed::Times(0) => self.cluster.settle(TURNS_AT_ONCE).done,
            Speed::Times(factor) => {
                let until = self.base.1 + self.base.0.elapsed() * factor;
                self.cluster.advance(until, TURNS_AT_ONCE).done
            }
            Speed::Max => {
                let n_turns = (0..TURNS_AT_ONCE)
                    .take_while(|_| self.cluster.next_wakeup().is_some() && self.cluster.step(1).n_turns > 0)
                    .count();
                n_turns == 0
            }
        }
    }

    /// Until the next thing is due, in wall time.
    fn sleep(&self) -> Duration {
        let next = [self.cluster.next_wakeup(), self.cluster.next_output()].into_iter().flatten().min();
        let due = match (self.speed, next) {
            (Speed::Times(factor), Some(at)) if factor > 0 => {
                let passed = self.base.0.elapsed() * factor;
                (at.since(self.base.1 + passed) / factor).min(SLEEP_MAX)
            }
            _ => SLEEP_MAX,
        };
        let now = WallInstant::now();
        let closing = self.open.values().filter_map(|it| it.until).min().map(|it| it.saturating_duration_since(now));
        closing.map_or(due, |it| it.min(due)).max(Duration::from_millis(1))
    }

    /// Takes over what the Clock object says.
    fn read_speed(&mut self) {
        let Some(text) = self.cluster.clock_speed() else { return };
        let speed = match text.as_str() {
            "max" => Speed::Max,
            _ => Speed::Times(text.parse().unwrap_or(0)),
        };
        if speed != self.speed {
            self.speed = speed;
            self.base = (WallInstant::now(), self.cluster.now());
        }
    }

    fn pump(&mut self) {
        loop {
            let chunks = self.cluster.pump(CHUNKS_AT_ONCE);
            if chunks.is_empty() {
                break;
            }
            for (id, chunk) in chunks {
                let gone = self.open.get(&id).is_none_or(|it| it.sender.send(chunk.bytes).is_err());
                if gone || chunk.last {
                    self.open.remove(&id);
                    self.cluster.close(id);
                }
            }
        }
        let now = WallInstant::now();
        let over: Vec<StreamId> = self
            .open
            .iter()
            .filter(|(_, it)| it.until.is_some_and(|at| at <= now) || it.sender.is_closed())
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.open.remove(&id);
            self.cluster.close(id);
        }
    }
}

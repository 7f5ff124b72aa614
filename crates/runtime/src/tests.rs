use meta::{Key, KindId, Revision, Status};
use sim::{Duration, Instant};

use crate::{Cause, Queue};

fn key(name: &str) -> Key {
    Key::cluster(name)
}

#[test]
fn a_key_waits_once_and_keeps_its_first_cause() {
    let mut queue: Queue = Queue::default();
    let cause = Cause { kind: KindId(0), key: key("pod"), revision: Revision(7) };
    queue.add(key("a"), None);
    queue.add(key("b"), None);
    queue.add(key("a"), Some(cause.clone()));
    assert_eq!(queue.pop(), Some((key("a"), Some(cause))));
    assert_eq!(queue.pop(), Some((key("b"), None)));
    assert_eq!(queue.pop(), None);
}

#[test]
fn failures_back_off_twice_as_long_each_time() {
    let mut queue: Queue = Queue::default();
    let mut now = Instant::from_secs(1);
    let mut waits = Vec::new();
    let why = Status::bad_request("it is not to be");
    for _ in 0..4 {
        queue.add_failed(key("a"), now, &why);
        let at = queue.next_wakeup().unwrap();
        waits.push(at.since(now));
        now = at;
        queue.wake(now);
        assert!(queue.pop().is_some());
    }
    assert_eq!(waits, [5, 10, 20, 40].map(Duration::from_millis));
    let failing = queue.backlog(&|it| it.to_string());
    assert_eq!((failing.n_failing, failing.n_later), (1, 0));
    assert_eq!((failing.failing[0].n_failures, &*failing.failing[0].message), (4, "it is not to be"));
    queue.forget(&key("a"));
    queue.add_failed(key("a"), now, &why);
    assert_eq!(queue.next_wakeup(), Some(now + Duration::from_millis(5)));
}

#[test]
fn a_sooner_delay_replaces_a_later_one() {
    let mut queue: Queue = Queue::default();
    queue.add_at(key("a"), Instant::from_secs(10));
    queue.add_at(key("a"), Instant::from_secs(5));
    queue.wake(Instant::from_secs(5));
    assert!(queue.pop().is_some());
    queue.wake(Instant::from_secs(10));
    assert!(queue.pop().is_none());
}

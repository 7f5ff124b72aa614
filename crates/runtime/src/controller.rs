//! The loop around a reconciler: changes become keys, keys are worked on, failures back off.

use meta::{Key, KindId, Object, Revision, Status};
use sim::{Duration, Instant};
use store::Change;
use value::Value;

use crate::{Actor, Backlog, Cause, Cx, News, Queue, Stats, View, Wanted};

/// What a reconciler wants next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing until something it watches changes.
    AwaitChange,
    /// To be called again after this delay.
    RequeueAfter(Duration),
}

/// Brings one object of one kind to its desired state. Level-driven: it looks at what is, not at what happened.
pub trait Reconciler {
    /// The component's name, such as `daemonset`.
    fn name(&self) -> &'static str;

    /// The kind whose keys it works on; after a restart every object of it is worked on.
    fn kind(&self) -> KindId;

    /// Which changes concern which keys.
    fn watches(&self) -> Vec<Watch>;

    /// How long changes of a kind are collected before their keys are worked on.
    fn batches(&self, _kind: KindId) -> Duration {
        Duration::ZERO
    }

    /// Whether the changes that are its own writes of a status tell it nothing: upstream's controllers look again, mostly in vain.
    fn knows_own_status(&self) -> bool {
        false
    }

    /// What it remembers that is worth keeping when it begins anew, as [`Actor::saved`].
    fn saved(&self) -> Value {
        Value::Null
    }

    /// Takes up what [`Reconciler::saved`] answered.
    fn take_up(&mut self, _saved: &Value) {}

    /// Works on one key.
    ///
    /// # Errors
    /// A failed request; the key is tried again with back-off.
    fn reconcile(&mut self, cx: &mut Cx<'_>, key: &Key) -> Result<Action, Status>;
}

/// Says the keys that a change concerns.
type Keys = fn(&Change, &View<'_>, &mut Vec<Key>);

/// How changes of a kind become keys.
#[derive(Clone, Copy)]
pub struct Watch {
    /// Of all others it would say no key, so it is not asked.
    wanted: Wanted,
    concerns: Concerns,
}

#[derive(Clone, Copy)]
enum Concerns {
    Itself,
    Owner { kind: &'static str, group: &'static str },
    Others(Keys),
}

impl Watch {
    /// The key of the changed object.
    pub const fn itself(kind: KindId) -> Watch {
        Watch { wanted: Wanted::any(kind), concerns: Concerns::Itself }
    }

    /// The controlling owner of a changed object, if it is of this kind (its name in owner references) and group.
    pub const fn owner(kind: KindId, owner_kind: &'static str, group: &'static str) -> Watch {
        let concerns = Concerns::Owner { kind: owner_kind, group };
        Watch { wanted: Wanted::any(kind), concerns }.on(News::ANY.of_owner(owner_kind))
    }

    /// Whatever the function says.
    pub const fn map(kind: KindId, keys: Keys) -> Watch {
        Watch { wanted: Wanted::any(kind), concerns: Concerns::Others(keys) }
    }

    /// The same where the function says keys of such news only.
    #[must_use]
    pub const fn on(self, news: News) -> Watch {
        Watch { wanted: Wanted { news, ..self.wanted }, ..self }
    }

    /// The same, but nobody is concerned while there are no objects of this kind.
    #[must_use]
    pub const fn while_any(self, kind: KindId) -> Watch {
        Watch { wanted: Wanted { while_any: Some(kind), ..self.wanted }, ..self }
    }

    fn keys(&self, change: &Change, view: &View<'_>, out: &mut Vec<Key>) {
        match &self.concerns {
            Concerns::Itself => out.push(change.object().key()),
            Concerns::Owner { kind, group } => {
                // Most changes leave the owner as it was.
                let after = change.after.as_ref();
                let is_other = |it: &Object| after.is_none_or(|after| !after.meta.identity.same(&it.meta.identity));
                let before = change.before.as_ref().filter(|it| is_other(it));
                for object in before.into_iter().chain(after) {
                    let Some(owner) = object.meta.controller().filter(|it| it.kind == *kind) else { continue };
                    if owner.is_of_group(group) {
                        let key = Key { namespace: object.meta.namespace.clone(), name: owner.name.clone() };
                        if out.last() != Some(&key) {
                            out.push(key);
                        }
                    }
                }
            }
            Concerns::Others(keys) => keys(change, view, out),
        }
    }
}

/// A reconciler with its queue: an [`Actor`].
pub struct Controller {
    reconciler: Box<dyn Reconciler>,
    watches: Vec<Watch>,
    /// The same by kind.
    by_kind: Vec<Vec<Watch>>,
    queue: Queue,
    /// Keys of the change that is being looked at.
    keys: Vec<Key>,
    /// Statuses that it wrote in the last turn.
    own: Vec<Revision>,
    last_work: Option<Instant>,
    last_key: Option<Key>,
}

impl Controller {
    pub fn new(reconciler: Box<dyn Reconciler>) -> Controller {
        let watches = reconciler.watches();
        let mut by_kind: Vec<Vec<Watch>> = Vec::new();
        for watch in &watches {
            let idx = usize::from(watch.wanted.kind.0);
            if by_kind.len() <= idx {
                by_kind.resize(idx + 1, Vec::new());
            }
            by_kind[idx].push(*watch);
        }
        Controller {
            reconciler,
            watches,
            by_kind,
            queue: Queue::default(),
            keys: Vec::new(),
            own: Vec::new(),
            last_work: None,
            last_key: None,
        }
    }

    fn one(&mut self, cx: &mut Cx<'_>, key: Key, cause: Option<Cause>) {
        cx.begin(self.reconciler.name(), cause);
        match self.reconciler.reconcile(cx, &key) {
            Ok(action) => {
                self.queue.forget(&key);
                if let Action::RequeueAfter(delay) = action {
                    self.queue.add_at(key.clone(), cx.now() + delay);
                }
            }
            Err(why) => self.queue.add_failed(key.clone(), cx.now(), &why),
        }
        let own = cx.take_own();
        if self.reconciler.knows_own_status() {
            self.own.extend(own);
        }
        if cx.take_wants_again() {
            self.queue.add(key, None);
        }
        cx.end();
    }
}

impl Actor for Controller {
    fn name(&self) -> &'static str {
        self.reconciler.name()
    }

    fn wants(&self) -> Vec<Wanted> {
        self.by_kind.iter().filter_map(|it| it.iter().map(|it| it.wanted).reduce(Wanted::or)).collect()
    }

    fn deliver(&mut self, kind: KindId, changes: &[Change], news: News, view: &View<'_>) -> bool {
        let Some(watches) = self.by_kind.get(usize::from(kind.0)) else { return false };
        let mut is_news = false;
        for change in changes {
            if let Some(idx) = self.own.iter().position(|it| *it == change.revision) {
                self.own.swap_remove(idx);
                continue;
            }
            let is_asked = |it: &Wanted| (cfg!(debug_assertions) || it.news.meets(news)) && it.is_time(view);
            for watch in watches.iter().filter(|it| is_asked(&it.wanted)) {
                let n_before = self.keys.len();
                watch.keys(change, view, &mut self.keys);
                let says_none = self.keys.len() == n_before;
                let is_declared = || watch.wanted.news.meets(News::of(change));
                debug_assert!(says_none || is_declared(), "{} watches more of {kind:?} than it says", self.name());
            }
            // Most changes concern few.
            if !self.keys.is_empty() {
                let delay = self.reconciler.batches(kind);
                enqueue(&mut self.queue, &mut self.keys, kind, change, view.now, delay);
                is_news = true;
            }
        }
        is_news
    }

    fn list(&mut self, view: &View<'_>) {
        self.own.clear();
        self.queue.clear();
        let keys: Vec<Key> = view.list(self.reconciler.kind(), None).map(|it| it.key()).collect();
        for key in keys {
            self.queue.add(key, None);
        }
        // What depends on objects that are there, or on such that have gone unseen.
        let others = self.watches.iter().filter(|it| !matches!(it.concerns, Concerns::Itself));
        let mut keys = Vec::new();
        for watch in others.filter(|it| it.wanted.is_time(view)) {
            for object in view.list(watch.wanted.kind, None) {
                let change = Change { revision: object.meta.revision, before: None, after: Some(object.clone()) };
                watch.keys(&change, view, &mut keys);
            }
        }
        for key in keys {
            self.queue.add(key, None);
        }
    }

    fn work(&mut self, cx: &mut Cx<'_>) -> bool {
        self.queue.wake(cx.now());
        // What is added while working waits for the next turn: a key runs at most once a turn.
        let n_keys = self.queue.len();
        for _ in 0..n_keys {
            if !cx.may_write() {
                break;
            }
            let Some((key, cause)) = self.queue.pop() else { break };
            self.last_key = Some(key.clone());
            self.one(cx, key, cause);
            self.last_work = Some(cx.now());
        }
        n_keys > 0
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.queue.is_empty() { self.queue.next_wakeup() } else { Some(Instant::default()) }
    }

    fn stats(&self) -> Stats {
        Stats { queue_depth: self.queue.len() as u64, retries: self.queue.n_retries(), last_work: self.last_work }
    }

    fn backlog(&self) -> Backlog {
        Backlog { last: self.last_key.as_ref().map(Key::to_string), ..self.queue.backlog(&Key::to_string) }
    }

    fn saved(&self) -> Value {
        self.reconciler.saved()
    }

    fn take_up(&mut self, saved: &Value) {
        self.reconciler.take_up(saved);
    }
}

/// Adds keys because of a change, once a delay is over.
#[inline(never)]
fn enqueue(queue: &mut Queue, keys: &mut Vec<Key>, kind: KindId, change: &Change, now: Instant, delay: Duration) {
    for key in keys.drain(..) {
        let cause = Cause { kind, key: change.object().key(), revision: change.revision };
        match delay.is_zero() {
            true => queue.add(key, Some(cause)),
            false => queue.add_later(key, cause, now + delay),
        }
    }
}

//! What the turn of the cluster drives.

use meta::KindId;
use sim::Instant;
use store::Change;
use value::Value;

use crate::{Backlog, Cx, News, View, Wanted};

/// Figures for a Component's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    pub queue_depth: u64,
    pub retries: u64,
    /// When it last did something.
    pub last_work: Option<Instant>,
}

/// A controller, the scheduler or the kubelets: told of changes, then asked to work.
pub trait Actor {
    /// The name of the component, such as `daemonset`; names its chance stream and its Component object.
    fn name(&self) -> &'static str;

    /// The changes that it wants to be told of, one entry for each kind.
    fn wants(&self) -> Vec<Wanted>;

    /// Takes changes of one of its kinds in, all of which are about `news`; writes nothing. Answers whether it may have something
    /// to do by them.
    fn deliver(&mut self, kind: KindId, changes: &[Change], news: News, view: &View<'_>) -> bool;

    /// Starts from the present state instead of changes: at the beginning, and after the log was too short.
    fn list(&mut self, view: &View<'_>);

    /// Works until nothing is left at `cx.now` or `cx.may_write` answers false. Answers whether it did anything.
    fn work(&mut self, cx: &mut Cx<'_>) -> bool;

    /// When it next has something to do by time alone; `Instant` of the past or present when it has work now.
    fn next_wakeup(&self) -> Option<Instant>;

    /// Figures for its Component object.
    fn stats(&self) -> Stats;

    /// What it has before it, for who looks.
    fn backlog(&self) -> Backlog {
        Backlog::default()
    }

    /// What it remembers that cannot be found out from the store and that is worth keeping when it begins anew.
    fn saved(&self) -> Value {
        Value::Null
    }

    /// After [`Actor::list`]: takes up what [`Actor::saved`] answered.
    fn take_up(&mut self, _saved: &Value) {}
}

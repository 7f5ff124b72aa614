//! What a screen shows, as plain data. The worker makes it, the app draws it.

use crate::wire;

wire! {
    /// Names an object for people and for links: the kind as in manifests.
    pub struct Ref {
        pub kind: String,
        pub namespace: String,
        pub name: String,
    }

    /// So much of so much.
    pub struct Meter {
        /// Thousandths of a CPU, bytes, or pods.
        pub used: i64,
        pub total: i64,
    }

    /// A node's machine, where it has one.
    pub struct Machine {
        pub is_on: bool,
        pub is_connected: bool,
        pub disk_pressure: bool,
        pub memory_pressure: bool,
        pub pid_pressure: bool,
    }

    pub struct Node {
        pub name: String,
        /// Nodes are shown in the order in which they came.
        pub order: u32,
        pub state: NodeState,
        /// The state in words, as `kubectl get nodes` has it, without the cordon.
        pub word: String,
        pub roles: Vec<String>,
        /// As kubectl writes them.
        pub taints: Vec<String>,
        /// Without those that every node has.
        pub labels: Vec<String>,
        pub is_cordoned: bool,
        pub machine: Option<Machine>,
        pub cpu: Meter,
        pub memory: Meter,
        pub pods: Meter,
    }

    #[derive(Default)]
    pub enum NodeState {
        0 => Ready,
        #[default]
        1 => NotReady,
        2 => Unknown,
        3 => Off,
    }

    /// How a pod's chip is drawn.
    #[derive(Default)]
    pub enum Look {
        #[default]
        0 => Pending,
        1 => Creating,
        2 => Unready,
        3 => Ready,
        4 => Terminating,
        5 => Failed,
        6 => Looping,
        7 => Succeeded,
        8 => Lost,
    }

    pub struct Pod {
        pub uid: String,
        pub namespace: String,
        pub name: String,
        /// Empty until it is bound.
        pub node: String,
        pub look: Look,
        /// As `status.phase`.
        pub phase: String,
        /// The STATUS column of `kubectl get pods`.
        pub word: String,
        pub is_ready: bool,
        pub n_ready: u32,
        pub n_containers: u32,
        pub n_restarts: u32,
        /// The workload that it belongs to, by [`Workload::id`]; 0 for none.
        pub workload: u32,
        pub hue: u8,
        /// The kind of its controller; empty for a bare pod.
        pub owner_kind: String,
        /// The node that a daemon pod is for.
        pub wants: String,
        /// Why it waits, as the scheduler or the kubelet says it.
        pub reason: String,
    }

    /// What runs pods.
    pub struct Workload {
        /// Counts from 1.
        pub id: u32,
        pub target: Ref,
        pub hue: u8,
        pub n_ready: u32,
        pub n_desired: u32,
        /// Whether [`Workload::n_desired`] is known: a CronJob desires no number of pods.
        pub is_counted: bool,
        /// One more sentence, such as a CronJob's schedule.
        pub note: String,
    }

    /// One change of one object.
    pub struct WatchRow {
        pub revision: u64,
        /// Nanoseconds since the Unix epoch, in virtual time.
        pub at: u64,
        /// `ADDED`, `MODIFIED` or `DELETED`, by its first letter.
        pub letter: u8,
        pub object: Ref,
        /// The object's controller, for finding what belongs to a workload.
        pub owner: String,
        /// The most telling change and how many more there are.
        pub what: String,
    }

    /// An Event object as it was last written.
    pub struct EventRow {
        pub uid: String,
        pub revision: u64,
        pub at: u64,
        pub is_warning: bool,
        pub reason: String,
        pub object: Ref,
        pub source: String,
        pub message: String,
        pub count: u32,
    }

    pub struct RequestRow {
        pub number: u64,
        pub at: u64,
        pub component: String,
        pub verb: String,
        pub path: String,
        pub code: u16,
        /// The watch event that led to it, such as `DaemonSet kube-system/fluentd`.
        pub cause: String,
    }

    #[derive(Default)]
    pub enum Mark {
        0 => Runs,
        1 => Comes,
        2 => Waits,
        3 => Cannot,
        4 => Stays,
        /// A pod is here, and so is what keeps it from running.
        6 => Fails,
        /// Its node is off, or nobody hears of it.
        7 => Lost,
        #[default]
        5 => None,
    }

    /// Why a node has what it has of the selected object.
    pub struct Verdict {
        pub node: String,
        pub mark: Mark,
        pub text: String,
        /// The field of the manifest that decides; empty where there is none.
        pub field: String,
    }

    pub struct Why {
        pub target: Ref,
        /// One sentence for the whole.
        pub summary: String,
        pub verdicts: Vec<Verdict>,
    }

    pub struct Clock {
        /// Nanoseconds since the Unix epoch, in virtual time.
        pub now: u64,
        /// Turns so far: with `now`, a point to which a replay can be taken.
        pub turn: u64,
        pub start: u64,
        pub revision: u64,
        /// Quarters of the pace of a wall clock; 0 is as fast as the engine can.
        pub quarters: u32,
        pub is_paused: bool,
        /// When something happens next; 0 for never.
        pub next: u64,
        /// The engine has more to do than it can at this speed.
        pub is_behind: bool,
    }

    /// What changed since the last one.
    pub struct Update {
        pub clock: Clock,
        /// Everything known before is to be forgotten.
        pub is_whole: bool,
        pub nodes: Vec<std::rc::Rc<Node>>,
        pub nodes_gone: Vec<String>,
        pub pods: Vec<std::rc::Rc<Pod>>,
        pub pods_gone: Vec<String>,
        /// All of them, when one changed.
        pub workloads: Option<Vec<std::rc::Rc<Workload>>>,
        pub watch: Vec<std::rc::Rc<WatchRow>>,
        pub events: Vec<std::rc::Rc<EventRow>>,
        pub requests: Vec<std::rc::Rc<RequestRow>>,
        /// Rows that were left out since nobody could have read them.
        pub n_skipped: u32,
    }
}

impl Ref {
    pub fn new(kind: &str, namespace: &str, name: &str) -> Ref {
        Ref { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for Ref {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        f.write_str(" ")?;
        if !self.namespace.is_empty() {
            f.write_str(&self.namespace)?;
            f.write_str("/")?;
        }
        f.write_str(&self.name)
    }
}

impl Meter {
    /// Thousandths of the whole, at most 1000.
    pub fn permille(&self) -> u32 {
        if self.total <= 0 {
            return if self.used > 0 { 1000 } else { 0 };
        }
        let permille = i128::from(self.used.max(0)) * 1000 / i128::from(self.total);
        u32::try_from(permille).unwrap_or(1000).min(1000)
    }
}

impl Look {
    /// The class of its chip.
    pub fn class(&self) -> &'static str {
        match self {
            Look::Pending => "pending",
            Look::Creating => "creating",
            Look::Unready => "unready",
            Look::Ready => "ready",
            Look::Terminating => "terminating",
            Look::Failed => "failed",
            Look::Looping => "looping",
            Look::Succeeded => "succeeded",
            Look::Lost => "lost",
        }
    }

    /// How much it asks for attention, for a grid that shows only the worst.
    pub fn badness(&self) -> u8 {
        match self {
            Look::Failed => 8,
            Look::Looping => 7,
            Look::Lost => 6,
            Look::Pending => 5,
            Look::Creating => 4,
            Look::Unready => 3,
            Look::Terminating => 2,
            Look::Ready => 1,
            Look::Succeeded => 0,
        }
    }
}

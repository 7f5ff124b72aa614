//! The page: what both of its programs, the app and the worker, know.
//!
//! The app draws and never waits; the worker holds the engine. Between them go [`Ask`] and [`Tell`], as bytes.

pub mod calls;

use view::chain::Chain;
use view::model::{EventRow, Ref, Update, Why};
use view::rollout::Rollout;
use view::runs::Runs;
use view::service::{Origin, Service, Way};
use view::tree::Branch;
use view::wire;

wire! {
    /// A request that may have changed the cluster, and when it was handled: enough to do it again.
    pub struct Input {
        /// Nanoseconds since the Unix epoch, in virtual time.
        pub at: u64,
        /// Turns of the cluster before it.
        pub turn: u64,
        pub request: Request,
    }

    pub struct Request {
        pub method: String,
        /// Path and query.
        pub path: String,
        pub content_type: String,
        pub body: String,
        pub user_agent: String,
    }

    /// A cluster's history, from its beginning or from a snapshot on: the same for the same session, to the byte.
    pub struct Session {
        pub seed: u64,
        /// Virtual time at the beginning, in nanoseconds since the Unix epoch.
        pub start: u64,
        pub inputs: Vec<std::rc::Rc<Input>>,
        /// How far it had come.
        pub at: u64,
        pub turn: u64,
    }

    /// What a message about the manifest says and where.
    pub struct Problem {
        /// From 1.
        pub line: u32,
        pub column: u32,
        pub is_warning: bool,
        pub message: String,
    }

    /// What became of one document.
    pub struct Outcome {
        pub target: Ref,
        /// As kubectl says it: `created`, `configured`, `unchanged`, `deleted`.
        pub word: String,
        /// All that it says: `daemonset.apps/agent created`.
        pub line: String,
    }

    /// One filter's or score's word on a node.
    pub struct DecisionRow {
        pub node: String,
        /// `chosen`, `feasible`, `refused`, `runs`, `may not run`
        pub verdict: String,
        /// Filters that refused, with their reasons; or the placement's message.
        pub text: String,
        pub scores: Vec<Score>,
        pub total: i64,
    }

    pub struct Score {
        pub plugin: String,
        pub score: i64,
        pub weight: i64,
    }

    /// What the drawer shows of an object.
    #[derive(Copy, Default)]
    pub enum Part {
        0 => Yaml,
        #[default]
        1 => Describe,
        2 => Events,
        3 => Decision,
        /// What its kind has of its own: runs, a rollout, endpoints.
        4 => Overview,
        /// Who did what to it because of which watch event.
        5 => Causes,
    }

    /// The part of an object that the drawer shows; the others are empty.
    pub struct Details {
        pub target: Ref,
        pub part: Part,
        /// False when there is no such object any more.
        pub is_there: bool,
        pub yaml: String,
        pub describe: String,
        pub events: Vec<std::rc::Rc<EventRow>>,
        pub decision_text: String,
        pub decision: Vec<DecisionRow>,
        pub chain: Chain,
        pub runs: Option<Runs>,
        pub rollout: Option<Rollout>,
        pub service: Option<Service>,
    }

    /// A part of the control plane and what it does.
    pub struct ComponentRow {
        pub name: String,
        pub is_stopped: bool,
        /// Names that wait to be worked on, and the first of them.
        pub n_queued: u64,
        pub next: Vec<String>,
        pub n_retries: u64,
        /// Objects that its informers hold.
        pub n_cached: u64,
        /// What it does, in a sentence.
        pub doing: String,
        /// What failed and is tried again, a sentence each.
        pub back_offs: Vec<String>,
        /// What it worked on last, and when; nothing before it has worked.
        pub last: String,
        pub last_at: String,
    }

    /// What applying one document would change of the object that is there, as `kubectl diff` says it.
    pub struct Difference {
        pub target: Ref,
        /// Where the document begins, from 1.
        pub line: u32,
        pub verdict: Verdict,
        /// Hunks of a unified diff, or why the server refuses.
        pub text: String,
    }

    #[derive(Copy, Default)]
    pub enum Verdict {
        #[default]
        0 => Same,
        1 => Differs,
        2 => New,
        3 => Refused,
    }

    /// Something that the console or the editor can put at the cursor.
    pub struct Completion {
        pub label: String,
        pub detail: String,
        pub info: String,
        /// What is inserted; the label where empty.
        pub apply: String,
    }

    /// From the app to the worker. An `id` comes back with the answer.
    pub enum Ask {
        /// Goes on from a snapshot, if there is one, with what the session holds beyond it.
        0 => Boot { session: Session, base: String, scenario: String },
        /// Do with the manifest as `kubectl apply -f` does.
        1 => Apply { id: u32, text: String },
        2 => Delete { id: u32, text: String },
        3 => Send { id: u32, request: Request },
        /// What verdicts are asked for, and the manifest in which its fields are to be found.
        4 => Select { target: Option<Ref>, text: String },
        /// Quarters of the wall clock's pace; 0 is as fast as it goes.
        5 => Pace { quarters: u32, is_paused: bool },
        6 => Step,
        /// On to the next change of anything.
        7 => NextEvent,
        /// On to the next Job that a CronJob makes.
        16 => NextRun,
        8 => Open { target: Option<Ref>, part: Part },
        9 => Diff { revision: u64 },
        /// A line of the console; the manifest can be named as a file.
        10 => Line { text: String, manifest: String },
        /// A line for the command that runs; none at the end.
        22 => Typed { line: Option<String> },
        11 => Interrupt,
        12 => CompleteLine { id: u32, text: String },
        13 => Check { id: u32, text: String },
        14 => CompleteYaml { id: u32, text: String, line: u32, column: u32 },
        15 => Hover { id: u32, text: String, line: u32, column: u32 },
        /// Show the workloads as a tree, or no longer; owners in `closed`, by uid, hide what is below them.
        17 => Tree { is_shown: bool, closed: Vec<String> },
        /// Send a request over the simulated network.
        18 => Request { from: Origin, url: String },
        /// A line for kubectl whose output is the answer.
        19 => Kubectl { id: u32, line: String },
        /// Show the components, or no longer.
        21 => Components { is_shown: bool },
        /// Go on saying what applying this manifest would change, or no longer.
        20 => Compare { text: Option<String> },
        /// From a script: see [`calls`].
        23 => Call { call: calls::Call },
    }

    /// From the worker to the app. Beside these it sends snapshots as bare bytes, which may be many.
    pub enum Tell {
        /// The cluster stands and its first nodes are Ready.
        0 => Ready { revision: u64 },
        /// What changed, and with it, from the same state, the verdicts on the selected object and the lines that decide.
        1 => Update { update: Update, why: Option<(Why, Vec<u32>)> },
        /// Handled, and to be kept.
        2 => Inputs { inputs: Vec<std::rc::Rc<Input>> },
        3 => Answer { id: u32, code: u16, body: String },
        4 => Applied { id: u32, outcomes: Vec<Outcome>, problems: Vec<Problem> },
        /// Lines of the manifest that decide, from 1.
        5 => Why { why: Option<Why>, lines: Vec<u32> },
        6 => Details { details: Details },
        7 => Diff { revision: u64, text: String },
        /// With a prompt where the command waits for a line.
        8 => Output { text: String, is_done: bool, prompt: Option<String> },
        9 => Completions { id: u32, found: Vec<Completion> },
        10 => Problems { id: u32, problems: Vec<Problem> },
        11 => Hover { id: u32, text: String },
        /// The program is loaded and waits for [`Ask::Boot`].
        12 => Hello,
        /// How much of a session has been done again, in thousandths.
        13 => Replaying { permille: u32 },
        /// What came of [`Ask::Request`].
        15 => Way { way: Way },
        14 => Tree { rows: Vec<std::rc::Rc<Branch>> },
        /// What a step has come to, where that does not show.
        16 => Said { text: String },
        18 => Components { rows: Vec<std::rc::Rc<ComponentRow>> },
        17 => Differences { found: Vec<Difference>, problem: Option<Problem> },
    }
}

impl Part {
    /// What a drawer begins with.
    pub fn first_of(kind: &str) -> Part {
        match kind {
            "Pod" | "DaemonSet" => Part::Decision,
            _ if has_overview(kind) => Part::Overview,
            _ => Part::Describe,
        }
    }
}

/// Whether there is more to show of a kind than what every object has.
pub fn has_overview(kind: &str) -> bool {
    matches!(kind, "CronJob" | "Service") || view::rollout::has(kind)
}

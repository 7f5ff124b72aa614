//! What a script asks of a cluster of its own, and what it is told: `web/js/drydock/cluster.js` knows these by number.

use view::changes::ObjectChange;
use view::wire;
use view::wire::Bytes;

use crate::Problem;

wire! {
    /// What a cluster begins with.
    pub struct Creation {
        pub machines: u32,
        pub seed: u64,
        pub manifests: String,
        /// As a Clock says it; empty for the one of the snapshot, or none.
        pub speed: String,
        /// Where it is not empty, there are neither machines nor a seed.
        pub snapshot: Bytes,
    }

    /// Why something was not done.
    pub struct Failure {
        /// A command's exit code, or that of the server's answer.
        pub code: u32,
        pub message: String,
        /// What was printed before.
        pub output: String,
        pub problems: Vec<Problem>,
    }

    /// From the script; an `id` comes back with what is told of it. The first is `Create`.
    pub enum Call {
        0 => Create { id: u32, creation: Creation },
        1 => Fetch { id: u32, method: String, path: String, headers: Vec<(String, String)>, body: Bytes },
        /// A stream or a command is no longer wanted.
        2 => Close { id: u32 },
        3 => Apply { id: u32, text: String },
        /// A line, which nobody but kubectl reads, and words beyond it.
        4 => Kubectl { id: u32, line: String, words: Vec<String>, stdin: Bytes, files: Vec<(String, Bytes)> },
        /// The body of a request to advance.
        5 => Advance { id: u32, body: String },
        6 => Snapshot { id: u32 },
        7 => Fingerprint { id: u32 },
        /// Go on telling changes, or no longer.
        8 => Listen { is: bool },
    }

    /// To the script.
    pub enum Return {
        0 => Done { id: u32, text: String },
        1 => Failed { id: u32, failure: Failure },
        /// A body that is a stream comes in chunks.
        2 => Head { id: u32, code: u16, headers: Vec<(String, String)>, body: Bytes, is_stream: bool },
        3 => Chunk { id: u32, bytes: Bytes, is_last: bool },
        4 => Saved { id: u32, bytes: Bytes },
        /// Not all is told where more happened than the log holds.
        5 => Changed { revision: u64, time: String, is_whole: bool, changes: Vec<ObjectChange> },
    }
}

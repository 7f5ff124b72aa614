//! Simulated kubelets: machines become nodes, and pods that are bound to them live their lives.
//!
//! One actor plays all kubelets. No container runs: what one does is declared by ImageBehavior objects or told by its shell script.

mod admission;
mod behavior;
mod changes;
mod client;
mod dirty;
mod environment;
mod events;
mod eviction;
mod exec;
mod fast;
mod foresight;
mod hooks;
mod image;
mod kubelets;
mod last_word;
mod life;
mod logs;
mod machine;
mod mounts;
mod nodes;
mod outside;
mod preemption;
mod probes;
mod real;
mod recent;
mod references;
mod resize;
mod saved;
mod security;
mod shell;
mod status;
mod steps;

pub use self::client::Client;
pub use self::exec::{Refused, dial, exec, runs_shell};
pub use self::kubelets::{Kubelets, Mode};
pub use self::logs::{LogOptions, is_running, log, next_line};
pub use self::nodes::{LEASES, is_live_lease, renewed};
pub use self::shell::{LogLine, Programs};

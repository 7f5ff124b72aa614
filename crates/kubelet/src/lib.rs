//! Simulated kubelets: machines become nodes, and pods that are bound to them live their lives.
//!
//! One actor plays all kubelets. No container runs: what one does is declared by ImageBehavior objects.

mod behavior;
mod events;
mod kubelets;
mod life;
mod logs;
mod machine;
mod status;
mod steps;

pub use self::kubelets::{Kubelets, Mode};
pub use self::logs::{LogLine, LogOptions};

#[cfg(test)]
mod tests;

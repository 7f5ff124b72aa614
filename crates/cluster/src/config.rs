//! What a cluster starts from.

use sim::{Duration, Instant};

pub use kubelet::Mode as KubeletMode;

/// Everything that, with the inputs, determines a run.
#[derive(Clone, Debug)]
pub struct Config {
    pub seed: u64,
    /// Virtual time at the beginning.
    pub start: Instant,
    /// Machines `node-1` … `node-N`, made at the beginning.
    pub n_nodes: u32,
    pub kubelet: KubeletMode,
    /// Changes of each kind that watches can go back to.
    pub log_changes_max: usize,
    /// How long after a change the scheduler acts: most others are quicker.
    pub reaction: Duration,
    /// What the Clock object asks hosts for at the beginning: `0`, `1`, `60`, `max`.
    pub speed: String,
}

impl Default for Config {
    /// Three nodes, seed 1, and a start on a Monday morning.
    fn default() -> Self {
        Config {
            seed: 1,
            start: Instant::from_secs(1_767_258_000),
            n_nodes: 3,
            kubelet: KubeletMode::Real,
            log_changes_max: 4_096,
            reaction: Duration::from_millis(10),
            speed: "1".to_owned(),
        }
    }
}

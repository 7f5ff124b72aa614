//! The scheduler: a queue of pods, filters and scores over nodes, preemption, binding, and why (`pkg/scheduler`).
//!
//! Knows pods and nodes only through its own cache, in which each is parsed once.

mod cache;
mod cycle;
mod decision;
mod plugins;
mod preemption;
mod queue;
mod scheduler;
mod terms;
mod volumes;

pub use self::decision::Decision;
pub use self::scheduler::Scheduler;
pub use runtime::resources::Resources;

#[cfg(test)]
mod tests;

//! Volumes of a pod that begins: as long as one cannot be mounted, nothing else happens (`WaitForAttachAndMount`).

use sim::{Duration, Instant};

use crate::events::Events;
use crate::life::Life;
use crate::outside::Outside;

/// First and longest delay before a volume that could not be mounted is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(122));

/// A pod whose volumes are not all there.
#[derive(Clone, Debug)]
pub(crate) struct Mounts {
    /// When they are tried next.
    pub at: Instant,
    pub back_off: Duration,
}

/// Mounts what can be mounted, when its time has come. Answers whether everything is.
pub(crate) fn mount(life: &mut Life, now: Instant, outside: &Outside<'_>, events: &mut Events) -> bool {
    if life.mounts.as_ref().is_some_and(|it| it.at > now) {
        return false;
    }
    if outside.foresight.can_mount(&outside.view, outside.pod) {
        life.mounts = None;
        return true;
    }
    let missing = outside.missing_volumes();
    let (first, max) = BACK_OFF;
    for (name, why) in &missing {
        events.pod("Warning", "FailedMount", format!("MountVolume.SetUp failed for volume \"{name}\" : {why}"));
    }
    let back_off = life.mounts.as_ref().map_or(first, |it| (it.back_off * 2).min(max));
    life.mounts = Some(Box::new(Mounts { at: now + back_off, back_off }));
    false
}

//! How fast nodes are emptied, zone by zone: not at all where so many are lost that the fault may be elsewhere
//! (`handleDisruption`).

use std::collections::BTreeMap;

use meta::Object;
use sim::{Duration, Instant, Throttle};
use value::Str;

/// One node in ten seconds (`--node-eviction-rate` 0.1).
const EVERY: Duration = Duration::from_secs(10);
/// One in a hundred in a large zone of which a large part is lost (`--secondary-node-eviction-rate` 0.01).
const EVERY_SLOWLY: Duration = Duration::from_secs(100);
/// Smaller zones are left alone then (`--large-cluster-size-threshold`).
const LARGE: usize = 50;
/// A large part, in percent (`--unhealthy-zone-threshold`).
const PERCENT_LOST: usize = 55;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Not looked at yet.
    Initial,
    Normal,
    Partial,
    Full,
}

struct Zone {
    /// `None` without nodes that count.
    state: Option<State>,
    n_ready: usize,
    n_lost: usize,
    /// `None` where nothing is evicted.
    every: Option<Duration>,
    throttle: Throttle,
}

impl Default for Zone {
    fn default() -> Zone {
        Zone { state: None, n_ready: 0, n_lost: 0, every: Some(EVERY), throttle: Throttle::new(EVERY, 1) }
    }
}

/// How one node counts: in which zone, and whether it is ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    zone: Str,
    is_ready: bool,
}

impl Counted {
    /// `None` for a node that does not count.
    pub fn of(node: &Object, is_ready: bool) -> Option<Counted> {
        let is_excluded = node.meta.label("node.kubernetes.io/exclude-disruption").is_some();
        (!is_excluded).then(|| Counted { zone: zone_of(node), is_ready })
    }
}

/// What became of all zones together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Now nobody is ready any more: more likely it is the control plane that is cut off.
    AllLost,
    /// And now somebody is again.
    SomeBack,
    Nothing,
}

/// All zones, by region and zone.
#[derive(Default)]
pub(super) struct Zones(BTreeMap<Str, Zone>);

impl Zones {
    /// A node counts otherwise than before.
    pub fn count(&mut self, before: Option<&Counted>, after: Option<&Counted>) {
        if let Some(zone) = before.and_then(|it| self.0.get_mut(&it.zone)) {
            let n = if before.is_some_and(|it| it.is_ready) { &mut zone.n_ready } else { &mut zone.n_lost };
            *n = n.saturating_sub(1);
        }
        if let Some(after) = after {
            let zone = self.0.entry(after.zone.clone()).or_default();
            *if after.is_ready { &mut zone.n_ready } else { &mut zone.n_lost } += 1;
        }
    }

    /// Takes up what was counted.
    pub fn turn(&mut self, now: Instant) -> Turn {
        for zone in self.0.values_mut() {
            zone.state = (zone.n_ready + zone.n_lost > 0).then(|| zone.state.unwrap_or(State::Initial));
        }
        let mut zones: Vec<&mut Zone> = self.0.values_mut().filter(|it| it.state.is_some()).collect();
        let all_are_lost = zones.iter().all(|it| it.present() == State::Full);
        let all_were_lost = zones.iter().all(|it| it.state == Some(State::Full));
        if all_are_lost && all_were_lost {
            return Turn::Nothing;
        }
        for zone in &mut zones {
            let present = zone.present();
            let every = match present {
                _ if all_are_lost => None,
                State::Partial if zone.n_ready + zone.n_lost > LARGE => Some(EVERY_SLOWLY),
                State::Partial => None,
                _ => Some(EVERY),
            };
            if zone.state != Some(present) || all_are_lost || all_were_lost {
                zone.evict_every(every, now);
                zone.state = Some(present);
            }
        }
        match (all_are_lost, all_were_lost) {
            (true, _) => Turn::AllLost,
            (_, true) => Turn::SomeBack,
            _ => Turn::Nothing,
        }
    }

    /// Whether the node may be evicted now.
    ///
    /// # Errors
    /// When it may be the turn of one in its zone, if ever.
    pub fn try_evict(&mut self, node: &Object, now: Instant) -> Result<(), Option<Instant>> {
        let zone = self.0.entry(zone_of(node)).or_default();
        match zone.every {
            None => Err(None),
            Some(_) if zone.throttle.try_take(now) => Ok(()),
            Some(_) => Err(Some(zone.throttle.free_at())),
        }
    }
}

impl Zone {
    /// `ComputeZoneState`
    fn present(&self) -> State {
        let n_all = self.n_ready + self.n_lost;
        match self.n_lost {
            n_lost if self.n_ready == 0 && n_lost > 0 => State::Full,
            n_lost if n_lost > 2 && n_lost * 100 >= n_all * PERCENT_LOST => State::Partial,
            _ => State::Normal,
        }
    }

    /// What the old rate did not allow yet the new one does not allow at once either (`SwapLimiter`).
    fn evict_every(&mut self, every: Option<Duration>, now: Instant) {
        if self.every == every {
            return;
        }
        let was_free = self.every.is_some() && self.throttle.try_take(now);
        self.every = every;
        self.throttle = Throttle::new(every.unwrap_or(EVERY), 1);
        if !was_free {
            self.throttle.try_take(now);
        }
    }
}

/// Region and zone as one text (`GetZoneKey`).
fn zone_of(node: &Object) -> Str {
    let label = |name: &str, old: &str| node.meta.label(name).or(node.meta.label(old)).unwrap_or("");
    let region = label("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    let zone = label("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
    if region.is_empty() && zone.is_empty() { Str::default() } else { format!("{region}/{zone}").into() }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// What becomes of zones with so many ready and lost nodes, one look after the other.
    #[track_caller]
    fn check(looks: &[&[(usize, usize)]], expect: Expect) {
        let (mut zones, mut text) = (Zones::default(), String::new());
        for (idx, look) in looks.iter().enumerate() {
            for (name, (n_ready, n_lost)) in ["a", "b"].iter().zip(*look) {
                let zone = zones.0.entry(Str::from(*name)).or_default();
                (zone.n_ready, zone.n_lost) = (*n_ready, *n_lost);
            }
            let turn = zones.turn(Instant::from_nanos(idx as u64));
            let every = |it: &Zone| it.every.map_or("never".to_owned(), |it| format!("every {} s", it.as_secs()));
            let all: Vec<String> = zones.0.values().map(every).collect();
            text += &format!("{turn:?}: {}\n", all.join(", "));
        }
        expect.assert_eq(&text);
    }

    #[test]
    fn where_many_are_lost_at_once_few_are_evicted() {
        check(
            &[
                &[(3, 0), (60, 0)],
                // Few are lost, or small zones mostly.
                &[(1, 2), (60, 30)],
                &[(1, 3), (30, 60)],
                // A zone that is lost as a whole is evicted while others are there.
                &[(0, 4), (90, 0)],
                &[(0, 4), (0, 90)],
                &[(0, 4), (0, 90)],
                &[(1, 3), (0, 90)],
            ],
            expect![[r#"
                Nothing: every 10 s, every 10 s
                Nothing: every 10 s, every 10 s
                Nothing: never, every 100 s
                Nothing: every 10 s, every 10 s
                AllLost: never, never
                Nothing: never, never
                SomeBack: never, every 10 s
            "#]],
        );
    }
}

use crate::{Duration, Instant, Rng, Throttle, Timers};

#[test]
fn timers_of_one_instant_fire_in_the_order_they_were_set() {
    let mut timers = Timers::new();
    timers.set(Instant::from_secs(2), "late");
    timers.set(Instant::from_secs(1), "a");
    timers.set(Instant::from_secs(1), "b");
    let mut fired = Vec::new();
    while let Some(it) = timers.pop(Instant::from_secs(1)) {
        fired.push(it);
    }
    assert_eq!((fired, timers.next()), (vec!["a", "b"], Some(Instant::from_secs(2))));
}

#[test]
fn a_seed_is_frozen() {
    let mut rng = Rng::new(1);
    assert_eq!([rng.next_u64(), rng.next_u64()], [0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67]);
    assert_ne!(Rng::stream(1, "a").suffix(5), Rng::stream(1, "b").suffix(5));
}

#[test]
fn a_burst_passes_and_then_one_at_a_time() {
    let mut throttle = Throttle::new(Duration::from_secs(1), 3);
    let now = Instant::from_secs(100);
    let taken = (0..5).filter(|_| throttle.try_take(now)).count();
    assert_eq!(taken, 3);
    assert!(!throttle.try_take(now));
    assert!(throttle.try_take(now + Duration::from_secs(1)));
}

//! Random choices and times.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

/// When scenarios begin.
pub(super) fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

pub(super) fn choose<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// One to three distinct elements.
pub(super) fn choose_some(rng: &mut Rng, from: &[&'static str]) -> Vec<&'static str> {
    let mut all = from.to_vec();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..=3));
    all
}

pub(super) fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// A time within the scenario's days. Different numbers give different times.
pub(super) fn unique_time(rng: &mut Rng, days: i64, number: usize) -> Timestamp {
    start() + SignedDuration::from_secs(rng.i64(3600..days * 86_400)) + SignedDuration::from_millis(number as i64)
}

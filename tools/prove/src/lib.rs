//! Fault proof: the functions' real handlers among faults and kills, compared with a reference model.
//!
//! One seed is one story: notifications of several parties are published, duplicated and shuffled, and the real
//! [`feedback::handle`] and [`delegate_router::handle`] work them off through the real SDK clients, while requests are
//! throttled, lost, answered in vain or late, and processes die between any two awaits. Then every message must be
//! acknowledged or in a dead-letter queue, and table and targets must hold what [`model`] says and nothing else.
//! `make prove` runs many; a seed that fails is printed with the command that replays it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a proof fails by panicking, and catches it per seed"
)]

pub mod aws;
pub mod check;
pub mod model;
pub mod run;
pub mod scenario;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What one seed, or many, went through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(pub BTreeMap<&'static str, u64>);

impl Figures {
    /// Adds to a figure.
    pub fn add(&mut self, name: &'static str, number: u64) {
        *self.0.entry(name).or_default() += number;
    }

    fn merge(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            self.add(name, *number);
        }
    }
}

/// How a seed is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Only so many happenings of the story.
    pub size: Option<usize>,
    /// Whether every step is written to standard error.
    pub trace: bool,
    /// Whether nothing fails and nobody dies: then the fault is not in the handling of faults.
    pub calm: bool,
}

/// Why a seed failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub seed: u64,
    /// The smallest part of its story that fails too.
    pub size: usize,
    /// What is wrong.
    pub problem: String,
}

/// Runs one seed.
///
/// # Errors
/// What is wrong afterwards, in words.
pub fn prove(seed: u64, options: &Options) -> Result<Figures, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // The SDK draws its backoff from this; a seed must be the same story each time.
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(run::run(seed, options))
    }));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// Runs many seeds on several threads; stops at the first that fails, made as small as its prefixes allow.
///
/// # Errors
/// The seed that failed.
pub fn prove_many(
    seeds: std::ops::Range<u64>,
    threads: usize,
    progress: impl Fn(u64) + Sync,
) -> Result<Figures, Failure> {
    let next = AtomicU64::new(seeds.start);
    let stopped = AtomicBool::new(false);
    let done = Mutex::new((Figures::default(), None::<Failure>));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    match prove(seed, &Options::default()) {
                        Ok(figures) => {
                            let mut done = done.lock().expect("no panic while held");
                            done.0.add("seeds", 1);
                            done.0.merge(&figures);
                            progress(done.0.0["seeds"]);
                        }
                        Err(problem) => {
                            if !stopped.swap(true, Ordering::Relaxed) {
                                let failure = shrink(seed, problem);
                                done.lock().expect("no panic while held").1 = Some(failure);
                            }
                        }
                    }
                }
            });
        }
    });
    match done.into_inner().expect("no panic while held") {
        (figures, None) => Ok(figures),
        (_, Some(failure)) => Err(failure),
    }
}

/// The shortest beginning of the story that fails.
fn shrink(seed: u64, problem: String) -> Failure {
    let whole = scenario::Scenario::new(seed, None).happenings.len();
    for size in 1..whole {
        let options = Options {
            size: Some(size),
            ..Options::default()
        };
        if let Err(problem) = prove(seed, &options) {
            return Failure { seed, size, problem };
        }
    }
    Failure {
        seed,
        size: whole,
        problem,
    }
}

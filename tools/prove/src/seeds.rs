//! Runs seeds: one, or many on several threads.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::figures::Figures;
use crate::received_mail::{self, InboundScenario, is_about_received_mail};
use crate::scenario::Scenario;
use crate::simulation::{Options, run};

/// A seed that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The smallest number of events with which it fails.
    pub max_events: usize,
    /// The difference.
    pub problem: String,
}

/// Runs one seed.
///
/// # Errors
/// The difference between the result and the reference model, or the text of a panic.
pub fn prove(seed: u64, options: &Options) -> Result<Figures, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // The SDK draws its backoff from this thread's generator.
        fastrand::seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        if is_about_received_mail(seed) {
            runtime.block_on(received_mail::run(seed, options))
        } else {
            runtime.block_on(run(seed, options))
        }
    }));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// Runs many seeds on several threads, and stops at the first that fails. `progress` receives the number of seeds that
/// passed.
///
/// # Errors
/// The seed that failed, with the smallest number of events.
pub fn prove_many(seeds: Range<u64>, threads: usize, progress: impl Fn(u64) + Sync) -> Result<Figures, Failure> {
    let next = AtomicU64::new(seeds.start);
    let stopped = AtomicBool::new(false);
    let results = Mutex::new((Figures::default(), None::<Failure>));
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
                            let (total, _) = &mut *results.lock().expect("not poisoned");
                            total.add("seeds", 1);
                            total.merge(&figures);
                            progress(total.0["seeds"]);
                        }
                        Err(problem) => {
                            if !stopped.swap(true, Ordering::Relaxed) {
                                let failure = shrink(seed, problem);
                                results.lock().expect("not poisoned").1 = Some(failure);
                            }
                        }
                    }
                }
            });
        }
    });
    match results.into_inner().expect("not poisoned") {
        (figures, None) => Ok(figures),
        (_, Some(failure)) => Err(failure),
    }
}

/// The smallest number of events with which the seed fails.
fn shrink(seed: u64, problem: String) -> Failure {
    let all = if is_about_received_mail(seed) {
        InboundScenario::new(seed, None).mails.len()
    } else {
        Scenario::new(seed, None).events.len()
    };
    for max_events in 1..all {
        let options = Options {
            max_events: Some(max_events),
            ..Options::default()
        };
        if let Err(problem) = prove(seed, &options) {
            return Failure {
                seed,
                max_events,
                problem,
            };
        }
    }
    Failure {
        seed,
        max_events: all,
        problem,
    }
}

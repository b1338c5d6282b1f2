//! A fixed set of seeds. `make prove` runs thousands of new ones.

use prove::{Options, prove, prove_many};

#[test]
fn the_first_seeds_hold() {
    let seeds = std::env::var("POSTROOM_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    if let Err(failure) = prove_many(1..1 + seeds, threads, |_| {}) {
        panic!(
            "seed {} fails with {} events: {}\nreplay: cargo run -p prove -- --seed {} --max-events {} --trace",
            failure.seed, failure.max_events, failure.problem, failure.seed, failure.max_events
        );
    }
}

/// Seeds that failed before, with the bug that they found.
const REGRESSIONS: [(u64, &str); 1] = [(
    1_009_098,
    "a delivery was recorded, the response was lost, and the SDK's retry did not end the streak",
)];

#[test]
fn seeds_that_found_bugs_hold() {
    for (seed, bug) in REGRESSIONS {
        assert_eq!(prove(seed, &Options::default()).err(), None, "{bug}");
    }
}

/// On several threads at the same time: the speed of the machine must not matter either.
#[test]
fn a_seed_has_the_same_result_each_time() {
    for seed in [1, 5, 14, 25] {
        let results: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| prove(seed, &Options::default())))
                .collect();
            runs.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        for result in &results {
            assert_eq!(result, &results[0], "seed {seed}");
        }
    }
}

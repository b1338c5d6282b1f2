//! A few seeds of the proof, the same ones every time; `make prove` runs thousands of new ones.

#[test]
fn seeds_hold() {
    let seeds = std::env::var("POSTROOM_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(75);
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    if let Err(failure) = prove::prove_many(1..1 + seeds, threads, |_| {}) {
        panic!(
            "seed {} fails with {} happenings: {}\nreplay: cargo run -p prove -- --seed {} --size {} --trace",
            failure.seed, failure.size, failure.problem, failure.seed, failure.size
        );
    }
}

/// Seeds that failed once, with the bug they found.
const FOUND: [(u64, &str); 1] = [(
    1_009_098,
    "a delivery was noted, the answer got lost, the SDK's retry found it noted, and nobody ended the streak",
)];

#[test]
fn what_was_found_once_is_not_found_again() {
    for (seed, bug) in FOUND {
        assert_eq!(prove::prove(seed, &prove::Options::default()).err(), None, "{bug}");
    }
}

#[test]
fn a_seed_is_the_same_story_each_time() {
    let options = prove::Options::default();
    for seed in 1..4 {
        assert_eq!(
            prove::prove(seed, &options),
            prove::prove(seed, &options),
            "seed {seed}"
        );
    }
}

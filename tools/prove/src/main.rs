//! `prove`: runs seeds, and prints what they went through.
#![expect(clippy::print_stdout, reason = "a command line")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use prove::{Options, prove, prove_many};

/// The functions' real handlers among faults and kills, compared with a reference model.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them; a new one each time if left out
    #[arg(long)]
    first: Option<u64>,
    /// Replay this one only
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Only so many happenings of its story
    #[arg(long, requires = "seed")]
    size: Option<usize>,
    /// Tell every step on standard error
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Without faults and kills
    #[arg(long, requires = "seed")]
    calm: bool,
    /// Threads; as many as processors if left out
    #[arg(long)]
    threads: Option<usize>,
    /// A file for the figures, in JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    if let Some(seed) = arguments.seed {
        let options = Options {
            size: arguments.size,
            trace: arguments.trace,
            calm: arguments.calm,
        };
        if let Some(size) = arguments.size.filter(|_| arguments.trace) {
            eprintln!("{:#?}", prove::scenario::Scenario::new(seed, Some(size)));
        }
        return match prove(seed, &options) {
            Ok(figures) => {
                println!("seed {seed} holds: {figures:?}");
                ExitCode::SUCCESS
            }
            Err(problem) => {
                println!("seed {seed} fails: {problem}");
                ExitCode::FAILURE
            }
        };
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let first = arguments.first.unwrap_or(now * 1_000_000);
    let threads = arguments
        .threads
        .or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let seeds = first..first + arguments.seeds;
    println!("seeds {} to {}", seeds.start, seeds.end - 1);
    let progress = |done: u64| {
        if done.is_multiple_of(500) {
            println!("{done} seeds in {} s", began.elapsed().as_secs());
        }
    };
    match prove_many(seeds.clone(), threads.unwrap_or(1), progress) {
        Ok(mut figures) => {
            figures.add("seconds", began.elapsed().as_secs());
            if let Some(path) = arguments.json {
                let mut all = figures.clone();
                all.add("first seed", seeds.start);
                let all = serde_json::json!(all.0);
                if let Err(error) = std::fs::write(&path, format!("{all}\n")) {
                    println!("{}: {error}", path.display());
                    return ExitCode::FAILURE;
                }
            }
            for (name, number) in &figures.0 {
                println!("{number:>12} {name}");
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!(
                "seed {} fails with {} happenings: {}",
                failure.seed, failure.size, failure.problem
            );
            println!(
                "replay: cargo run -p prove --profile prove -- --seed {} --size {} --trace",
                failure.seed, failure.size
            );
            ExitCode::FAILURE
        }
    }
}

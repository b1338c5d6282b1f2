//! Command line of the fault proof.
#![expect(clippy::print_stdout, reason = "a command line")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use prove::{Failure, Figures, Options, prove, prove_many};

/// Run the functions among faults and kills, and compare the result with a reference model
#[derive(Debug, Parser)]
struct Arguments {
    /// Number of seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// First seed [default: derived from the current time]
    #[arg(long)]
    first: Option<u64>,
    /// Run only this seed
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    seed: Option<u64>,
    /// Run only the first events of the seed's scenario
    #[arg(long, requires = "seed")]
    max_events: Option<usize>,
    /// Write every step to standard error
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Run without faults and kills
    #[arg(long, requires = "seed")]
    no_faults: bool,
    /// Number of threads [default: number of processors]
    #[arg(long)]
    threads: Option<usize>,
    /// Write the figures to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => run_one(seed, &arguments),
        None => run_many(&arguments),
    }
}

fn run_one(seed: u64, arguments: &Arguments) -> ExitCode {
    let options = Options {
        max_events: arguments.max_events,
        trace: arguments.trace,
        no_faults: arguments.no_faults,
    };
    if arguments.trace {
        if prove::received_mail::is_about_received_mail(seed) {
            eprintln!(
                "{:#?}",
                prove::received_mail::InboundScenario::new(seed, arguments.max_events)
            );
        } else {
            eprintln!("{:#?}", prove::scenario::Scenario::new(seed, arguments.max_events));
        }
    }
    match prove(seed, &options) {
        Ok(figures) => {
            println!("seed {seed} holds: {figures:?}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            println!("seed {seed} fails: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run_many(arguments: &Arguments) -> ExitCode {
    let began = Instant::now();
    let first = arguments.first.unwrap_or_else(seed_of_the_current_time);
    let threads = arguments
        .threads
        .or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let seeds = first..first + arguments.seeds;
    println!("seeds {} to {}", seeds.start, seeds.end - 1);
    let progress = |passed: u64| {
        if passed.is_multiple_of(500) {
            println!("{passed} seeds in {} s", began.elapsed().as_secs());
        }
    };
    match prove_many(seeds, threads.unwrap_or(1), progress) {
        Ok(mut figures) => {
            figures.add("seconds", began.elapsed().as_secs());
            report(&figures, first, arguments)
        }
        Err(failure) => {
            report_failure(&failure);
            ExitCode::FAILURE
        }
    }
}

fn seed_of_the_current_time() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() * 1_000_000
}

fn report(figures: &Figures, first: u64, arguments: &Arguments) -> ExitCode {
    if let Some(path) = &arguments.json {
        let mut all = figures.clone();
        all.add("first seed", first);
        let all = serde_json::json!(all.0);
        if let Err(error) = std::fs::write(path, format!("{all}\n")) {
            eprintln!("cannot write the figures to {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    for (name, number) in &figures.0 {
        println!("{number:>12} {name}");
    }
    ExitCode::SUCCESS
}

fn report_failure(failure: &Failure) {
    println!(
        "seed {} fails with {} events: {}",
        failure.seed, failure.max_events, failure.problem
    );
    println!(
        "replay: cargo run -p prove --profile prove -- --seed {} --max-events {} --trace",
        failure.seed, failure.max_events
    );
}

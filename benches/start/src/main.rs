//! Starts the functions as Lambda does. Measures the time from the start of the process to its first request for an event, and
//! to its first response.
//!
//! The subjects alternate, so that a temporary load of the machine affects all of them. Each run is a new process with a new
//! notification. Rows go to standard output, one JSON object per line (see `benches/README.md`), everything else to standard
//! error.

mod endpoint;
mod runtime_api;
mod subject;
mod summary;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use crate::endpoint::Endpoints;
use crate::runtime_api::{Measured, RuntimeApi};
use crate::subject::{Subject, subjects};

#[derive(Parser)]
struct Options {
    /// Number of runs per subject
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// Directory of the functions' binaries
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// Python with the packages of benches/python/requirements.txt [default: the Python subject is skipped]
    #[arg(long)]
    python: Option<PathBuf>,
    /// Measure only these subjects
    #[arg(long = "only")]
    only: Vec<String>,
}

/// The delay per connection to the slow table.
const CONNECT: Duration = Duration::from_millis(20);

/// The time that an idle function waits for its first event.
const IDLE: Duration = Duration::from_millis(150);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let endpoints = Endpoints::start(CONNECT).await?;
    let mut subjects = subjects(&options.binaries, options.python.as_deref())?;
    subjects.retain(|subject| options.only.is_empty() || options.only.iter().any(|name| name == subject.name));

    let mut measured: Vec<Vec<Run>> = subjects.iter().map(|_| Vec::new()).collect();
    for run in 0..=options.runs {
        for (subject, runs) in subjects.iter().zip(&mut measured) {
            let measured = measure(subject, run, &endpoints).with_context(|| subject.name.to_owned())?;
            // The first run fills the page cache and compiles Python's files.
            if run > 0 {
                runs.push(measured);
            }
        }
        eprint!("\r{run} of {} runs", options.runs);
    }
    eprintln!();
    summary::print(&subjects, &measured, options.runs)?;
    Ok(())
}

/// Two processes: the event of the first is available at once, that of the second when it is idle.
struct Run {
    immediate: Measured,
    after_idle: Measured,
}

fn measure(subject: &Subject, run: usize, endpoints: &Endpoints) -> anyhow::Result<Run> {
    let event = |half: usize| subject.event(2 * run + half);
    let slow = Some(endpoints.slow_table.as_str());
    Ok(Run {
        immediate: RuntimeApi::start()?.measure(subject, event(0), endpoints, None, Duration::ZERO)?,
        after_idle: RuntimeApi::start()?.measure(subject, event(1), endpoints, slow, IDLE)?,
    })
}

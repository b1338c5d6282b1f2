//! Starts functions as Lambda does and measures them: from the start of the process to its first request for work, and to
//! the answer to its first notification.
//!
//! The subjects take turns, so that a slow minute of the machine hits all of them. Every turn is a new process and a new
//! notification. Rows go to standard output, one JSON object a line (see `benches/README.md`), all else to standard error.

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
    /// Turns that each subject gets.
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// Where the functions were built.
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// Python with what benches/python/requirements.txt asks for; without it the Python subject is left out.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Measure only these subjects.
    #[arg(long = "only")]
    only: Vec<String>,
}

/// How long opening a connection to the table takes where that is simulated.
const CONNECT: Duration = Duration::from_millis(20);

/// How long a function waits for its first event where it is not there at once.
const IDLE: Duration = Duration::from_millis(150);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let endpoints = Endpoints::start(CONNECT).await?;
    let mut subjects = subjects(&options.binaries, options.python.as_deref())?;
    subjects.retain(|subject| options.only.is_empty() || options.only.iter().any(|name| name == subject.name));

    let mut measured: Vec<Vec<Turn>> = subjects.iter().map(|_| Vec::new()).collect();
    for run in 0..=options.runs {
        for (subject, turns) in subjects.iter().zip(&mut measured) {
            let turn = turn(subject, run, &endpoints).with_context(|| subject.name.to_owned())?;
            // The first one warms the page cache and Python's compiled files.
            if run > 0 {
                turns.push(turn);
            }
        }
        eprint!("\r{run} of {} turns", options.runs);
    }
    eprintln!();
    summary::print(&subjects, &measured, options.runs)?;
    Ok(())
}

/// One process with its event waiting, and one whose event comes when it has long been ready.
struct Turn {
    at_once: Measured,
    after_idle: Measured,
}

fn turn(subject: &Subject, run: usize, endpoints: &Endpoints) -> anyhow::Result<Turn> {
    let event = |half: usize| subject.event(2 * run + half);
    let slow = Some(endpoints.slow_table.as_str());
    Ok(Turn {
        at_once: RuntimeApi::start()?.measure(subject, event(0), endpoints, None, Duration::ZERO)?,
        after_idle: RuntimeApi::start()?.measure(subject, event(1), endpoints, slow, IDLE)?,
    })
}

//! The subjects that `rows.py` measures, each in a process: parsing and deciding, whole handlers, mail, and a table that
//! counts the capacity units of its requests.

mod classify;
mod handle;
mod mail;
mod store;

use std::path::PathBuf;

use clap::Parser;

#[derive(Parser)]
enum Bench {
    /// Parse an event and decide; print the nanoseconds per notification
    Classify(classify::Options),
    /// Handle batches with the feedback function; print the notifications per second
    Handle(handle::Options),
    /// Handle batches with the router; print the notifications per second
    Route(handle::RouteOptions),
    /// Print the Lambda events that `handle` uses, one per line
    Events(handle::Options),
    /// Parse or rewrite a mail; print the nanoseconds per mail
    Mail(mail::Options),
    /// Serve a table on a free port and print the endpoint; a GET request returns and resets the consumed capacity
    Serve(store::Options),
}

/// Path of a file with a Lambda event.
type EventFile = PathBuf;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Bench::parse() {
        Bench::Classify(options) => classify::run(&options),
        Bench::Handle(options) => runtime.block_on(handle::run(&options)),
        Bench::Route(options) => runtime.block_on(handle::route(&options)),
        Bench::Events(options) => handle::print_events(&options),
        Bench::Mail(options) => mail::run(&options),
        Bench::Serve(options) => runtime.block_on(store::serve(&options)),
    }
}

//! The pieces that `rows.py` measures, one a process: parsing and judging, the whole handler, and a table that counts what
//! its requests would cost on AWS.

mod classify;
mod handle;
mod mail;
mod store;

use std::path::PathBuf;

use clap::Parser;

#[derive(Parser)]
enum Bench {
    /// Parse and decide, over and over; prints nanoseconds per notification
    Judge(classify::Options),
    /// Handle batches on a table at an endpoint; prints notifications per second
    Handle(handle::Options),
    /// Route batches on a table in this process; prints notifications per second
    Route(handle::RouteOptions),
    /// Events for other handlers to do the same work, one a line
    Events(handle::Options),
    /// Read or rewrite a mail, over and over; prints nanoseconds per mail
    Mail(mail::Options),
    /// A table on a port of its own choice; prints the endpoint, and answers a GET with what its requests cost
    Serve(store::Options),
}

/// Where an event lies.
type EventFile = PathBuf;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Bench::parse() {
        Bench::Judge(options) => classify::run(&options),
        Bench::Handle(options) => runtime.block_on(handle::run(&options)),
        Bench::Route(options) => runtime.block_on(handle::route(&options)),
        Bench::Events(options) => handle::print_events(&options),
        Bench::Mail(options) => mail::run(&options),
        Bench::Serve(options) => runtime.block_on(store::serve(&options)),
    }
}

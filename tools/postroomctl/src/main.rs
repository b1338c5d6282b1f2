//! `postroomctl`, the command line of Postroom.
//!
//! Exit codes: 0 success or yes, 1 no (for example not suppressed), 2 invalid input, 3 a request to AWS failed.

mod apply;
mod arguments;
mod aws_error;
mod cli;
mod config;
#[cfg(feature = "console")]
mod console;
mod dead_letters;
mod delegate;
mod describe;
mod explain;
mod mail;
mod mailboxes;
mod output;
mod plan;
mod pull;
mod queue;
mod replay;
mod reputation;
mod routes;
mod sdk_config;
mod ses;
mod suppression;
mod table;
mod text;
mod unsubscribe_link;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::aws_error::AwsError;
use crate::cli::Cli;
use crate::text::{Text, escape_message};

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(output) => {
            print(&output.text);
            ExitCode::from(if output.is_yes { 0 } else { 1 })
        }
        Err(error) => {
            let message = escape_message(&format!("postroomctl: {error:#}"));
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::from(if error.is::<AwsError>() { 3 } else { 2 })
        }
    }
}

/// Ignores errors: a reader that stops early, such as `head`, is no failure.
fn print(text: &Text) {
    let _ = std::io::stdout().lock().write_all(text.as_str().as_bytes());
}

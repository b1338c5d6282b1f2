//! A function's log: JSON lines, and no way for a payload to reach them.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The environment variable `LOG_LEVEL` is none of the levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("environment variable LOG_LEVEL: expected ERROR, WARN, INFO or DEBUG")]
pub struct InvalidLogLevel;

/// Starts the function's log: for `main`, first and once. `level` is the value of `LOG_LEVEL`; unset means INFO.
///
/// Only `function` and our shared crates log at that level. Everything else logs at WARN at most, because the SDK's
/// debug lines hold requests, and those hold addresses. Panics log their place, never their message.
///
/// # Errors
/// When `level` is no level.
pub fn start_log(function: &str, level: Option<&str>) -> Result<(), InvalidLogLevel> {
    let level = match level.map(str::trim).filter(|text| !text.is_empty()) {
        None => LevelFilter::INFO,
        Some(text) => ["ERROR", "WARN", "INFO", "DEBUG"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(text))
            .and_then(|known| known.parse().ok())
            .ok_or(InvalidLogLevel)?,
    };
    let ours = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets([function, "intake", "store", "reputation"].map(|name| (name.replace('-', "_"), level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    tracing_subscriber::registry().with(lines).with(ours).init();
    crate::panics::log_panics_without_message();
    Ok(())
}

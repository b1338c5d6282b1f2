//! The log of a function: JSON lines on standard output, without payloads.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::InvalidSetting;

/// Crates of this workspace that log at the configured level, besides the function itself.
const SHARED_CRATES: [&str; 4] = ["intake", "lambda_kit", "reputation", "store"];

const LEVELS: [&str; 4] = ["ERROR", "WARN", "INFO", "DEBUG"];

/// Starts the log of the function `function` (its crate name). Call it once, first in `main`.
///
/// `level` is the value of the environment variable `LOG_LEVEL`: ERROR, WARN, INFO or DEBUG. Default: INFO.
///
/// The level applies to `function` and to the shared crates of this workspace. All other crates log at WARN at most,
/// because debug messages of the AWS SDK contain requests, and requests contain addresses. A panic is logged with its
/// location and without its message (see [`log_panics_without_message`]).
///
/// # Errors
/// If `level` is not one of the levels.
pub fn start_log(function: &str, level: Option<&str>) -> Result<(), InvalidSetting> {
    let level = match level.map(str::trim).filter(|text| !text.is_empty()) {
        None => LevelFilter::INFO,
        Some(text) => LEVELS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(text))
            .and_then(|known| known.parse().ok())
            .ok_or_else(|| InvalidSetting::new("LOG_LEVEL", "ERROR, WARN, INFO or DEBUG"))?,
    };
    let function = function.replace('-', "_");
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(SHARED_CRATES.map(|name| (name, level)))
        .with_target(function, level);
    let json_lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    tracing_subscriber::registry().with(json_lines).with(targets).init();
    log_panics_without_message();
    Ok(())
}

/// Installs a panic hook that logs the location of a panic and not its message.
///
/// The default hook prints the message to standard error, which is part of the function's log. The message of a panic
/// often quotes the value that caused it, which here is a notification.
pub fn log_panics_without_message() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic
            .location()
            .map(|location| (location.file(), location.line()))
            .unzip();
        tracing::error!(file, line, "panicked");
    }));
}

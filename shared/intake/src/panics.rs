//! The other way for a payload to reach the log.

/// Makes every panic of the process log its place, and never its message.
///
/// Rust's own panic hook prints the message to standard error, which is the function's log, before the panic can be
/// caught; and the message of a panic over a payload likes to quote it. For `main`, once, after the subscriber.
pub fn log_panics_without_message() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map(|place| (place.file(), place.line())).unzip();
        tracing::error!(file, line, "panicked");
    }));
}

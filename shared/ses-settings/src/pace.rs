//! The pace of calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The pause between two calls to SES. SES allows
/// [one call a second](https://docs.aws.amazon.com/ses/latest/dg/quotas.html) of nearly every operation; the margin is for
/// the clock and for other callers.
pub const DEFAULT_PAUSE: Duration = Duration::from_millis(1100);

/// Starts calls one after the other with a minimum pause, and counts them.
#[derive(Debug)]
pub struct Pace {
    pause: Duration,
    next: Mutex<Option<Instant>>,
    calls: AtomicUsize,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(DEFAULT_PAUSE)
    }
}

impl Pace {
    /// A pace with a pause between the starts of two calls.
    #[must_use]
    pub fn new(pause: Duration) -> Self {
        Self {
            pause,
            next: Mutex::new(None),
            calls: AtomicUsize::new(0),
        }
    }

    /// The pause between the starts of two calls.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// How many calls were started.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits until the next call may start.
    pub(crate) async fn wait(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.pause);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Delays the next call.
    pub(crate) async fn hold(&self, time: Duration) {
        let mut next = self.next.lock().await;
        *next = Some(Instant::now() + time.max(self.pause));
    }
}

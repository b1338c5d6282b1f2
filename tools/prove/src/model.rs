//! The reference model: the state that a scenario must result in, written from `docs/feedback.md`, `docs/routing.md` and
//! `docs/before-you-send.md`. It shares no code with the functions. It processes all events at once and in order, so it
//! needs no conditional writes and no retries.

mod blocking;
mod expected;
mod feedback;
mod reputation;
mod routing;
mod state;
mod streak;

pub use blocking::{BlockingEntry, blocking_entries};
pub use expected::expect;
pub use reputation::{
    AlertKey, ENFORCE_PERCENT, ExpectedAlert, MIN_RECIPIENTS, ReputationModel, WARN_PERCENT, bucket_start, figures_at,
};
pub use state::{CountedEvent, Entries, EntryState, Expected, RecipientScope};

//! The reference model: the state that a scenario must result in, written from `docs/feedback.md`, `docs/routing.md` and
//! `docs/before-you-send.md`. It shares no code with the functions. It processes all events at once and in order, so it
//! needs no conditional writes and no retries.

mod blocking;
mod expected;
mod feedback;
mod routing;
mod state;
mod streak;

pub use blocking::{BlockingEntry, blocking_entries};
pub use expected::expect;
pub use state::{Entries, EntryState, Expected, RecipientScope};

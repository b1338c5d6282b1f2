//! Statistics of senders: events that count once, and the rates computed from them.

mod bucket;
mod counts;
mod events;
mod rates;
mod sender;
mod unique_events;

pub use counts::{EventCounts, EventKind};
pub use events::{SenderBatch, SenderEvent};
pub use rates::SenderRates;
pub use sender::{InvalidSender, Sender, SendingStream};

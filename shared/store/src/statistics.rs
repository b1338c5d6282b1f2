//! Statistics of senders: events that count once, and the rates they give.

mod bucket;
mod count;
mod counts;
mod rates;
mod sender;
mod unique;

pub use count::{SenderBatch, SenderEvent};
pub use counts::{EventCounts, EventKind};
pub use rates::SenderRates;
pub use sender::{InvalidSender, Sender, SendingStream};

//! Comparisons of the table and the targets with the reference model.

mod acknowledged;
mod alerts;
mod compare;
mod complete;
mod counts;
mod digests;
mod received;
mod store_reader;
mod stored;

pub use acknowledged::check_acknowledged;
pub use alerts::{check_alerts, check_alerts_are_true};
pub use complete::check_complete;
pub use digests::check_digests;
pub use store_reader::check_store_reader;

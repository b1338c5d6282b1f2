//! Fault proof: runs the functions' real handlers among faults and kills, and compares the result with a reference model.
//!
//! A seed determines a [`scenario`]: events of several accounts are published, duplicated and shuffled. The real
//! [`feedback::handle`], [`delegate_router::handle`] and [`reputation_monitor::handle`] handle them through the real SDK
//! clients. Some seeds are about mail that SES receives instead (see [`received_mail`]). [`aws`] throttles, loses
//! and delays requests, and [`simulation`] kills processes between any two awaits. Afterwards every message must be
//! acknowledged or in a dead-letter queue, and the table and the targets must be exactly as [`model`] expects.
//!
//! `make prove` runs many seeds. A seed that fails is printed with the command that replays it. See `docs/proof.md`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic fails the seed, and only the seed"
)]

pub mod aws;
pub mod check;
mod figures;
pub mod journal;
pub mod model;
pub mod received_mail;
pub mod scenario;
mod seeds;
pub mod simulation;

pub use figures::Figures;
pub use seeds::{Failure, prove, prove_many};
pub use simulation::Options;

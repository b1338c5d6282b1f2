//! A row of the phrase tables.

use super::super::rank::Rank;
use super::super::reason::{BounceReason, Fault};

/// Phrases with the same meaning.
pub(crate) type Group = (Rank, Fault, BounceReason, &'static [&'static str]);

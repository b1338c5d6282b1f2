//! Recognises a claim that the SDK repeated.
//!
//! When the response to a conditional write is lost, the SDK sends the write again. If the first attempt took effect, the
//! condition of the second one is false, and the row has the token of this call.

use std::hash::{BuildHasher, Hasher, RandomState};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{Item, s, text};

/// Identifies one call that claims a row. Two calls of one invocation, at the same time and for the same row, have different
/// tokens: only one of them may succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimToken(String);

impl ClaimToken {
    /// The attribute of the claimed row.
    pub(crate) const ATTRIBUTE: &'static str = "claimToken";

    /// A token that no other call has.
    pub(crate) fn unique() -> Self {
        // The keys of a `RandomState` come from the operating system, and no two instances have the same.
        Self(format!("{:016x}", RandomState::new().build_hasher().finish()))
    }

    /// The value for the row.
    pub(crate) fn value(&self) -> AttributeValue {
        s(&self.0)
    }

    /// Whether the claim of a row was written by this call.
    pub(crate) fn is_in(&self, row: &Item) -> bool {
        text(row, Self::ATTRIBUTE) == Some(self.0.as_str())
    }
}

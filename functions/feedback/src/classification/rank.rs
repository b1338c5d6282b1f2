//! Which of several findings about one reply wins. The order is data: it never depends on the order of a table.

use super::reason::{BounceReason, Fault};

/// How much a finding says, from least to most. A finding of a higher rank always wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A refusal in words that fit every cause: `not allowed`, `mailbox unavailable`.
    Vague,
    /// A code that fits many causes: 5.7.0, 5.7.1, or a reply code.
    GenericCode,
    /// A refusal of the recipient without a cause: `recipient address rejected`.
    Refusal,
    /// A status code with a meaning of its own, such as 5.1.1.
    Code,
    /// The topic is mentioned: `spam`, `policy`, `try again later`.
    Mention,
    /// The condition is named: `user unknown`, `mailbox full`, `your host is banned`.
    Named,
    /// The mechanism that decided is named: a block list, an SPF result, greylisting.
    Mechanism,
    /// A provider's own code, or a sentence with a single meaning.
    Exact,
    /// Amazon SES speaks about its own suppression lists.
    Ses,
}

/// How much a finding outweighs another one of the same rank. The safe reading wins: a recipient is condemned only by
/// words that nothing else contradicts.
pub(super) const fn caution(fault: Fault) -> u8 {
    match fault {
        Fault::Address => 0,
        Fault::Unclear => 1,
        Fault::Passing => 2,
        Fault::Sender => 3,
    }
}

/// What the words, or a code, say about a bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) rank: Rank,
    pub(super) fault: Fault,
    pub(super) reason: BounceReason,
}

impl Meaning {
    pub(super) const fn new(rank: Rank, fault: Fault, reason: BounceReason) -> Self {
        Self { rank, fault, reason }
    }

    /// Orders findings. Between two of the same rank and fault the longer wording is the more specific one.
    pub(super) const fn weight(&self, length: usize) -> (Rank, u8, usize) {
        (self.rank, caution(self.fault), length)
    }
}

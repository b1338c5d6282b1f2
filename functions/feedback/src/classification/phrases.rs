//! Phrases with a meaning of their own, one table for each kind of meaning.
//!
//! To add a phrase, spell it as [`ReplyText`](super::reply_text::ReplyText) does: lower case, without accents, codes and
//! bare numbers, with `@` for an address and `#` for an IP address. A phrase that starts with a letter matches only at
//! the start of a word. Prefer a noun or a predicate in [`vocabulary`](super::vocabulary) to another phrase: it covers
//! every combination.

use group::Group;

pub(super) mod auto_reply;
pub(super) mod dead;
mod group;
pub(super) mod passing;
pub(super) mod provider;
pub(super) mod reputation;
pub(super) mod sender;
pub(super) mod ses;
pub(super) mod unclear;

/// Every table whose phrases classify a bounce.
pub(super) const TABLES: &[&[Group]] = &[
    ses::PHRASES,
    provider::PHRASES,
    dead::PHRASES,
    passing::PHRASES,
    reputation::PHRASES,
    sender::PHRASES,
    unclear::PHRASES,
];

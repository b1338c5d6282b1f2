//! Unsubscribe tokens: signed texts that name an address and the mail it does not want.
//!
//! A token is in the `List-Unsubscribe` header of a mail, and comes back in the mail or the request that unsubscribes. So no
//! list of sent mail is needed, and no person can unsubscribe another. A token can only stop mail, and an operator can
//! release the address.
//!
//! # Format
//!
//! `examples/unsubscribe_link.py` signs tokens in Python; `tests/data/unsubscribe-tokens.json` has test vectors.
//!
//! ```text
//! token   = "1" base32(payload mac)             without times; RFC 4648 base32 in lower case, without padding
//!         / "9" base32(times payload mac)       with times
//! payload = scope NUL address [NUL list [NUL topic]]      UTF-8, NUL is one zero byte
//! scope   = "g"  for global, "t" tenant name, or "d" domain
//! times   = issued NUL [end] NUL                seconds since the epoch
//! mac     = the first 10 bytes of HMAC-SHA256(key, "postroom-unsubscribe:" version ":" signed)
//! signed  = what is before the mac; version is "1" or "9"
//! key     = the text of the secret, without white space around it; at least 32 bytes
//! ```
//!
//! The encoding is base32, because mail servers may change the case of a local part. The version is a digit that base32 does
//! not have, so that the beginning of a token is found in a subject. The MAC has 80 bits, because each guess takes a mail or
//! a request, and a token should fit into a local part.
//!
//! # Times
//!
//! A token without times is valid for ever, because mail is read years later. A token with an end is refused after it. A token
//! with the time of its issue unsubscribes as of that time: a subscription or release after it wins, in any order of events.
//! So an old mail, or a program that follows its link, does not end a newer subscription.
//!
//! # Keys
//!
//! A key without a tenant signs tokens of every scope. A key of a tenant (`tenant:NAME KEY`) signs only tokens of its tenant.

mod format;
mod key_cache;
mod keys;
mod unsubscribe_mail;
mod unsubscription;

pub use format::{Token, TokenError, UnsubscribeFrom};
pub use key_cache::{KeyCache, KeyError};
pub use keys::{InvalidKeys, Keys};
pub use unsubscribe_mail::{find, mailto};
pub use unsubscription::{Unsubscription, record};

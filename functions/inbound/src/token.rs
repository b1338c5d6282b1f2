//! Unsubscribe tokens: signed texts that name an address and the mail it does not want.
//!
//! A token is in the `List-Unsubscribe` header of a mail, and comes back in the mail that unsubscribes. So no list of sent mail
//! is needed, and no person can unsubscribe another. A token does not expire, because mail is read years later. It can only
//! stop mail, and an operator can release the address.
//!
//! # Format
//!
//! `examples/unsubscribe_link.py` signs tokens in Python; `tests/data/unsubscribe-tokens.json` has test vectors.
//!
//! ```text
//! token   = "1" base32(payload mac)      RFC 4648 base32 in lower case, without padding
//! payload = scope NUL address [NUL list [NUL topic]]      UTF-8, NUL is one zero byte
//! scope   = "g"  for global, "t" tenant name, or "d" domain
//! mac     = the first 10 bytes of HMAC-SHA256(key, "postroom-unsubscribe:1:" payload)
//! key     = the text of the secret, without white space around it; at least 32 bytes
//! ```
//!
//! The encoding is base32, because mail servers may change the case of a local part. The version is a digit that base32 does
//! not have, so that the beginning of a token is found in a subject. The MAC has 80 bits, because each guess takes a mail, and
//! a token should fit into a local part.

mod format;
mod keys;
mod unsubscribe_mail;

pub use format::{Token, TokenError, UnsubscribeFrom};
pub use keys::{InvalidKeys, Keys};
pub use unsubscribe_mail::{find, mailto};

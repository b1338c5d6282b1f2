//! Routes, the accounts they are for, and digests.

mod account;
mod digest;
mod route;

pub use account::RegisteredIdentity;
pub use digest::DigestKey;
pub use route::{InvalidSenderMatch, InvalidTarget, Redaction, Route, RouteFilter, RouteKey, SenderMatch, Target};

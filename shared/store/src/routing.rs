//! Routes, registered identities and digests.

mod account;
mod digest;
mod route;
mod sender_match;
mod target;

pub use account::RegisteredIdentity;
pub use digest::{DigestClaim, DigestKey};
pub use route::{Redaction, Route, RouteFilter};
pub use sender_match::{InvalidSenderMatch, RouteKey, SenderMatch};
pub use target::{InvalidTarget, Target};

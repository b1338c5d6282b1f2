//! The local web console: pages about one stack, with the operator's own AWS credentials.
//!
//! It listens on a loopback port only. Every request passes the guard: an exact `Host`, `Sec-Fetch-Site`, and the headers of the
//! response. Every page needs a session, which a one-time token from the terminal starts. Every form has the token of its
//! session, and a change needs a console that may write.

mod access;
mod admission;
mod assets;
mod console;
mod explain;
mod form;
mod guard;
mod inbound;
mod page;
mod parameters;
mod recipient;
mod recipient_changes;
mod router;
mod secret;
mod senders;
mod serve;
mod sign_in;
mod sign_in_page;
mod suppressions;
mod time;

pub use access::IDLE_LIMIT;
pub use console::{Console, Settings};
pub use router::router;
pub use serve::{DEFAULT_PORT, bind, serve};

//! `postroom.toml`: reads the file, checks all of it, and converts it into the rows of the table.
//!
//! [`wire`] mirrors the file for serde, which reports syntax errors, unknown keys and wrong types. The checks of each
//! section then report every remaining problem with its line and key path.

mod accounts;
mod mailbox_actions;
mod mailbox_loops;
mod mailboxes;
mod positions;
mod read;
mod report;
mod routes;
mod schema;
mod sender_match;
mod ses;
pub(crate) mod ses_wire;
mod suggestion;
mod targets;
mod thresholds;
mod wire;
mod written;

#[cfg(test)]
pub(crate) use self::read::read_text;
pub(crate) use self::read::{Config, read};
pub(crate) use self::schema::schema;
pub(crate) use self::ses::{NONE, OWN_TOPIC};
pub(crate) use self::written::sections_text;

//! Takes the decided actions. Only this module and its children await AWS.
//!
//! Actions are independent: a failed action does not prevent another. An action that cannot be undone (a sent mail, a
//! notification) is claimed in the store before and marked as done after, so that it takes place once even if several
//! invocations process the same mail. Writing a row again does not change it.

mod apply;
mod auto_reply;
mod bounce;
mod bounce_pacer;
mod caps;
mod claimed;
mod clients;
mod context;
mod error;
mod forward;
mod hand_over;
mod mail_source;
mod notify;
mod outcome;
mod owner_notice;
mod parsed_mail;
mod publish_report;
mod read;
mod record_sent;
mod send_again;
mod send_email;
mod sender_limits;
mod services;
mod unsubscribe;

pub use clients::Clients;
pub use error::{ActionError, ErrorClass, UnfinishedActions};
pub use mail_source::{MailSource, MailSourceError};
pub use outcome::{LogEntry, Outcome, OutcomeLog};
pub use send_again::SendAgain;
pub use services::Effects;

//! The value of the loop header field for a mailbox.

use std::collections::BTreeSet;

use notification_model::EmailAddress;
use store::MailboxKey;

/// The names of a mailbox in the loop header field. The catch-all mailbox `*` exists in every Postroom stack, so the domains
/// of the recipients replace it.
pub(crate) fn loop_header_names(mailbox: &MailboxKey, recipients: &[EmailAddress]) -> Vec<String> {
    let domains: BTreeSet<&str> = recipients.iter().filter_map(EmailAddress::domain).collect();
    match mailbox {
        MailboxKey::CatchAll if !domains.is_empty() => domains.into_iter().map(str::to_owned).collect(),
        key => vec![key.to_string()],
    }
}

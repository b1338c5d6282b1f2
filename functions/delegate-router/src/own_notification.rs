//! Recognises notifications about the mails that the router sends itself.

use notification_model::{AccountId, EmailAddress, Mail};

/// The name and value of the message tag of our mails.
pub const OWN_TAG: (&str, &str) = ("postroom", "digest");
/// The header of our mails. Its value is that of [`OWN_TAG`].
pub const OWN_HEADER: &str = "X-Postroom-Notice";

/// The account and address from which the router sends mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The AWS account of the function.
    pub account: Option<AccountId>,
    /// The sender of digests.
    pub digest_from: Option<EmailAddress>,
}

impl OwnIdentity {
    /// Returns whether a message is one of our mails: sent from our account, with our tag, our header or our sender address.
    ///
    /// The account is required because SES reports it. A tag or header alone could be set by any sender, to keep its bounces
    /// out of digests.
    #[must_use]
    pub fn sent(&self, mail: &Mail) -> bool {
        if self.account.is_none() || mail.sending_account_id != self.account {
            return false;
        }
        let (tag, value) = OWN_TAG;
        // SES reports tags only with a configuration set and headers only when that is enabled, so the sender address has to
        // suffice.
        let source = mail.source_address();
        let from = self.digest_from.as_ref().map(EmailAddress::key);
        mail.tag(tag) == Some(value)
            || mail.header(OWN_HEADER).is_some()
            || (from.is_some() && source.as_ref().map(EmailAddress::key) == from)
    }
}

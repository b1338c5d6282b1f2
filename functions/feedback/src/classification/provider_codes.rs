//! Enhanced status codes to which a large provider gives a meaning of its own. They are read before the standard's
//! meaning, which misleads here. Every row names the provider's documentation.

use notification_model::StatusCode;

use super::rank::{Meaning, Rank};
use super::reason::BounceReason::{self, *};
use super::reason::Fault::{self, *};

/// One or several adjacent codes of one provider.
struct Row {
    subject: u16,
    first: u16,
    last: u16,
    /// Words, in lower case, that the reply must contain; empty for a code that no other provider uses differently.
    with: &'static str,
    fault: Fault,
    reason: BounceReason,
    meaning: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "documents the row; a test requires it"))]
    source: &'static str,
}

/// Returns the meaning that a provider gives a status code, and its description. `words` is the text of the reply.
pub(super) fn meaning(status: StatusCode, words: &str) -> Option<(Meaning, &'static str)> {
    let row = ROWS.iter().find(|row| {
        row.subject == status.subject && (row.first..=row.last).contains(&status.detail) && words.contains(row.with)
    })?;
    let rank = if row.with.is_empty() { Rank::Code } else { Rank::Named };
    Some((Meaning::new(rank, row.fault, row.reason), row.meaning))
}

const GMAIL: &str = "https://knowledge.workspace.google.com/admin/support/troubleshooting/gmail-smtp-errors-and-codes";
const MICROSOFT: &str =
    "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online";
const YAHOO: &str = "https://senders.yahooinc.com/smtp-error-codes/";
const OUTLOOK: &str = "https://sendersupport.olc.protection.outlook.com/pm/policies.aspx";
const CISCO: &str =
    "https://www.cisco.com/c/en/us/support/security/email-security-appliance/products-user-guide-list.html";

const fn row(
    (subject, first, last): (u16, u16, u16),
    fault: Fault,
    reason: BounceReason,
    meaning: &'static str,
    source: &'static str,
) -> Row {
    Row {
        subject,
        first,
        last,
        with: "",
        fault,
        reason,
        meaning,
        source,
    }
}

impl Row {
    const fn with(self, with: &'static str) -> Self {
        Self { with, ..self }
    }
}

const ROWS: &[Row] = &[
    row((7, 26, 26), Sender, AuthFailure, "SPF and DKIM did not pass", GMAIL),
    row((7, 27, 27), Sender, AuthFailure, "SPF did not pass", GMAIL),
    row((7, 28, 28), Sender, RateLimited, "unusual rate of mail", GMAIL),
    row(
        (7, 29, 29),
        Sender,
        FailedStartTls,
        "the message was not sent over TLS",
        GMAIL,
    ),
    row((7, 30, 30), Sender, AuthFailure, "DKIM did not pass", GMAIL),
    row(
        (7, 31, 32),
        Sender,
        AuthFailure,
        "SPF or DKIM is not aligned with the From domain",
        GMAIL,
    ),
    row(
        (7, 40, 40),
        Sender,
        AuthFailure,
        "the From domain has no DMARC record",
        GMAIL,
    ),
    row(
        (7, 25, 25),
        Sender,
        RequirePtr,
        "the sending IP address has no PTR record",
        GMAIL,
    ),
    row((1, 0, 0), Address, UserUnknown, "the recipient was not accepted", CISCO).with("address rejected"),
    row(
        (2, 121, 122),
        Passing,
        ReceivingTooFast,
        "the recipient's receiving limit is exceeded",
        MICROSOFT,
    ),
    row(
        (1, 11, 11),
        Unclear,
        SystemError,
        "loop in the recipient's address",
        MICROSOFT,
    ),
    row(
        (1, 20, 20),
        Sender,
        NotCompliantRfc,
        "more than one From address without Sender",
        MICROSOFT,
    ),
    row(
        (1, 351, 351),
        Address,
        UserUnknown,
        "the remote server does not know the recipient",
        MICROSOFT,
    ),
    row(
        (1, 90, 90),
        Sender,
        RateLimited,
        "the sender's daily limit is reached",
        MICROSOFT,
    ),
    row(
        (2, 3, 3),
        Sender,
        ExceedLimit,
        "the message is larger than the recipient accepts",
        MICROSOFT,
    ),
    row(
        (3, 190, 190),
        Passing,
        SystemError,
        "the recipient's server is busy",
        MICROSOFT,
    ),
    row(
        (4, 1, 1),
        Address,
        UserUnknown,
        "the recipient is not in the organisation's directory",
        MICROSOFT,
    )
    .with("address rejected: access denied"),
    row(
        (4, 1, 1),
        Address,
        UserUnknown,
        "the recipient is not in the organisation's directory",
        MICROSOFT,
    )
    .with("addresses rejected : access denied"),
    row((4, 14, 14), Unclear, NetworkError, "mail loop", MICROSOFT),
    row((4, 300, 300), Passing, Expired, "the message expired", MICROSOFT),
    row(
        (4, 310, 310),
        Address,
        HostUnknown,
        "the domain does not exist",
        MICROSOFT,
    ),
    row(
        (4, 311, 317),
        Passing,
        NetworkError,
        "the recipient's mail server cannot be reached",
        MICROSOFT,
    ),
    row(
        (6, 11, 11),
        Sender,
        NotCompliantRfc,
        "the message contains a bare line feed",
        MICROSOFT,
    ),
    row((7, 64, 64), Sender, NoRelaying, "relay access denied", MICROSOFT),
    row(
        (7, 57, 57),
        Sender,
        SecurityError,
        "the client is not authenticated",
        MICROSOFT,
    ),
    row(
        (7, 124, 124),
        Sender,
        Filtered,
        "the sender is not on the recipient's list of allowed senders",
        MICROSOFT,
    ),
    row(
        (7, 133, 136),
        Sender,
        Filtered,
        "the recipient accepts only authenticated senders",
        MICROSOFT,
    ),
    row(
        (7, 193, 193),
        Sender,
        Filtered,
        "the recipient accepts no external senders",
        MICROSOFT,
    ),
    row(
        (7, 320, 325),
        Sender,
        SecurityError,
        "certificate, DANE or MTA-STS validation failed",
        MICROSOFT,
    ),
    row(
        (7, 350, 350),
        Sender,
        SpamDetected,
        "the remote server classified the message as spam",
        MICROSOFT,
    ),
    row((7, 501, 503), Sender, SpamDetected, "spam abuse detected", MICROSOFT),
    row(
        (7, 504, 505),
        Sender,
        PolicyViolation,
        "the recipient address or message is restricted",
        MICROSOFT,
    ),
    row(
        (7, 506, 508),
        Sender,
        Blocked,
        "the sending server is blocked",
        MICROSOFT,
    ),
    row((7, 509, 509), Sender, AuthFailure, "DMARC did not pass", MICROSOFT),
    row(
        (7, 510, 511),
        Sender,
        Blocked,
        "the sending server is blocked",
        MICROSOFT,
    ),
    row(
        (7, 512, 512),
        Sender,
        NotCompliantRfc,
        "the message does not conform to RFC 5322",
        MICROSOFT,
    ),
    row(
        (7, 513, 513),
        Sender,
        Blocked,
        "block list of the recipient's organisation",
        MICROSOFT,
    ),
    row(
        (7, 515, 515),
        Sender,
        AuthFailure,
        "the required authentication level is not met",
        OUTLOOK,
    ),
    row(
        (7, 516, 599),
        Sender,
        PolicyViolation,
        "policy of the recipient's organisation",
        MICROSOFT,
    ),
    row(
        (7, 606, 649),
        Sender,
        Blocked,
        "the sending IP address is banned",
        MICROSOFT,
    ),
    row(
        (7, 650, 699),
        Sender,
        RateLimited,
        "the sending IP address is rate limited",
        MICROSOFT,
    ),
    row(
        (7, 700, 749),
        Sender,
        RateLimited,
        "the sending tenant is over its limit or suspected of spam",
        MICROSOFT,
    ),
    row(
        (7, 750, 750),
        Sender,
        Rejected,
        "the sending domain is not registered",
        MICROSOFT,
    ),
    row((7, 9, 9), Sender, PolicyViolation, "policy", YAHOO).with("policy"),
    row(
        (7, 9, 9),
        Sender,
        AuthFailure,
        "the message is not authenticated",
        YAHOO,
    )
    .with("unauthenticated"),
];

#[cfg(test)]
mod tests {
    use super::{Fault, ROWS, meaning};
    use notification_model::StatusCode;

    #[test]
    fn every_row_names_its_source() {
        for row in ROWS {
            assert!(row.source.starts_with("https://"), "5.{}.{}", row.subject, row.first);
            assert!(row.first <= row.last, "5.{}.{}", row.subject, row.first);
            assert_eq!(row.with, row.with.to_lowercase());
        }
    }

    #[test]
    fn a_code_may_need_words() {
        let status = StatusCode::new(5, 4, 1);
        let said = meaning(status, "[@]: recipient address rejected: access denied");
        assert_eq!(said.map(|(meaning, _)| meaning.fault), Some(Fault::Address));
        assert_eq!(meaning(status, ""), None);
    }
}

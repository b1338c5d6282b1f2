//! The standard meaning of codes: enhanced status codes of [RFC 3463](https://www.rfc-editor.org/rfc/rfc3463) and
//! [IANA's registry](https://www.iana.org/assignments/smtp-enhanced-status-codes), and reply codes of
//! [RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3).

use notification_model::StatusCode;

use super::rank::{Meaning, Rank};
use super::reason::BounceReason::{self, *};
use super::reason::Fault::{self, *};

/// What a status code says, and its name in the standard.
pub(super) fn status(status: StatusCode) -> Option<(Meaning, &'static str)> {
    STATUSES
        .iter()
        .find(|(subject, first, last, ..)| *subject == status.subject && (*first..=*last).contains(&status.detail))
        .map(|(subject, _, last, fault, reason, name)| {
            // 5.7.0 and 5.7.1 serve for everything, and a whole subject says no more than that.
            let is_generic = status.detail == 0 || *last == ANY || (*subject, status.detail) == (7, 1);
            // 5.1.7 and 5.1.8 are about the sender's address, which the words often do not say.
            let rank = match (*subject, status.detail) {
                _ if is_generic && *fault == Unclear => Rank::Vague,
                _ if is_generic || *fault == Unclear => Rank::GenericCode,
                (1, 7 | 8) => Rank::Mechanism,
                _ => Rank::Code,
            };
            (Meaning::new(rank, *fault, *reason), *name)
        })
}

/// What a reply code says, and its name in the standard.
pub(super) fn reply(code: u16) -> Option<(Meaning, &'static str)> {
    REPLIES
        .iter()
        .find(|(reply, ..)| *reply == code)
        .map(|(_, rank, fault, reason, name)| (Meaning::new(*rank, *fault, *reason), *name))
}

/// The last detail of a row that covers a whole subject.
const ANY: u16 = 999;

/// Subject, first and last detail, fault, reason, name. The first match counts. A status without detail, a network
/// status (5.4.x) or a protocol status (5.5.x) is never evidence that an address is dead.
const STATUSES: &[(u16, u16, u16, Fault, BounceReason, &str)] = &[
    (0, 0, ANY, Unclear, Undefined, "other or undefined status"),
    // 1.0 does not say whose address it is about, the recipient's or the sender's.
    (1, 0, 0, Unclear, Undefined, "other address status"),
    (1, 1, 1, Address, UserUnknown, "bad destination mailbox address"),
    (1, 2, 2, Address, HostUnknown, "bad destination system address"),
    (1, 3, 3, Address, UserUnknown, "bad destination mailbox address syntax"),
    (1, 4, 4, Unclear, SystemError, "destination mailbox address ambiguous"),
    (1, 6, 6, Address, HasMoved, "destination mailbox has moved"),
    (1, 7, 7, Sender, Rejected, "bad sender's mailbox address syntax"),
    (1, 8, 8, Sender, Rejected, "bad sender's system address"),
    (1, 9, 9, Unclear, SystemError, "message relayed to non-compliant mailer"),
    (1, 10, 10, Address, NotAccept, "recipient address has null MX"),
    (1, 0, ANY, Unclear, Undefined, "address status"),
    (2, 1, 1, Address, Suspended, "mailbox disabled"),
    (2, 2, 2, Passing, MailboxFull, "mailbox full"),
    (
        2,
        3,
        3,
        Sender,
        ExceedLimit,
        "message length exceeds administrative limit",
    ),
    (2, 4, 4, Unclear, SystemError, "mailing list expansion problem"),
    (2, 0, ANY, Unclear, Undefined, "other mailbox status"),
    (3, 1, 1, Passing, SystemFull, "mail system full"),
    (3, 2, 2, Passing, SystemError, "system not accepting network messages"),
    (3, 3, 3, Unclear, SystemError, "system not capable of selected features"),
    (3, 4, 4, Sender, EmailTooLarge, "message too big for system"),
    (3, 5, 5, Unclear, SystemError, "system incorrectly configured"),
    (3, 0, ANY, Unclear, SystemError, "other mail system status"),
    (4, 1, 1, Unclear, NetworkError, "no answer from host"),
    (4, 2, 2, Unclear, NetworkError, "bad connection"),
    (4, 3, 3, Unclear, NetworkError, "directory server failure"),
    (4, 4, 4, Unclear, HostUnknown, "unable to route"),
    (4, 5, 5, Passing, NetworkError, "mail system congestion"),
    (4, 6, 6, Unclear, NetworkError, "routing loop detected"),
    (4, 7, 7, Passing, Expired, "delivery time expired"),
    (4, 0, ANY, Unclear, NetworkError, "other network or routing status"),
    (5, 1, 1, Unclear, SyntaxError, "invalid command"),
    (5, 2, 2, Unclear, SyntaxError, "syntax error"),
    (5, 3, 3, Sender, ExceedLimit, "too many recipients"),
    (5, 4, 4, Unclear, SyntaxError, "invalid command arguments"),
    (5, 5, 5, Unclear, SyntaxError, "wrong protocol version"),
    (
        5,
        6,
        6,
        Unclear,
        SecurityError,
        "authentication exchange line is too long",
    ),
    (5, 0, ANY, Unclear, SyntaxError, "other protocol status"),
    (6, 7, 7, Sender, NotCompliantRfc, "non-ASCII addresses not permitted"),
    (6, 0, ANY, Sender, ContentError, "content or media"),
    (7, 0, 0, Sender, PolicyViolation, "other or undefined security status"),
    (7, 1, 1, Sender, PolicyViolation, "delivery not authorized"),
    (7, 2, 2, Sender, PolicyViolation, "mailing list expansion prohibited"),
    (7, 3, 6, Sender, SecurityError, "encryption or conversion"),
    (7, 7, 7, Sender, AuthFailure, "message integrity failure"),
    (7, 8, 8, Sender, SecurityError, "authentication credentials invalid"),
    (7, 9, 9, Sender, SecurityError, "authentication mechanism is too weak"),
    (7, 10, 11, Sender, FailedStartTls, "encryption needed"),
    (7, 12, 12, Sender, SecurityError, "password transition needed"),
    (7, 13, 13, Address, Suspended, "user account disabled"),
    (7, 14, 14, Sender, SecurityError, "trust relationship required"),
    (7, 15, 16, Sender, PolicyViolation, "priority"),
    // https://www.rfc-editor.org/rfc/rfc7293: the recipient that the sender knew is gone.
    (7, 17, 17, Address, HasMoved, "mailbox owner has changed"),
    (7, 18, 18, Address, HasMoved, "domain owner has changed"),
    (7, 19, 19, Unclear, SystemError, "RRVS test cannot be completed"),
    (7, 20, 22, Sender, AuthFailure, "DKIM did not pass"),
    (7, 23, 24, Sender, AuthFailure, "SPF did not pass"),
    (7, 25, 25, Sender, RequirePtr, "reverse DNS validation failed"),
    (7, 26, 26, Sender, AuthFailure, "authentication checks failed"),
    (7, 27, 27, Sender, Rejected, "sender address has null MX"),
    (7, 28, 28, Sender, RateLimited, "mail flood detected"),
    (7, 29, 29, Sender, AuthFailure, "ARC validation failure"),
    (7, 30, 30, Sender, FailedStartTls, "REQUIRETLS support required"),
    (7, 0, ANY, Sender, PolicyViolation, "security or policy"),
];

/// Only replies with one meaning say more than their class: 550, 553 and 554 serve for everything.
const REPLIES: &[(u16, Rank, Fault, BounceReason, &str)] = &[
    (421, Rank::GenericCode, Passing, SystemError, "service not available"),
    (
        450,
        Rank::GenericCode,
        Passing,
        SystemError,
        "mailbox busy or unavailable",
    ),
    (
        451,
        Rank::GenericCode,
        Passing,
        SystemError,
        "local error in processing",
    ),
    (
        452,
        Rank::GenericCode,
        Passing,
        SystemFull,
        "insufficient system storage",
    ),
    (500, Rank::GenericCode, Unclear, SyntaxError, "syntax error"),
    (
        501,
        Rank::GenericCode,
        Unclear,
        SyntaxError,
        "syntax error in parameters",
    ),
    (502, Rank::GenericCode, Unclear, SyntaxError, "command not implemented"),
    (503, Rank::GenericCode, Unclear, SyntaxError, "bad sequence of commands"),
    (
        504,
        Rank::GenericCode,
        Unclear,
        SyntaxError,
        "parameter not implemented",
    ),
    (521, Rank::GenericCode, Unclear, NotAccept, "host accepts no mail"),
    (522, Rank::GenericCode, Passing, MailboxFull, "mailbox full"),
    (530, Rank::GenericCode, Sender, SecurityError, "authentication required"),
    (
        534,
        Rank::GenericCode,
        Sender,
        SecurityError,
        "authentication mechanism is too weak",
    ),
    (535, Rank::GenericCode, Sender, SecurityError, "authentication failed"),
    (
        538,
        Rank::GenericCode,
        Sender,
        SecurityError,
        "encryption required for authentication",
    ),
    (550, Rank::Vague, Unclear, Undefined, "mailbox unavailable or refused"),
    (551, Rank::GenericCode, Unclear, UserUnknown, "user not local"),
    (
        552,
        Rank::GenericCode,
        Passing,
        MailboxFull,
        "exceeded storage allocation",
    ),
    (553, Rank::Vague, Unclear, Undefined, "mailbox name not allowed"),
    (554, Rank::Vague, Unclear, Undefined, "transaction failed"),
    (
        555,
        Rank::GenericCode,
        Unclear,
        SyntaxError,
        "parameters not recognized",
    ),
    (556, Rank::Mechanism, Address, NotAccept, "domain accepts no mail"),
];

#[cfg(test)]
mod tests {
    use super::{Fault, status};
    use notification_model::StatusCode;

    #[test]
    fn a_status_without_detail_condemns_no_address() {
        for subject in 0..=9 {
            let found = status(StatusCode::new(5, subject, 0));
            assert!(
                found.is_none_or(|(meaning, _)| meaning.fault != Fault::Address),
                "5.{subject}.0"
            );
        }
        for detail in 0..400 {
            for subject in [4, 5] {
                let found = status(StatusCode::new(5, subject, detail));
                assert!(
                    found.is_none_or(|(meaning, _)| meaning.fault != Fault::Address),
                    "5.{subject}.{detail}"
                );
            }
        }
    }
}

//! What a code says: enhanced status codes of [RFC 3463](https://www.rfc-editor.org/rfc/rfc3463) and
//! [IANA's registry](https://www.iana.org/assignments/smtp-enhanced-status-codes), [Exchange Online's][ndr] own, and
//! the plain replies of [RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3).
//!
//! [ndr]: https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online

use notification_model::StatusCode;

use super::BounceReason::{self, *};
use super::{Clue, Evidence};

/// The subject of RFC 3463 runs from 0 to 7; anything above is a version number, as in `Exim 4.96.1`.
const LAST_SUBJECT: u16 = 7;

/// The code of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Status(StatusCode),
    Reply(u16),
}

impl Code {
    /// The recipient's status, else one in the diagnostic, else the diagnostic's SMTP reply. A status without detail
    /// (SES fills in 5.0.0 and 5.3.0) yields to the diagnostic's.
    pub(super) fn of(evidence: &Evidence<'_>) -> Option<Self> {
        let diagnostic = evidence.diagnostic.unwrap_or_default();
        let found = StatusCode::find_in(diagnostic).filter(|code| code.subject <= LAST_SUBJECT);
        evidence
            .status
            .filter(|own| own.detail != 0)
            .or(found)
            .or(evidence.status)
            .map(Self::Status)
            .or_else(|| reply_in(diagnostic).map(Self::Reply))
    }

    /// 2 arrived, 4 may arrive later, 5 will not.
    pub(super) const fn class(self) -> u16 {
        match self {
            Self::Status(code) => code.class as u16,
            Self::Reply(code) => code / 100,
        }
    }

    pub(super) const fn clue(self) -> Clue {
        match self {
            Self::Status(code) => Clue::Status(code),
            Self::Reply(code) => Clue::Reply(code),
        }
    }

    pub(super) fn reason(self) -> BounceReason {
        self.row().0
    }

    pub(super) fn meaning(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (BounceReason, &'static str) {
        let row = match self {
            Self::Status(code) => STATUSES
                .iter()
                .find(|(subject, first, last, ..)| *subject == code.subject && (*first..=*last).contains(&code.detail))
                .map(|(_, _, _, reason, meaning)| (*reason, *meaning)),
            Self::Reply(code) => REPLIES
                .iter()
                .find(|(reply, ..)| *reply == code)
                .map(|(_, reason, meaning)| (*reason, *meaning)),
        };
        row.unwrap_or((Undefined, "other or undefined status"))
    }
}

/// A reply code opens the text or follows a `;` or `:`, as in `smtp; 550-No such user` and `mx said: 450 Later`.
fn reply_in(diagnostic: &str) -> Option<u16> {
    let mut previous = ":";
    for word in diagnostic.split_ascii_whitespace() {
        let number = word.split('-').next().filter(|digits| digits.len() == 3);
        if previous.ends_with([';', ':'])
            && let Some(reply) = number.and_then(|digits| digits.parse().ok())
            && (400..600).contains(&reply)
        {
            return Some(reply);
        }
        previous = word;
    }
    None
}

/// Subject, first and last detail, reason, meaning. The first match counts; a whole subject closes its block.
const STATUSES: &[(u16, u16, u16, BounceReason, &str)] = &[
    // 1.0 does not say whose address, the recipient's or the sender's.
    (1, 0, 0, Undefined, "other address status"),
    (1, 1, 1, UserUnknown, "bad destination mailbox address"),
    (1, 2, 2, HostUnknown, "bad destination system address"),
    (1, 3, 3, UserUnknown, "bad destination mailbox address syntax"),
    (1, 4, 4, SystemError, "destination mailbox address ambiguous"),
    (1, 6, 6, HasMoved, "destination mailbox has moved"),
    (1, 7, 7, Rejected, "bad sender's mailbox address syntax"),
    (1, 8, 8, Rejected, "bad sender's system address"),
    (1, 9, 9, SystemError, "message relayed to non-compliant mailer"),
    (1, 10, 10, NotAccept, "recipient address has null MX"),
    (1, 0, 999, Undefined, "address status"),
    (2, 1, 1, Suspended, "mailbox disabled"),
    (2, 2, 2, MailboxFull, "mailbox full"),
    (2, 3, 3, ExceedLimit, "message length exceeds administrative limit"),
    (2, 4, 4, SystemError, "mailing list expansion problem"),
    (2, 121, 122, ReceivingTooFast, "recipient's receiving limit exceeded"),
    (2, 0, 999, Undefined, "other mailbox status"),
    (3, 1, 1, SystemFull, "mail system full"),
    (3, 2, 2, SystemError, "system not accepting network messages"),
    (3, 3, 3, SystemError, "system not capable of selected features"),
    (3, 4, 4, EmailTooLarge, "message too big for system"),
    (3, 5, 5, SystemError, "system incorrectly configured"),
    (3, 0, 999, SystemError, "other mail system status"),
    (4, 1, 1, NetworkError, "no answer from host"),
    (4, 2, 2, NetworkError, "bad connection"),
    (4, 3, 3, NetworkError, "directory server failure"),
    (4, 4, 4, HostUnknown, "unable to route"),
    (4, 5, 5, NetworkError, "mail system congestion"),
    (4, 6, 6, NetworkError, "routing loop detected"),
    (4, 7, 7, Expired, "delivery time expired"),
    (4, 14, 14, NetworkError, "routing loop detected"),
    (4, 300, 300, Expired, "message expired"),
    (4, 310, 310, HostUnknown, "domain does not exist"),
    (4, 0, 999, NetworkError, "other network or routing status"),
    (5, 1, 1, SyntaxError, "invalid command"),
    (5, 2, 2, SyntaxError, "syntax error"),
    (5, 3, 3, ExceedLimit, "too many recipients"),
    (5, 4, 4, SyntaxError, "invalid command arguments"),
    (5, 0, 999, SyntaxError, "other protocol status"),
    (6, 7, 7, NotCompliantRfc, "non-ASCII addresses not permitted"),
    (6, 0, 999, ContentError, "content or media"),
    (7, 1, 1, PolicyViolation, "delivery not authorized"),
    (7, 2, 2, PolicyViolation, "mailing list expansion prohibited"),
    (7, 3, 6, SecurityError, "encryption or conversion"),
    (7, 7, 7, AuthFailure, "message integrity failure"),
    (7, 8, 8, SecurityError, "authentication credentials invalid"),
    // Yahoo answers 7.9 to unauthenticated mail.
    (7, 9, 9, AuthFailure, "authentication too weak"),
    (7, 10, 11, FailedStartTls, "encryption needed"),
    (7, 12, 12, Filtered, "sender not authenticated by the organisation"),
    // The recipient the sender knew is gone, https://www.rfc-editor.org/rfc/rfc7293.
    (7, 17, 17, HasMoved, "mailbox owner has changed"),
    (7, 18, 18, HasMoved, "domain owner has changed"),
    (7, 20, 22, AuthFailure, "DKIM did not pass"),
    (7, 23, 24, AuthFailure, "SPF did not pass"),
    (7, 25, 25, RequirePtr, "reverse DNS validation failed"),
    (7, 26, 26, AuthFailure, "authentication checks failed"),
    (7, 27, 27, Rejected, "sender address has null MX"),
    (7, 28, 28, RateLimited, "mail flood detected"),
    (7, 29, 29, AuthFailure, "ARC validation failure"),
    (7, 30, 30, FailedStartTls, "REQUIRETLS support required"),
    (7, 64, 64, NoRelaying, "relay access denied"),
    (7, 124, 124, Filtered, "sender not among the allowed"),
    (7, 133, 136, Filtered, "sender not authenticated for the recipient"),
    (7, 322, 325, SecurityError, "certificate or DANE validation failed"),
    (7, 501, 503, SpamDetected, "spam abuse detected"),
    (7, 506, 508, Blocked, "sending server blocked"),
    (7, 509, 509, AuthFailure, "DMARC did not pass"),
    (7, 510, 511, Blocked, "sending server blocked"),
    (7, 512, 512, NotCompliantRfc, "message not RFC 5322 compliant"),
    (7, 513, 513, Blocked, "customer block list"),
    (7, 515, 515, AuthFailure, "required authentication level not met"),
    (7, 606, 649, Blocked, "banned sending IP"),
    (7, 650, 650, RateLimited, "sending IP rate limited"),
    (7, 0, 999, PolicyViolation, "security or policy"),
];

/// Only replies that mean one thing everywhere say more than their class: 550 and 554 serve for everything.
const REPLIES: &[(u16, BounceReason, &str)] = &[
    (421, SystemError, "service not available"),
    (450, SystemError, "mailbox busy or unavailable"),
    (451, SystemError, "local error in processing"),
    (452, SystemFull, "insufficient system storage"),
    (500, SyntaxError, "syntax error"),
    (501, SyntaxError, "syntax error in parameters"),
    (502, SyntaxError, "command not implemented"),
    (503, SyntaxError, "bad sequence of commands"),
    (504, SyntaxError, "parameter not implemented"),
    (521, NotAccept, "host accepts no mail"),
    (530, SecurityError, "authentication required"),
    (535, SecurityError, "authentication failed"),
    (550, Undefined, "mailbox unavailable or refused"),
    (551, UserUnknown, "user not local"),
    (552, MailboxFull, "exceeded storage allocation"),
    (553, UserUnknown, "mailbox name not allowed"),
    (554, Undefined, "transaction failed"),
    (555, SyntaxError, "parameters not recognized"),
    (556, NotAccept, "domain accepts no mail"),
];

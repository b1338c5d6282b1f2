//! What happened, finer than hard or soft. The names follow [Sisimai](https://libsisimai.org/en/reason/), the most
//! complete public list, so that figures are comparable.

use std::fmt;

/// What a finding says about the recipient. It decides the kind of bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The address or its domain is dead.
    Address,
    /// The address exists; the condition passes.
    Passing,
    /// The message, or the sender, was refused.
    Sender,
    /// The finding does not say.
    Unclear,
}

macro_rules! reasons {
    ( $( $(#[doc = $doc:literal])+ $variant:ident = $text:literal; )+ ) => {
        /// Why a message did not reach a recipient.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BounceReason { $( $(#[doc = $doc])+ $variant, )+ }

        impl BounceReason {
            /// Every reason, in the order of this list.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// In kebab case, for metrics and storage.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }
        }
    };
}

reasons! {
    /// The domain has no such mailbox.
    UserUnknown = "user-unknown";
    /// The domain does not exist, or there is no route to its mail server.
    HostUnknown = "host-unknown";
    /// The mailbox or its owner moved to another address.
    HasMoved = "has-moved";
    /// The mailbox is disabled, suspended or abandoned.
    Suspended = "suspended";
    /// The domain accepts no mail at all, for example by a null MX.
    NotAccept = "not-accept";
    /// The address is on a suppression list of SES.
    Suppressed = "suppressed";
    /// SES's address validation refused to send.
    FailedValidation = "failed-validation";
    /// The recipient unsubscribed through SES list management.
    Unsubscribed = "unsubscribed";

    /// The mailbox is full. It exists, even if the status is permanent, and its owner can empty it.
    MailboxFull = "mailbox-full";
    /// The recipient receives more mail than its server accepts at a time.
    ReceivingTooFast = "receiving-too-fast";
    /// The disk of the server is full.
    SystemFull = "system-full";
    /// The server refuses the first attempt and accepts a later one.
    Greylisted = "greylisted";

    /// SPF, DKIM or DMARC failed.
    AuthFailure = "auth-failure";
    /// The sending address or domain has a bad reputation.
    BadReputation = "bad-reputation";
    /// The sending server is blocked, for example by a block list.
    Blocked = "blocked";
    /// The content, its form or an attachment was refused.
    ContentError = "content-error";
    /// The message is larger than the server accepts.
    EmailTooLarge = "email-too-large";
    /// The message exceeds a limit of the recipient: its size, or its number of recipients.
    ExceedLimit = "exceed-limit";
    /// The connection is not encrypted, and the server requires encryption.
    FailedStartTls = "failed-starttls";
    /// Recipients complained about the sender.
    Feedback = "feedback";
    /// The recipient, or its settings, accept no mail from this sender.
    Filtered = "filtered";
    /// The server does not relay mail for this domain.
    NoRelaying = "no-relaying";
    /// The message violates a mail standard.
    NotCompliantRfc = "not-compliant-rfc";
    /// A policy of the receiving organisation.
    PolicyViolation = "policy-violation";
    /// The sender sends too fast.
    RateLimited = "rate-limited";
    /// The sender's address was refused.
    Rejected = "rejected";
    /// The sending server has no valid reverse DNS name.
    RequirePtr = "require-ptr";
    /// Authentication or a certificate failed.
    SecurityError = "security-error";
    /// The message was classified as spam.
    SpamDetected = "spam-detected";
    /// The sender opened too many connections.
    TooManyConn = "too-many-conn";
    /// The message was classified as a virus.
    VirusDetected = "virus-detected";

    /// Delivery was attempted for too long.
    Expired = "expired";
    /// A program that delivers to the mailbox failed.
    MailerError = "mailer-error";
    /// No connection, a failing name server, or a mail loop.
    NetworkError = "network-error";
    /// A command or its order was not understood.
    SyntaxError = "syntax-error";
    /// The server failed or is configured incorrectly.
    SystemError = "system-error";

    /// No rule recognises the words of the server.
    OnHold = "on-hold";
    /// An automatic reply, such as an absence note.
    Vacation = "vacation";
    /// The notification gives no reason.
    Undefined = "undefined";
}

impl fmt::Display for BounceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

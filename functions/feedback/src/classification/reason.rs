//! What happened, finer than hard or soft. Names follow [Sisimai's](https://libsisimai.org/en/reason/), the most
//! complete public list, so that figures compare.

use std::fmt;

/// Whom a reason speaks about, which decides the kind of bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The address is dead.
    Address,
    /// The address lives; what stands in the way passes.
    Passing,
    /// The message, or whoever sent it.
    Sender,
    /// The remote server or the way there; SES's type tells whether it may pass.
    Server,
    /// Not told.
    Unclear,
}

macro_rules! reasons {
    ( $( $(#[doc = $doc:literal])+ $variant:ident = $text:literal, $fault:ident; )+ ) => {
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

            pub(super) const fn fault(self) -> Fault {
                match self { $( Self::$variant => Fault::$fault, )+ }
            }
        }
    };
}

reasons! {
    /// No such mailbox at the domain.
    UserUnknown = "user-unknown", Address;
    /// No such domain, or no way to its mail server.
    HostUnknown = "host-unknown", Address;
    /// The mailbox or its owner is gone for another one.
    HasMoved = "has-moved", Address;
    /// The mailbox is disabled, suspended or abandoned.
    Suspended = "suspended", Address;
    /// The domain takes no mail at all, for example by a null MX.
    NotAccept = "not-accept", Address;
    /// On a suppression list of SES.
    Suppressed = "suppressed", Address;
    /// SES's address validation refused to send.
    FailedValidation = "failed-validation", Address;
    /// The recipient unsubscribed through SES list management.
    Unsubscribed = "unsubscribed", Address;

    /// The mailbox is full. Even with a permanent status: it exists, and its owner can empty it.
    MailboxFull = "mailbox-full", Passing;
    /// The recipient gets more mail than their server lets through at a time.
    ReceivingTooFast = "receiving-too-fast", Passing;
    /// The server's disk is full.
    SystemFull = "system-full", Passing;
    /// The server turns a first attempt away to see whether a second comes.
    Greylisted = "greylisted", Passing;

    /// SPF, DKIM or DMARC failed.
    AuthFailure = "auth-failure", Sender;
    /// The sending address or domain has a bad reputation.
    BadReputation = "bad-reputation", Sender;
    /// The sending server is blocked, for example on a block list.
    Blocked = "blocked", Sender;
    /// The content, its form or an attachment was refused.
    ContentError = "content-error", Sender;
    /// The message is larger than the server takes.
    EmailTooLarge = "email-too-large", Sender;
    /// The message exceeds a limit of the recipient: its size, or its number of recipients.
    ExceedLimit = "exceed-limit", Sender;
    /// No encrypted connection, where one is demanded.
    FailedStartTls = "failed-starttls", Sender;
    /// Recipients complained about the sender.
    Feedback = "feedback", Sender;
    /// The recipient, or their settings, take no mail from this sender.
    Filtered = "filtered", Sender;
    /// The server relays no mail for this domain.
    NoRelaying = "no-relaying", Sender;
    /// The message breaks a mail standard.
    NotCompliantRfc = "not-compliant-rfc", Sender;
    /// A policy of the receiving organisation.
    PolicyViolation = "policy-violation", Sender;
    /// The sender sends too fast.
    RateLimited = "rate-limited", Sender;
    /// The sender's address was refused.
    Rejected = "rejected", Sender;
    /// The sending server lacks a proper reverse name.
    RequirePtr = "require-ptr", Sender;
    /// Logging in or a certificate failed.
    SecurityError = "security-error", Sender;
    /// Taken for spam.
    SpamDetected = "spam-detected", Sender;
    /// The sender opened too many connections.
    TooManyConn = "too-many-conn", Sender;
    /// A virus, or taken for one.
    VirusDetected = "virus-detected", Sender;

    /// Tried too long.
    Expired = "expired", Server;
    /// A program that delivers to the mailbox failed.
    MailerError = "mailer-error", Server;
    /// No connection, a failing name server, or a mail loop.
    NetworkError = "network-error", Server;
    /// The servers misunderstood each other.
    SyntaxError = "syntax-error", Server;
    /// The server failed or is badly set up.
    SystemError = "system-error", Server;

    /// The server answered in words that no table knows yet.
    OnHold = "on-hold", Unclear;
    /// An automatic reply, such as an absence note.
    Vacation = "vacation", Unclear;
    /// Nobody said.
    Undefined = "undefined", Unclear;
}

impl fmt::Display for BounceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! Known wordings that say neither that the address is dead nor that the sender is at fault: loops, failing programs,
//! misunderstandings of the protocol, and sentences that list several possible causes.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    // Several causes in one sentence: none of them is evidence.
    (Exact, Unclear, UserUnknown, &[
        "may not exist", "might not exist", "may be invalid", "may be unavailable", "find a gateway for",
    ]),
    (Exact, Unclear, HostUnknown, &[
        "account or domain may not exist, they may be blacklisted", "could not find a gateway",
    ]),
    (Mention, Unclear, SecurityError, &[
        "recipient address rejected: access denied", "recipient address rejected: delivery not authorized",
    ]),
    (Named, Unclear, NetworkError, &[
        "mail loop", "message loop", "message looping", "loops back", "routing loop", "loop detected", "looping",
        "hop count", "too many hops", "maximum hop", "maximum number of hops", "too many received headers",
        "forwarding loop", "endless loop",
    ]),
    (Named, Unclear, MailerError, &[
        "mailer error", "x-unix;", "output file", "command died", "command output:", "exited with", "exit status",
        "pipe to", "procmail", "maildrop", "child crashed", "local delivery failed", "delivery agent", "unable to run",
        "transport failed", "local mailer", "sieve", "deliver failed",
    ]),
    (Named, Unclear, SystemError, &[
        "internal system error", "internal error", "internal server error", "configuration error", "misconfigured",
        "local configuration", "system error", "unexpected error", "error while processing", "error writing",
        "i/o error", "cannot open", "can not open", "can't open", "could not open", "permission denied",
        "database error", "administrative error", "encountered an error while being processed",
    ]),
    (Mention, Unclear, SystemError, &["transaction failed"]),
    (Named, Unclear, SyntaxError, &[
        "syntax error", "bad syntax", "command not implemented", "parameter not implemented", "command parameter not",
        "sequence of commands", "command not recognized", "command unrecognized", "unrecognized command",
        "command unknown", "unknown command", "invalid command", "bad command", "out of sequence",
    ]),
    (Refusal, Unclear, Undefined, &[
        "delivery to the following recipients failed", "other recipients in the same domain", "n'a pas pu etre delivre",
    ]),
    (Refusal, Unclear, OnHold, &["did not reach the following recipient", "rejected", "refused", "denied"]),
];

/// General words of a program that reports another server's refusal. They say nothing about the recipient.
pub(crate) const IGNORED: &[&str] = &[
    "unknown address error",
    "unknown error",
    "unknown mailer error",
    "unknown reason",
];

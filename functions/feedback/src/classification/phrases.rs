//! What servers say: words of Gmail, Outlook and Exchange, Yahoo and AOL, iCloud, Mimecast, Proofpoint, Barracuda,
//! Postfix, Exim, Sendmail and qmail. One list of phrases per reason, the most specific first; the first match counts.
//!
//! To add one: in lower case, without status codes, reply codes and other bare numbers ([`normalise`] drops them), and
//! with a space or another character that no mail address has, so that a recipient's address never matches.

use super::BounceReason::{self, *};

type Table = &'static [(BounceReason, &'static [&'static str])];

/// The text as the tables spell it: lower case, single spaces, and without bare numbers, because a reply of several
/// lines repeats its codes in the middle of a sentence (`550-5.1.1 ... does not\n550-5.1.1 exist`).
pub(super) fn normalise(diagnostic: &str) -> String {
    let is_number = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit()) && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-'))
    };
    let mut text = String::with_capacity(diagnostic.len());
    for word in diagnostic.split_ascii_whitespace().filter(|word| !is_number(word)) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.make_ascii_lowercase();
    without_subject(&text)
}

/// A quoted subject is the sender's own words, and must not speak for the server.
fn without_subject(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("subject") {
        left.push_str(before);
        left.push_str("subject");
        rest = after;
        let quoted = after.trim_start_matches([' ', ':']);
        for quote in ['"', '\''] {
            if let Some((_, after_quote)) = quoted.strip_prefix(quote).and_then(|inner| inner.split_once(quote)) {
                rest = after_quote;
            }
        }
    }
    left.push_str(rest);
    left
}

/// A phrase that says more than any status.
pub(super) fn clear(words: &str) -> Option<(BounceReason, &'static str)> {
    search(CLEAR, words)
}

/// A phrase that counts where the status says little.
pub(super) fn vague(words: &str) -> Option<(BounceReason, &'static str)> {
    search(VAGUE, words)
}

/// A phrase of an absence note.
pub(super) fn auto_reply(words: &str) -> Option<&'static str> {
    search(AUTO_REPLY, words).map(|(_, phrase)| phrase)
}

fn search(table: Table, words: &str) -> Option<(BounceReason, &'static str)> {
    table.iter().find_map(|(reason, phrases)| {
        let phrase = phrases.iter().find(|phrase| words.contains(**phrase))?;
        Some((*reason, *phrase))
    })
}

#[rustfmt::skip]
const CLEAR: Table = &[
    // About the sender, but easily read as about the recipient.
    (Rejected, &[
        "sender address rejected", "sender rejected", "sender denied", "sender address blocked", "sender verify failed",
        "sender domain", "domain of sender", "sender address does not exist", "invalid sender", "unknown sender",
        "unresolvable rfc.5321 from domain", "bad outbound sender", "sender is rejected", "sender's domain",
        "mail from domain", "domain in mail from", "domain in from", "from header", "from domain", "return-path domain",
    ]),
    (RequirePtr, &[
        "cannot find your hostname", "cannot find your reverse hostname",
    ]),
    (Blocked, &[
        "helo command rejected", "client host rejected", "invalid domain name",
    ]),
    (RateLimited, &[
        "sending quota exceeded", "sending limit exceeded", "relay limit exceeded", "too many invalid recipient",
        "too many unknown", "too many bad recipient", "too many invalid user",
    ]),
    // About a mailbox that exists, but easily read as one that does not.
    (ReceivingTooFast, &[
        "receiving mail too quickly", "receiving mail at a rate", "deferred due to excessive volume",
        "recipient thread limit exceeded", "too much email in a short period", "exceeding receiving limits",
    ]),
    (MailboxFull, &[
        "over quota", "over the quota", "over disk quota", "over the allowed quota", "quota exceeded", "exceeded quota",
        "exceeds quota", "exceeded its quota", "exceeded their quota", "exceeding its mailbox quota",
        "mailbox quota usage", "quota violation", "quota is full", "storage quota", "out of storage",
        "mailbox full", "mailbox is full", "mailbox too full", "full mailbox", "inbox is full", "inbox full",
        "recipient storage full", "mailbox size limit exceeded", "exceeded storage allocation",
        "exceeded its disk space", "not enough storage space", "does not have enough space",
    ]),
    // The address is dead.
    (UserUnknown, &[
        "user unknown", "unknown user", "user is unknown", "no such user", "user not found", "user not known",
        "user does not exist", "user doesn't exist", "user not exist", "invalid user", "not a known user",
        "not a valid user", "nonexistent user", "non-existent user", "user name is not found", "user not listed",
        "unknown recipient", "recipient unknown", "recipient not found", "recipient does not exist",
        "recipient not exist", "no such recipient", "invalid recipient", "not a valid recipient",
        "recipient address rejected: access denied", "resolver.adr.recipientnotfound;",
        "resolver.adr.exrecipnotfound;", "not found by smtp address lookup",
        "mailbox not found", "mailbox does not exist", "mailbox doesn't exist", "no such mailbox", "unknown mailbox",
        "invalid mailbox", "not a valid mailbox", "no mailbox here", "no mailbox by that name", "no mailbox found",
        "no mail box available", "mailbox not present",
        "account that you tried to reach does not exist", "account does not exist", "account doesn't exist",
        "account not found", "no such account", "unknown account", "no account by that name",
        "this user doesn't have a",
        "address unknown", "unknown address", "address is unknown", "address not found", "no such address",
        "address does not exist", "address doesn't exist", "address could not be found", "no such email address",
        "addressee unknown", "undeliverable address", "unresolvable address", "unknown or illegal alias",
        "unknown local part", "unknown local-part", "not present in directory", "not listed in domino directory",
        "no such person", "no one at this address", "no longer accepts mail", "#5.1.0 address rejected",
        "in my badrcptto list", "in my validrcptto list", "utilisateur inconnu", "utente sconosciuto",
        "empfaenger unbekannt", "usuario desconocido",
    ]),
    (HasMoved, &[
        "recipient no longer on server", "user has moved", "mailbox has moved", "email address has changed",
        "e-mail address has changed",
    ]),
    (Suspended, &[
        "account that you tried to reach is disabled", "account that you tried to reach is inactive",
        "account is disabled", "account has been disabled", "account disabled", "account is suspended",
        "account has been suspended", "account suspended", "account is inactive", "account inactive",
        "account has expired", "mailbox is disabled", "mailbox disabled", "mailbox is inactive", "mailbox is frozen",
        "mailbox has been suspended", "mailbox currently suspended", "deactivated mailbox", "mailbox is deactivated",
        "user suspended", "user disabled", "user is disabled", "user is inactive", "inactive user", "user not active",
        "inactive email address", "due to extended inactivity", "is currently suspended",
    ]),
    (NotAccept, &[
        "null mx", "does not accept mail", "no mail-enabled subscriptions",
    ]),
    (HostUnknown, &[
        "host unknown", "unknown host", "host or domain name not found", "domain name not found", "domain not found",
        "host not found", "no such domain", "domain does not exist", "nonexistent domain", "non-existent domain",
        "invalid domain", "unknown domain", "domain must exist", "unrouteable address", "unrouteable mail domain",
        "could not find a mail server", "couldn't find any host named",
    ]),
    (Suppressed, &[
        "amazon ses has suppressed sending",
    ]),
    // The sender or the message.
    (AuthFailure, &[
        "dmarc policy", "dmarc verification", "dmarc check", "dmarc evaluation", "failed dmarc", "fails dmarc",
        "dmarc sender invalid", "spf check", "spf fail", "spf validation", "spf record", "spf sender invalid",
        "sender policy framework", "spf or dkim", "spf and dkim", "authenticate with spf", "authenticate with dkim",
        "email with spf", "email with dkim", "dkim sender invalid", "dkim check", "dkim fail", "dkim signature",
        "authenticated spf", "sender is unauthenticated", "it is unauthenticated", "unauthenticated email",
        "authentication checks", "required authentication level", "[hme1]",
    ]),
    (RequirePtr, &[
        "ptr record", "reverse dns", "reverse hostname", "no reverse",
    ]),
    (Feedback, &[
        "deferred due to user complaints", "complaints from our users", "complaints about your",
    ]),
    (BadReputation, &[
        "reputation of the sending", "poor reputation", "bad reputation", "low reputation", "ip reputation",
        "sender reputation", "domain reputation", "unexpected volume or user complaints", "[tss04]",
    ]),
    (VirusDetected, &[
        "virus detected", "contains a virus", "contains virus", "infected with", "found a virus", "malware detected",
        "contains malware", "virus found", "virus infected",
    ]),
    (Blocked, &[
        "on our block list", "banned sending ip", "banned sender", "customer block list", "blocked using", "bad helo",
        "spamhaus's list", "spamhaus xbl", "spamhaus sbl", "spamhaus pbl", "spamhaus dbl", "listing in spamhaus",
        "in the spamhaus", "blocked by spamhaus", "is blacklisted", "been blacklisted", "temporarily blacklisted",
        "blacklisted by", "is blocklisted", "blocked - see", "://ipcheck.proofpoint.com", "your ip has been blocked",
        "ip address has been blocked", "sending ip blocked",
        "connections will not be accepted from", "connections not accepted from", "will be permanently deferred",
        "ip not in whitelist", "dynamic ip", "open proxy", "does not accept email over ipv6",
        "host network, not allowed",
    ]),
    (SpamDetected, &[
        "likely unsolicited", "unsolicited bulk", "appears to be unsolicited", "classified as spam", "detected as spam",
        "considered spam", "considered as spam", "identified as spam", "rejected as spam", "refused as spam",
        "marked as spam", "looks like spam", "looked like spam", "appears to be spam", "appeared to be spam",
        "to be a spam", "probably spam", "probable spam", "suspected spam", "is spam", "high probability of spam",
        "probability of being spam", "contains spam", "spam content", "spam message", "spam detected", "spam email",
        "spam blocked", "spam rejected", "spam refused", "spam score", "spam filter", "spam abuse", "spam check",
        "spam-like characteristics", "rejected due to spam", "block for spam", "rejected for spam",
        "message content rejected", "message filtered", "nature of the content and/or the links",
        "nature of the content or the links", "bulk email", "bulk mail", "high volume of spam",
    ]),
    (RateLimited, &[
        "unusual rate of unsolicited mail", "unusual rate of mail", "rate limited", "rate limit exceeded",
        "exceeded the rate limit", "exceeded rate limit", "too many messages from", "too much mail from",
        "temporarily deferred", "sending too fast", "sending too many",
    ]),
    (TooManyConn, &[
        "too many connections", "too many concurrent", "too many simultaneous", "max message per connection",
        "connection limit exceeded", "too many sessions", "exceeding outbound thread limit",
    ]),
    (ContentError, &[
        "its content presents a potential security issue", "illegal attachment", "banned attachment",
        "attachment type", "attachment is not allowed", "attachments are not allowed", "banned content",
        "message is malformed", "malformed message", "bare line feed", "bare newline", "bare lf", "invalid characters",
        "content filter rejection",
    ]),
    (NotCompliantRfc, &[
        "not rfc compliant", "not rfc-compliant", "must be rfc", "is not rfc", "valid address in the from: header",
        "multiple addresses in from: header", "valid message-id: header", "duplicate headers",
        "encoded-word syntax is not permitted",
    ]),
    (EmailTooLarge, &[
        "message size exceeds", "message too large", "message is too large", "message too big", "message is too big",
        "maximum message size", "maximum allowed message size", "message size limit", "maximum email size",
        "exceeds size limit", "size exceeds limit", "message exceeds", "message larger than", "message is larger than",
    ]),
    (ExceedLimit, &[
        "too many recipients", "recipient limit exceeded", "resolver.rst.recipsizelimit;",
    ]),
    (Filtered, &[
        "recipient preferences", "blocked by the recipient", "rejected by recipient", "recipient refuses",
        "only accepting mail from specific", "resolver.rst.notauthorized;", "sender was not authenticated",
        "sender not authenticated", "sender not in allowed-senders list", "envelope blocked",
        "blocked senders", "members-only list", "closed mailing list", "not subscribed to this group",
        "not authorized to send to", "permission to send to this",
    ]),
    (NoRelaying, &[
        "relay access denied", "relaying denied", "relay denied", "relay not permitted", "relaying not permitted",
        "relaying not allowed", "relay not allowed", "relay is not allowed", "unable to relay",
        "not permitted to relay", "do not relay", "relay is prohibited", "relaying is prohibited",
        "relaying prohibited", "allowed rcpthosts",
        "credentials for relay",
    ]),
    (PolicyViolation, &[
        "due to local policy", "local policy violation", "[cs01]", "[cs02]", "[hm07]", "[hm08]", "for policy reasons",
        "policy restrictions", "policy violation", "email policy", "mail policy", "a policy that prohibited",
        "content examination policy", "anti-spoofing policy", "organization policy", "security policies",
        "security policy", "administrative prohibition", "administratively prohibited", "denied by policy",
        "blocked by policy", "rejected by policy", "policy rejection", "transport.rules.rejectmessage;",
        "organizational settings",
    ]),
    (FailedStartTls, &[
        "must issue a starttls", "tls required", "requires encryption", "requires tls", "starttls is required",
        "encryption required", "encryption is required", "over a tls connection", "tls/ssl for smtp",
    ]),
    (SecurityError, &[
        "authentication required", "authentication is required", "client was not authenticated", "dane validation",
        "tls certificate", "certificate is expired", "dnssec records",
    ]),
    // Passes.
    (Greylisted, &[
        "rejected: greylisted", "rejected: greylisting", "been greylisted", "is greylisted", "greylisting in",
        "greylisted, ", "greylisting, ", "greylisted; ", "graylisted, ", "been graylisted",
    ]),
    (SystemFull, &[
        "insufficient system storage", "insufficient system resources", "insufficient disk space", "disk full",
        "no space left on device", "file system full", "mail system full",
    ]),
];

#[rustfmt::skip]
const VAGUE: Table = &[
    (Expired, &[
        "message expired", "delivery expired", "delivery time expired", "queue expired", "unable to deliver in",
        "retry timeout exceeded", "retry time not reached", "in the queue too long", "too long in queue",
    ]),
    // RFC 5321 gives "mailbox unavailable" for whatever made a server answer 550; Outlook means an unknown user.
    (UserUnknown, &[
        "mailbox unavailable", "mailbox is unavailable", "mailbox not available", "account unavailable",
        "account is unavailable", "address rejected", "invalid address", "address invalid", "bad address",
        "recipient rejected", "not our customer", "does not exist",
    ]),
    (Suspended, &[
        "is no longer valid",
    ]),
    (Blocked, &[
        ":blocked)", "is blocked", "been blocked", "was blocked", "blocked by",
    ]),
    (NetworkError, &[
        "connection timed out", "connection refused", "connection dropped", "connection reset", "lost connection",
        "unable to connect", "no route to host", "host unreachable", "host is unreachable", "network is unreachable",
        "mail loop", "routing loop", "forwarding loop", "loops back to myself", "too many hops", "hop count exceeded",
        "dns lookup", "dns failure", "lookup failure", "name server",
    ]),
    (MailerError, &[
        "exit status", "procmail:", "can't create output", "command failed", "mailer error", "error writing message",
    ]),
    (SyntaxError, &[
        "syntax error", "bad sequence of commands", "command not implemented", "unrecognized command",
        "smtp protocol violation",
    ]),
    (SystemError, &[
        "system problem", "local error in processing", "server busy", "server error", "internal error",
        "service unavailable", "service not available", "temporary failure", "temporarily unavailable",
        "temporary local problem", "try again", "try later", "unable to process",
    ]),
];

#[rustfmt::skip]
const AUTO_REPLY: Table = &[
    (Vacation, &[
        "out of office", "out of the office", "out-of-office reply", "on vacation", "on holiday", "on annual leave",
        "auto reply", "automatic reply", "auto-reply:", "autoreply:", "auto-reply from", "automated response",
        "automatic response", "vacation message", "vacation reply", "away until", "away from my desk",
        "parental leave", "maternity leave", "nicht im haus", "abwesend bis", "absence du bureau",
        "fuera de la oficina",
    ]),
];

#[cfg(test)]
mod tests {
    use super::{AUTO_REPLY, CLEAR, VAGUE, normalise, search};

    #[test]
    fn every_phrase_can_match_and_no_address_can() {
        for table in [CLEAR, VAGUE, AUTO_REPLY] {
            for (reason, phrases) in table {
                for phrase in *phrases {
                    assert_eq!(
                        search(table, phrase),
                        Some((*reason, *phrase)),
                        "hidden by an earlier phrase"
                    );
                    assert_eq!(normalise(phrase).trim(), phrase.trim(), "not as texts are normalised");
                    assert!(
                        phrase.contains([' ', '[', ']', ')', ':', ';']),
                        "an address may match {phrase:?}"
                    );
                    assert!(!phrase.contains('@'), "{phrase:?}");
                }
            }
        }
    }

    #[test]
    fn a_reply_of_several_lines_reads_as_one_sentence() {
        let reply = "smtp; 550-5.1.1 The account does not\r\n550-5.1.1 exist. Please try\n550 5.1.1 again";
        assert_eq!(normalise(reply), "smtp; the account does not exist. please try again");
    }
}

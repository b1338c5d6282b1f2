//! The sending server or domain was refused: block lists, reputation, authentication, reverse DNS, rates.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    (Mechanism, Sender, AuthFailure, &[
        "dmarc policy", "dmarc verification", "dmarc check", "dmarc evaluation", "dmarc fail", "failed dmarc",
        "fails dmarc", "due to dmarc", "dmarc align", "dmarc reject", "pass dmarc", "no dmarc", "dmarc record",
        "dmarc-policy", "dmarc:", "spf check", "spf fail", "spf hard", "spf softfail", "spf validation", "spf policy",
        "spf record", "spf error", "spf reject", "spf violation", "spf mail from", "spf-prufung", "spf-pruefung",
        "failed spf", "fails spf", "pass spf", "no spf", "spf: #", "sender policy framework", "spf or dkim",
        "spf and dkim", "dkim or spf", "dkim and spf", "with spf", "with dkim", "authenticated spf", "dkim check",
        "dkim fail", "dkim signature", "dkim verif", "dkim valid", "dkim error", "no dkim", "failed dkim", "pass dkim",
        "sender is unauthenticated", "it is unauthenticated", "unauthenticated email", "unauthenticated mail",
        "unauthenticated message", "is not authenticated", "authentication checks", "authentication failed: spf",
        "authentication results", "required authentication level", "email authentication",
        "not allowed to send mail from", "not allowed to send from", "not allowed to send mail for",
        "not authorized to send mail for", "not permitted to send mail for", "not permitted to send mail from",
        "not authorized to send on behalf", "not authorised to send mail from", "is not permitted by the domain owner",
        "not authorized by the domain owner", "not designated", "invalid ip for sending mail", "not authorized to use",
        "forged sender", "spoofed", "arc validation", "arc-seal",
    ]),
    (Mention, Sender, AuthFailure, &["spf", "dkim", "dmarc", "domainkeys", "openspf", "domain owner"]),
    (Mention, Sender, RequirePtr, &["ptr", "hostname", "host name"]),
    (Mention, Sender, RateLimited, &["sent too many", "you have sent", "too fast", "too quickly", "frequency"]),
    (Mention, Sender, AuthFailure, &["p=reject", "forged"]),
    (Mention, Sender, Blocked, &[
        "dynamic", "(mode: normal)", "reject list", "local rules", "accepting connections", "connections from",
        "not allowed to connect", "your network", "your provider", "your isp", "abuse", "from your location",
        "from your region", "fully-qualified hostname",
    ]),
    (Refusal, Sender, Blocked, &[
        "blocked by", "blocked for", "blocked due", "is blocked", "been blocked", "was blocked", "are blocked",
        "ips blocked",
    ]),
    (Mechanism, Sender, RequirePtr, &[
        "ptr record", "ptr resource", "no ptr", "ptr lookup", "without ptr", "missing ptr", "invalid ptr", "ptr entry",
        "ptr not", "ptr mismatch", "no hostname", "reverse dns", "reverse-dns", "reverse hostname", "reverse host name",
        "reverse lookup", "reverse name", "reverse resolution", "reverse mapping", "no reverse", "rdns",
        "cannot find your hostname", "cannot find your reverse", "find your hostname", "ip name lookup failed",
        "mismatches client ip", "unverifyable sending ip", "unverifiable sending ip", "forward-confirmed", "fcrdns",
        "without a valid sender domain", "does not resolve back", "dns inverso", "resolution inverse",
        "hostname does not match", "host name does not match", "ruckwartsauflosung", "generic hostname", "generic rdns",
        "dynamic hostname",
    ]),
    (Mechanism, Sender, BadReputation, &[
        "reputation of the sending", "poor reputation", "bad reputation", "low reputation", "ip reputation",
        "sender reputation", "negative reputation", "domain reputation", "reputation score", "reputation is",
        "reputation too low", "unexpected volume or user complaints", "due to reputation", "email reputation",
        "reputation filter", "sender score",
    ]),
    (Mechanism, Sender, Feedback, &[
        "deferred due to user complaints", "complaints from our users", "complaints about your", "high complaint rate",
        "user complaints",
    ]),
    // Names of block lists. A link to one is sufficient.
    (Mechanism, Sender, Blocked, &[
        "spamhaus", "spamcop", "sorbs", "barracudacentral", "uribl", "surbl", "invaluement", "junkemailfilter",
        "hostkarma", "uceprotect", "mailspike", "backscatterer", "abuseat.org", "cbl.abuseat", "psbl", "spamrats",
        "spamrl.com", "mail-abuse.com", "mail-abuse.org", "rbl+", "senderbase.org/search", "nixspam", "truncate.gbudb",
        "gbudb", "njabl", "ahbl", "wpbl", "dsbl", "rfc-ignorant", "0spam", "manitu.net", "blocklist.de", "dnsbl",
        "dnswl", "drone list", "fabel", "abusix", "csi.cloudmark.com", "realtime block", "real-time block",
        "real time block", "in an rbl", "an rbl", "by rbl", "on rbl", "via rbl", "rbl ", "rbl:", "/rbl/", "zen.",
        "s25r", "spfbl", "hetrixtools",
    ]),
    (Mechanism, Sender, Blocked, &[
        "blacklist", "black list", "black-list", "black listed", "blocklist", "block list", "block-list",
        "blocked list", "blocked using", "deny list", "denylist", "banned sending ip", "banned sender", "sperrliste",
        "schwarze liste", "schwarzen liste", "liste noire", "lista negra", "lista nera", "черн", "черном списк", "黑名单",
        "ブラックリスト", "zwarte lijst", "czarnej li", "spam list", "listed by", "is listed on", "is listed in", "listed at",
        "found in dns", "client host rejected", "helo command rejected", "ehlo command rejected", "helo rejected",
        "bad helo", "invalid helo", "helo name", "invalid domain name", ":blocked)", "connecting host",
        "connections will not be accepted", "connections not accepted", "will be permanently deferred", "open proxy",
        "open relay.", "is an open relay", "which is an open relay", "dynamic ip", "dialup", "dial-up",
        "dynamic address", "residential ip", "not in whitelist", "whitelist", "does not accept email over ipv6",
        "host network", "bad ip", "blocked for abuse", "due to abuse", "remotehost looks", "blocked by ldap", "geoip",
        "geo-ip", "country is blocked", "your country", "my name was rejected", "no smtp service",
        "server requires confirmation", "access to submit messages", "access to this mail system has been rejected",
        "access denied...", "bloquee pour incident", "adresse ip source", "weren't sent", "sending spam",
        "is a spammer", "known spam source", "spam source", "spam host", "your ip has", "your ip is",
        "your ip address has", "your ip address is", "ip blocked", "ip rejected", "ip address rejected",
        "ip address blocked", "ip bloque", "ip gesperrt", "ip-adresse gesperrt", "ip bloccato", "bad dns", "botnet",
        "compromised host", "customized-block",
    ]),
    (Mechanism, Sender, RateLimited, &[
        "unusual rate of unsolicited mail", "unusual rate of mail", "rate limit", "rate-limit", "ratelimit",
        "rate limited", "too many messages from", "too many mails", "too many emails", "too much mail from",
        "too many messages in", "sending too fast", "sending too many", "sending mail too", "slow down",
        "sending quota", "sending limit", "relay limit exceeded", "hourly limit", "daily limit",
        "limits for how many messages", "messages can be sent per", "messages per hour", "per hour", "per minute",
        "too many invalid recipient", "too many unknown", "too many user unknown", "unknown recipients",
        "unknown users", "userid unknowns", "dictionary attack", "too many bad recipient", "too many invalid user",
        "exceeded the maximum number of messages", "throttl", "excessive rate", "flood",
        "exceeded the limit of messages", "message rate", "sender exceeded", "exceeded for sender", "message quota",
    ]),
    (Mechanism, Sender, TooManyConn, &[
        "too many connections", "too many concurrent", "too many simultaneous", "concurrent connection",
        "simultaneous connection", "message per connection", "messages per connection", "connection limit",
        "too many sessions", "connection rate", "max connections", "maximum connections", "outbound thread limit",
        "connections from your", "connections from this", "too many smtp sessions",
    ]),
];

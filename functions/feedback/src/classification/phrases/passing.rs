//! The address exists, and the condition passes: full mailboxes, greylisting, receiving limits, time-outs.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    (Mechanism, Passing, MailboxFull, &[
        "over quota", "overquota", "over the quota", "over its quota", "over their quota", "over his quota",
        "over disk quota", "over the allowed quota", "over mail quota", "over email quota", "quota exceeded",
        "quota is exceeded", "quota has been exceeded", "exceeded quota", "exceeds quota", "exceeding quota",
        "exceeded the quota", "exceeded his quota", "exceeded its quota", "exceeded their quota",
        "exceeding their quota", "exceeding its quota", "exceeding its mailbox quota", "exceeded email quota",
        "exceeded mail quota", "exceeded storage", "exceeds storage", "quota violation", "quota is full", "quota full",
        "storage quota", "reached disk quota", "reached its quota", "reached his quota", "reached quota",
        "mailbox quota", "quota usage", "out of storage", "out of quota", "storage is full", "storage full",
        "disk quota", "mail quota", "mailbox size limit", "mailbox size exceeded", "exceeded its disk space",
        "exceeded disk space", "not enough storage space", "insufficient storage space", "does not have enough space",
        "no space in mailbox", "not enough space in mailbox", "over the storage limit", "over storage limit",
        "over the maximum size", "mailbox exceeds allowed size", "mailbox over", "maildir over", "mailbox is over",
        "too many messages on the server", "too many messages in mailbox", "too much mail stored",
        "number of messages in recipient's mailbox exceeded", "messages in mailbox exceed", "has too many messages",
        "zuviele mails", "zu viele mails", "zu viele nachrichten", "no space left in", "no free space", "no more room",
        "too much mail data", "disc quota", "diskspace quota", "space has been used", "mailbox is stuffed",
        "mailbox stuffed", "inbox overflow", "mailbox overflow", "cuota excedida", "cuota de disco", "cuota superada",
        "excedido la cuota", "excede la cuota", "excedido su cuota", "cota excedida", "quota excedida", "quota depass",
        "quota superata", "quota uberschritten", "quota ueberschritten", "kontingent uberschritten",
        "speicherplatz erschopft", "容量が超過", "容量超過", "容量を超え", "容量オーバー", "いっぱい", "空き", "已满", "超出配额", "空间不足", "переполнен",
        "превышена квота", "квота превышена", "przekroczon", "sin espacio", "sobre cuota", "sobre la cuota",
        "sobrepasado la cuota", "quota uitgeput",
    ]),
    (Exact, Passing, Greylisted, &[
        "greylist", "graylist", "grey listed", "grey-list", "gray-list", "grey list", "gray list", "postgrey",
    ]),
    // The queue of the receiving organisation in Exchange Online.
    (Exact, Passing, SystemError, &["queue quota exceeded"]),
    (Exact, Passing, ReceivingTooFast, &[
        "receiving mail too quickly", "receiving mail at a rate", "receiving messages too quickly", "receiving limits",
        "receive limit", "receiving limit", "recipient has exceeded message rate",
        "recipient has exceeded the message rate", "recipient has exceeded", "recipient is receiving",
        "deferred due to excessive volume", "recipient thread limit", "too much email in a short period",
        "too many messages for this recipient", "recipient's rate limit", "user has received too many",
        "recipient has received too many",
    ]),
    (Mechanism, Passing, SystemFull, &[
        "insufficient system storage", "insufficient system resource", "insufficient disk space", "disk full",
        "not enough disk space", "no space left on", "file system full", "filesystem full", "mail system full",
        "out of disk space", "disk is full", "system storage", "out of memory or disk", "no disk space",
        "low disk space",
    ]),
    // SES's and the servers' own attempts ended.
    (Mechanism, Passing, Expired, &[
        "message expired", "message has expired", "delivery expired", "delivery time expired", "maximum-time-expired",
    ]),
    (Named, Passing, Expired, &[
        "too long in queue", "in the queue too long", "been in the queue", "not delivered within",
        "delivered for hours", "delivered for days", "delivered for too long", "deliver for hours", "deliver for days",
        "retry timeout", "retry time", "retries exceeded", "multiple retries", "after several attempts",
        "after numerous attempts", "number of attempts", "attempts exceeded", "attempts: @", "delivery failed attempts",
        "failing for a long time", "message is too old", "message too old", "queue lifetime", "maximum queue",
        "delivery timeout", "has been delayed", "delivery is delayed", "still undelivered", "time limit exceeded",
        "giving up after", "no further attempts", "not possible within", "all attempts failed", "attempts failed",
        "not be delivered within",
    ]),
    (Named, Passing, NetworkError, &[
        "closed the connection", "closed connection", "connection timed out", "connection timeout", "operation timed out", "timed out while",
        "network is unreachable", "network error on", "no route to host", "connection refused",
        "connection was refused", "host not reachable", "host unreachable", "host is unreachable", "not reachable",
        "lost connection", "connection dropped", "connection reset", "connection lost", "connection was dropped",
        "connection closed", "broken connection", "unable to connect", "unable to contact", "did not respond",
        "not respond", "not responding", "could not open connection", "cannot open connection", "unable to reach",
        "could not contact", "name resolution", "are down", "could not connect", "cannot connect", "can't connect",
        "failed to connect", "connection failed", "no answer from host", "bad connection", "no response from",
        "host name lookup failure", "lookup failure", "lookup timed out", "dns timeout", "dns server failure",
        "name server failure", "dns lookup failed", "dns not available", "name server timeout",
        "try again: host not found", "host not found, try again", "unexpected name server reply", "server greeting",
        "upstream error", "network unreachable", "smtp timeout",
    ]),
    (Named, Passing, SystemError, &[
        "queue file", "write error", "too many talkers", "address verification in progress", "unverified address",
        "temporary lookup", "temporary local problem", "temporary failure", "temporary error", "temporary system",
        "temporary problem", "temporary domain failure", "temporary resource", "temporarily rejected",
        "temporarily unavailable", "temporarily not available", "temporarily unable", "resources temporarily",
        "currently unavailable", "service is unavailable", "server busy", "server is busy", "server too busy",
        "too busy", "too much load", "system load", "load is too high", "overloaded", "server overload",
        "service not available", "operating system error", "shutting down", "system is down", "under maintenance",
        "license expired",
    ]),
    (Mention, Passing, SystemError, &[
        "try again", "at this time", "right now", "at the moment", "retry", "try later", "please resend",
        "try to resend", "try it later", "come back later", "temporarily", "temporary", "temporaire", "temporar",
        "voruebergehend", "vorubergehend", "temporal", "temporanea", "deferred", "at a later time", "essayer plus tard",
        "mas tarde", "spater", "spaeter erneut", "piu tardi", "mais tarde", "попробуйте позже", "pozniej",
        "closing transmission channel", "closing connection", "closing channel",
    ]),
    (Mention, Passing, NetworkError, &[
        "able to establish", "unable to establish", "could not resolve", "cannot resolve",
    ]),
    (Mention, Passing, Expired, &["giving up", "has expired", "for days", "for hours", "queue too long"]),
    (Vague, Passing, NetworkError, &["connect to"]),
    (Vague, Passing, SystemError, &["service unavailable", "timed out", "timeout", "time-out"]),
];

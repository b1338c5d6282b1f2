//! Codes that large providers and filters write into their replies. Each names one condition.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    // Orange (OFR) and La Poste (LPN): the number after the underscore is the condition. https://postmaster.orange.fr/
    (Exact, Address, UserUnknown, &["ofr_415", "ofr_416", "ofr_418", "lpn007_416"]),
    (Exact, Address, Suspended, &["ofr_420"]),
    (Exact, Passing, MailboxFull, &["ofr_417", "lpn007_417"]),
    (Exact, Sender, SpamDetected, &["ofr_506", "ofr506", "lpn_506", "lpn007_506"]),
    (Exact, Sender, Blocked, &[
        "ofr_102", "ofr006_102", "ofr_103", "ofr_502", "ofr_503", "ofr005_505", "ofr_513", "lpn006_102", "lpn006_107",
        "lpn001_108", "lpn000_630", "lpn007_510",
    ]),
    (Exact, Sender, TooManyConn, &["ofr_104", "ofr004_104", "ofr_109"]),
    // Deutsche Telekom, T-Online: https://postmaster.t-online.de/index.en.html
    (Exact, Sender, Blocked, &["(bl)", "(dial)", "(nowl)"]),
    // Microsoft consumer mail: https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx
    (Exact, Sender, Blocked, &["sc-002", "sc-003", "sc-004", "ou-001", "ou-002", "dy-001", "dy-002"]),
    (Exact, Sender, PolicyViolation, &["sc-001"]),
    (Exact, Sender, RateLimited, &["rp-001", "rp-002", "rp-003"]),
    (Exact, Address, UserUnknown, &["(s2017062302)"]),
    (Exact, Sender, Blocked, &["part of their network is on our block list", "(s3140)", "(s3150)"]),
    // Yahoo and AOL: https://senders.yahooinc.com/smtp-error-codes/
    (Exact, Sender, BadReputation, &["[tss04]", "[tss05]", "[tss07]"]),
    (Exact, Sender, Feedback, &["[ts01]", "[ts02]"]),
    (Exact, Sender, Blocked, &["[ts03]", "[ts04]", "[tss09]", "[tss11]", "[bl21]", "[bl22]", "[bl23]"]),
    (Exact, Sender, PolicyViolation, &["[ph01]"]),
    (Exact, Sender, Blocked, &["[iprpt]", "[ipts04]", "554rlyb1", "rly:b1", "(dns:nr)", "con:b1", "hvu:b1"]),
    // Gmail names the article of its help, https://support.google.com/a/answer/3726730.
    (Exact, Address, UserUnknown, &["?p=nosuchuser"]),
    (Exact, Address, Suspended, &["?p=disableduser", "?p=userdisabled"]),
    (Exact, Passing, MailboxFull, &["?p=overquota"]),
    (Exact, Passing, ReceivingTooFast, &["?p=receivingrate", "?p=receivingdomainrate"]),
    (Exact, Sender, AuthFailure, &["?p=dmarcrejection", "?p=unauthenticatedmail", "?p=unauthemail", "?p=tlsrequired"]),
    (Exact, Sender, RateLimited, &["?p=unsolicitedratelimiterror", "?p=ratelimit", "?p=unsolicitedmessageerror"]),
    (Exact, Sender, BadReputation, &["?p=unsolicitedipderror"]),
    (Exact, Sender, ContentError, &["?p=blockedmessage"]),
    (Exact, Sender, Rejected, &["?p=customfromdenied"]),
    // AT&T.
    (Exact, Sender, Blocked, &["dnsbl:rbl", "dnsbl:attrbl", "dnsbl:"]),
    // NetEase (163.com, 126.com): http://mail.163.com/help/help_spam_16.htm
    (Exact, Sender, SpamDetected, &["dt:spm", "dt:sum", "hl:itc", "mi:spb"]),
    (Exact, Sender, Blocked, &["dt:rbl", "hl:ipb", "hl:rep", "wm:bli", "wm:blu"]),
    (Exact, Sender, AuthFailure, &["mi:spf"]),
    (Exact, Sender, Rejected, &["mi:imf", "mi:nhd"]),
    (Exact, Sender, TooManyConn, &["hl:icc"]),
    (Exact, Sender, RateLimited, &[
        "hl:ifc", "hl:mep", "mi:cel", "mi:ccl", "mi:dmc", "rp:cel", "rp:ccl", "rp:drc", "rp:rcl", "rp:trc", "rp:qrc",
    ]),
    // Tencent QQ: https://service.mail.qq.com/
    (Exact, Sender, RateLimited, &["frequency limited", "connection frequency limited", "ip frequency"]),
    (Exact, Sender, SpamDetected, &[
        "content denied", "suspected spam ip", "mail content denied", "message contains spam",
    ]),
    (Exact, Sender, Blocked, &["domain frequency", "connection denied"]),
    // GMX, web.de, mail.com: https://postmaster.gmx.net/en/error-messages
    (Exact, Sender, Blocked, &["&c=bl", "ip address is black listed", "bad dnsbl"]),
    (Exact, Sender, RequirePtr, &["bad dns ptr", "&c=rdns", "dns ptr resource record"]),
    (Exact, Sender, AuthFailure, &[
        "&c=spf", "&c=hi", "dmarc sender invalid", "spf sender invalid", "dkim sender invalid",
    ]),
    // Comcast: http://postmaster.comcast.net/smtp-error-codes.php
    (Exact, Sender, AuthFailure, &["#dm00"]),
    (Exact, Sender, Blocked, &["#bl00", "bl000000", "bl000001", "bl000010"]),
    (Exact, Sender, RateLimited, &["#rl00", "rl000001", "rl000002", "rl000010"]),
    // Cox: https://www.cox.com/residential/support/email-error-codes.html
    (Exact, Sender, Blocked, &["aup#cxbl", "aup#bl", "aup#rbl", "aup#cdrbl", "aup#o-", "aup#i-", "cxbl"]),
    (Exact, Sender, RequirePtr, &["aup#dns", "cxdns"]),
    (Exact, Sender, AuthFailure, &["aup#spf"]),
    (Exact, Sender, TooManyConn, &["cxcnct"]),
    (Exact, Sender, RateLimited, &["aup#lim", "cxthrt"]),
    (Exact, Sender, SpamDetected, &["aup#in-", "aup#out-", "aup#spm"]),
    // iCloud: https://support.apple.com/102322
    (Exact, Sender, PolicyViolation, &["[cs01]", "[cs02]", "[hm07]", "[hm08]"]),
    (Exact, Sender, AuthFailure, &["[hme1]"]),
    // Facebook: https://www.facebook.com/postmaster/response_codes
    (Exact, Address, UserUnknown, &["rcp-p1", "int-p1", "int-p3", "int-p4"]),
    (Exact, Passing, MailboxFull, &["int-p7"]),
    (Exact, Sender, Blocked, &["pol-p1", "pol-p3", "pol-p4", "pol-t1"]),
    (Exact, Sender, RequirePtr, &["pol-p2", "dns-p3"]),
    (Exact, Sender, Rejected, &["dns-p1", "dns-p2"]),
    (Exact, Sender, SpamDetected, &["pol-p6"]),
    (Exact, Sender, AuthFailure, &["pol-p7"]),
    (Exact, Sender, PolicyViolation, &["pol-p8"]),
    (Exact, Sender, Filtered, &["rcp-p2", "rcp-p3"]),
    (Exact, Sender, EmailTooLarge, &["msg-p1"]),
    (Exact, Sender, ContentError, &["msg-p2"]),
    (Exact, Sender, NotCompliantRfc, &["msg-p3"]),
    // Exchange names its component and the condition.
    (Exact, Address, UserUnknown, &[
        "resolver.adr.recipnotfound", "resolver.adr.recipientnotfound", "resolver.adr.exrecipnotfound",
        "resolver.adr.badprimary", "resolver.adr.invalidinsmtp", "mailbox backend",
    ]),
    (Exact, Passing, ReceivingTooFast, &["resolver.rst.recipientthreadlimit", "recipientthreadlimit"]),
    (Exact, Passing, MailboxFull, &["quotaexceeded", "shutoffquotaexceeded", "storedrv.deliver: mailbox full"]),
    (Exact, Sender, ExceedLimit, &["resolver.rst.recipsizelimit", "resolver.rst.sendsizelimit"]),
    (Exact, Sender, Filtered, &[
        "resolver.rst.notauthorized", "resolver.rst.authrequired", "resolver.rst.sendernotauthenticated",
    ]),
    (Exact, Sender, PolicyViolation, &["transport.rules.rejectmessage", "storedrv.submission.exception"]),
    (Exact, Passing, Expired, &["queue.expired"]),
    (Exact, Sender, NoRelaying, &["tenantattribution"]),
    // Proofpoint, Cloudmark, Mimecast, Barracuda, Cisco.
    (Exact, Sender, Blocked, &["ipcheck.proofpoint.com", "blocked using cm-csi", "barracuda reputation"]),
    (Exact, Sender, BadReputation, &[
        "see poor reputation sender", "cloudmark poor reputation", "csi.mimecast.org", "senderbase",
    ]),
    (Exact, Sender, Filtered, &["envelope blocked - user domain"]),
    (Exact, Sender, Blocked, &["envelope blocked", "header based manually blocked senders", "blocked senders"]),
];

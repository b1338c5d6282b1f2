//! Which header fields a forward keeps.

use crate::mail::Field;

/// Fields that a forward never has, besides those that are written anew. The table in [`super`] has the reasons.
const DROPPED: [&str; 29] = [
    "Apparently-To",
    "Authentication-Results",
    "Bcc",
    "Bounces-To",
    "Delivered-To",
    "Disposition-Notification-Options",
    "Disposition-Notification-To",
    "DKIM-Signature",
    "DomainKey-Signature",
    "Envelope-To",
    "Errors-To",
    "Feedback-ID",
    "Generate-Delivery-Report",
    "Message-ID",
    "Original-From",
    "Original-Message-ID",
    "Prevent-NonDelivery-Report",
    "Received-SPF",
    "Resent-Bcc",
    "Return-Path",
    "Return-Receipt-To",
    "Sender",
    "X-Confirm-Reading-To",
    "X-Delivered-To",
    "X-Envelope-To",
    "X-Google-DKIM-Signature",
    "X-Original-Authentication-Results",
    "X-Original-To",
    "X-Pmrqc",
];

/// Prefixes of such fields.
const DROPPED_PREFIXES: [&str; 5] = [
    "ARC-",
    "X-SES-",
    "X-Postroom-",
    "X-Spam-",
    "X-MS-Exchange-Organization-",
];

/// Fields that SES accepts once only, besides dropped fields, fields that are written anew and `Content-*`.
const SINGLE: [&str; 38] = [
    "Accept-Language",
    "acceptLanguage",
    "Archived-At",
    "Auto-Submitted",
    "Comments",
    "Date",
    "Importance",
    "In-Reply-To",
    "Keywords",
    "List-Archive",
    "List-Help",
    "List-Id",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Message-Context",
    "MIME-Version",
    "Organization",
    "Original-Recipient",
    "Original-Subject",
    "Precedence",
    "Priority",
    "References",
    "Reply-To",
    "Sensitivity",
    "Solicitation",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "User-Agent",
    "VBR-Info",
    "X-Auto-Response-Suppress",
    "X-Mailer",
    "X-MSMail-Priority",
    "X-MimeOLE",
    "X-Priority",
];

/// Fields whose syntax does not allow encoded words.
const STRUCTURED: [&str; 20] = [
    "Archived-At",
    "Auto-Submitted",
    "Date",
    "In-Reply-To",
    "List-Archive",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Precedence",
    "Received",
    "Resent-Date",
    "Resent-Message-ID",
    "Thread-Index",
    "VBR-Info",
    "X-Auto-Response-Suppress",
    "X-Received",
];

/// Fields that are written anew.
const REWRITTEN: [&str; 5] = ["From", "To", "Cc", "Reply-To", "References"];

/// Longer values and names are dropped: mail programs do not need them, and decoding them takes time.
const MAX_VALUE_OCTETS: usize = 32 * 1024;
const MAX_NAME_OCTETS: usize = 76;

/// Whether a forward keeps a field, unchanged or encoded.
pub(super) fn is_kept(field: &Field<'_>) -> bool {
    field.name().len() <= MAX_NAME_OCTETS
        && field.raw_value().len() <= MAX_VALUE_OCTETS
        && !REWRITTEN.iter().chain(&DROPPED).any(|dropped| field.is(dropped))
        && !DROPPED_PREFIXES.iter().any(|prefix| has_prefix(field, prefix))
}

/// Whether a forward keeps only the first field of this name.
pub(super) fn is_single(field: &Field<'_>) -> bool {
    SINGLE.iter().any(|single| field.is(single)) || is_content_field(field)
}

/// Whether the syntax of a field does not allow encoded words.
pub(super) fn is_structured(field: &Field<'_>) -> bool {
    STRUCTURED.iter().any(|name| field.is(name))
}

/// Whether a field is one of `Content-*`.
pub(super) fn is_content_field(field: &Field<'_>) -> bool {
    has_prefix(field, "Content-")
}

fn has_prefix(field: &Field<'_>, prefix: &str) -> bool {
    field
        .name()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

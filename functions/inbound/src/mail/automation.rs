//! Signs that a mail is automatic or in a loop, and what each sign forbids.

use std::fmt;

use notification_model::EmailAddress;

use super::{Author, Field, HeaderBlock, Limits, ReportKind};

/// The header field that names the mailboxes that forwarded a mail: one field for each, the last one first.
pub(super) const LOOP_FIELD: &str = "X-Postroom-Forwarded";

/// An action that must not be taken on automatic mail, or not on mail in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticAction {
    /// Send an automatic reply.
    AutoReply,
    /// Send a bounce.
    Bounce,
    /// Send a forward, or the notice that replaces one.
    Forward,
}

/// A sign that a mail is automatic or in a loop. `Display` gives the text for a reason. It quotes no content of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AutomationSign {
    /// `Auto-Submitted` with a value other than `no`.
    AutoSubmitted,
    /// The return path is null.
    NullReturnPath,
    /// The sender is a mail system, such as `MAILER-DAEMON`.
    MailerDaemon,
    /// The sender does not read replies, or is the address of a list manager.
    NoReplySender,
    /// `Precedence: bulk`, `list`, `junk` or `auto_reply`.
    Precedence(&'static str),
    /// A `List-*` field, by its name.
    List(&'static str),
    /// `Feedback-ID`, a field of bulk mail.
    FeedbackId,
    /// `X-Auto-Response-Suppress`.
    AutoResponseSuppress {
        /// Whether the field also suppresses bounces.
        bounces: bool,
    },
    /// `X-Autoreply` and similar fields.
    AutoReply,
    /// The mail is a report.
    Report(ReportKind),
    /// The mail was forwarded before, by the mailbox with this key.
    ForwardedBy(String),
    /// Postroom forwarded the mail this many times, which is more than [`Limits::forwards`].
    TooManyForwards(usize),
    /// The mail has this many `Received` fields, which is more than [`Limits::received_fields`].
    TooManyReceivedFields(usize),
    /// The mailbox itself wrote the mail. See [`MailFacts::forbidding_sign`](super::MailFacts::forbidding_sign).
    FromMailboxItself,
}

impl AutomationSign {
    /// Whether the sign forbids an action of a mailbox. The [module documentation](super) has the table and the reasons.
    #[must_use]
    pub fn forbids(&self, action: AutomaticAction, mailbox: &str) -> bool {
        match (self, action) {
            (_, AutomaticAction::AutoReply) => true,
            (Self::TooManyForwards(_) | Self::TooManyReceivedFields(_), AutomaticAction::Forward) => true,
            (Self::ForwardedBy(by), AutomaticAction::Forward) => by.eq_ignore_ascii_case(mailbox),
            (_, AutomaticAction::Forward) => false,
            (
                Self::NoReplySender | Self::List(_) | Self::FeedbackId | Self::Precedence("bulk" | "list"),
                AutomaticAction::Bounce,
            ) => false,
            (Self::AutoResponseSuppress { bounces }, AutomaticAction::Bounce) => *bounces,
            (_, AutomaticAction::Bounce) => true,
        }
    }
}

impl fmt::Display for AutomationSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoSubmitted => f.write_str("the mail is automatic (Auto-Submitted)"),
            Self::NullReturnPath => f.write_str("the return path is null"),
            Self::MailerDaemon => f.write_str("the sender is a mail system"),
            Self::NoReplySender => f.write_str("the sender does not read replies"),
            Self::Precedence(value) => write!(f, "the precedence is {value}"),
            Self::List(name) => write!(f, "the mail comes from a mailing list ({name})"),
            Self::FeedbackId => f.write_str("the mail is bulk mail (Feedback-ID)"),
            Self::AutoResponseSuppress { .. } => {
                f.write_str("the sender suppresses automatic replies (X-Auto-Response-Suppress)")
            }
            Self::AutoReply => f.write_str("the mail is an automatic reply"),
            Self::Report(ReportKind::Delivery) => f.write_str("the mail is a delivery report"),
            Self::Report(ReportKind::Feedback) => f.write_str("the mail is a feedback report"),
            Self::Report(ReportKind::Other) => f.write_str("the mail is a report"),
            Self::ForwardedBy(_) => f.write_str("Postroom forwarded the mail before"),
            Self::TooManyForwards(count) => write!(f, "Postroom forwarded the mail {count} times before"),
            Self::TooManyReceivedFields(count) => write!(f, "the mail passed {count} servers"),
            Self::FromMailboxItself => f.write_str("the mailbox itself sent the mail"),
        }
    }
}

/// Local parts of mail systems.
const DAEMONS: [&str; 6] = [
    "mailer-daemon",
    "postmaster",
    "mailer",
    "mail-daemon",
    "double-bounce",
    "daemon",
];
/// Local parts of list managers and other programs.
const ROBOTS: [&str; 3] = ["listserv", "majordomo", "autoresponder"];
const ROBOT_SUFFIXES: [&str; 5] = ["-request", "-owner", "-bounces", "-bounce", "-noreply"];

const LIST_FIELDS: [&str; 8] = [
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "List-Help",
    "List-Subscribe",
    "List-Owner",
    "List-Archive",
    "Mailing-List",
];

const AUTO_REPLY_FIELDS: [&str; 6] = [
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Autoreply-From",
    "X-Mail-Autoreply",
    "X-Autogenerated",
];

/// Finds every sign in a header.
pub(super) fn find_signs(
    header: &HeaderBlock<'_>,
    from: &[Author],
    return_path: Option<&EmailAddress>,
    is_null_return_path: bool,
    report: Option<ReportKind>,
    limits: &Limits,
) -> Vec<AutomationSign> {
    let mut signs = loop_signs(header, limits);
    signs.extend(report.map(AutomationSign::Report));
    if is_null_return_path {
        signs.push(AutomationSign::NullReturnPath);
    }
    if first_words(header, "Auto-Submitted").any(|first| first != "no") {
        signs.push(AutomationSign::AutoSubmitted);
    }
    signs.extend(sender_signs(from, return_path));
    if AUTO_REPLY_FIELDS
        .iter()
        .any(|name| first_words(header, name).any(|first| first != "no"))
    {
        signs.push(AutomationSign::AutoReply);
    }
    for precedence in ["bulk", "list", "junk", "auto_reply"] {
        if first_words(header, "Precedence").any(|first| first == precedence) {
            signs.push(AutomationSign::Precedence(precedence));
        }
    }
    signs.extend(suppressed_responses(header));
    let list_field = LIST_FIELDS.into_iter().find(|name| header.get(name).is_some());
    signs.extend(list_field.map(AutomationSign::List));
    if header.get("Feedback-ID").is_some() {
        signs.push(AutomationSign::FeedbackId);
    }
    signs
}

fn loop_signs(header: &HeaderBlock<'_>, limits: &Limits) -> Vec<AutomationSign> {
    let mut signs = Vec::new();
    let received = header.all("Received").count();
    if received > limits.received_fields {
        signs.push(AutomationSign::TooManyReceivedFields(received));
    }
    let forwarded: Vec<_> = header.all(LOOP_FIELD).map(Field::unfolded).collect();
    if forwarded.len() > limits.forwards {
        signs.push(AutomationSign::TooManyForwards(forwarded.len()));
    }
    // A sender can write any number of these fields. Those beyond the limit add nothing.
    signs.extend(
        forwarded
            .into_iter()
            .take(limits.forwards)
            .map(AutomationSign::ForwardedBy),
    );
    signs
}

fn sender_signs(from: &[Author], return_path: Option<&EmailAddress>) -> Vec<AutomationSign> {
    let locals = from
        .iter()
        .filter_map(|author| author.address.as_ref())
        .chain(return_path)
        .map(|address| address.key().rsplit_once('@').map_or(address.key(), |(local, _)| local));
    let (daemons, others): (Vec<_>, Vec<_>) = locals.partition(|local| DAEMONS.contains(local));
    let daemon = (!daemons.is_empty()).then_some(AutomationSign::MailerDaemon);
    let robot = others
        .into_iter()
        .any(is_robot)
        .then_some(AutomationSign::NoReplySender);
    daemon.into_iter().chain(robot).collect()
}

/// Returns the first word of every header field called `name`, in lower case, without comments and parameters.
fn first_words<'a>(header: &'a HeaderBlock<'_>, name: &'a str) -> impl Iterator<Item = String> + 'a {
    header
        .all(name)
        .map(|field| {
            let line = field.unfolded().to_ascii_lowercase();
            let word = line.split(|c: char| c.is_whitespace() || ";(,".contains(c)).next();
            word.unwrap_or_default().to_owned()
        })
        .filter(|word| !word.is_empty())
}

fn suppressed_responses(header: &HeaderBlock<'_>) -> Option<AutomationSign> {
    let values = header.all("X-Auto-Response-Suppress").map(Field::unfolded);
    let values = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let has_any = |names: &[&str]| values.split(',').any(|value| names.contains(&value.trim()));
    has_any(&["all", "oof", "autoreply", "ndr"]).then(|| AutomationSign::AutoResponseSuppress {
        bounces: has_any(&["all", "ndr"]),
    })
}

/// Recognises `no-reply`, `bounces+123`, `owner-list`, `list-request` and similar local parts.
fn is_robot(local: &str) -> bool {
    let joined = local.replace(['-', '_', '.'], "");
    ROBOTS.contains(&local)
        || ROBOT_SUFFIXES.iter().any(|suffix| local.ends_with(suffix))
        || ["noreply", "donotreply"]
            .iter()
            .any(|prefix| joined.starts_with(prefix))
        || ["bounce", "bounces", "owner"].iter().any(|prefix| {
            local
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '+', '_', '.', '=']))
        })
}

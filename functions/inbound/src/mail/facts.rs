//! What a header says that matters for a decision: who wrote, and whether it is a loop in the making.

use std::fmt;

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::text::{self, Written};
use super::{Field, Head, Limits, forward};

/// What a header says. `Debug` shows no content, so that it can be logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// Those in `From`, as many as are written there.
    pub from: Vec<Author>,
    /// `Reply-To`, else the usable addresses of `From`: where a person's answer goes.
    pub reply_to: Vec<EmailAddress>,
    /// Everyone in `To` and `Cc`, of all fields of these names.
    pub named: Vec<EmailAddress>,
    /// Where an automatic answer may go, and nowhere else (RFC 3834 section 4): the return path. Absent if null or unknown.
    pub return_path: Option<EmailAddress>,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// `Message-ID` with its angle brackets.
    pub message_id: Option<String>,
    /// `References` (else `In-Reply-To`) as ids with angle brackets, oldest first.
    pub references: Vec<String>,
    /// `Date`, when it can be read.
    pub date: Option<Timestamp>,
    /// What speaks against an answer, a bounce or a forward.
    pub signs: Vec<LoopSign>,
    /// How many `Received` fields there are.
    pub hops: usize,
    /// What kind of report it is, if any.
    pub report: Option<ReportKind>,
}

/// One mailbox of `From`.
#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    /// The display name, decoded, without control and direction characters.
    pub name: Option<String>,
    /// The address; absent when what stands there is none.
    pub address: Option<EmailAddress>,
}

/// What somebody wants to do with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticAction {
    /// Response it automatically.
    Response,
    /// Bounce it.
    Bounce,
    /// Forward it, or send a notice about it in place of it.
    Forward,
}

/// What kind of report a mail says it is (`multipart/report`, RFC 6522).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// A delivery status notification, RFC 3464.
    Delivery,
    /// A feedback report, RFC 5965: a complaint.
    Feedback,
    /// Something else: a read receipt, a DMARC or TLS report.
    Other,
}

/// A sign of automatic mail or of a loop. `Display` gives the words for a reason; they quote nothing but our own mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoopSign {
    /// `Auto-Submitted` with anything but `no`.
    AutoSubmitted,
    /// The envelope sender is null: nobody wants to hear of this mail.
    NullReturnPath,
    /// The sender is a mail system.
    MailerDaemon,
    /// The sender reads no answers, or is a list's robot.
    NoReply,
    /// `Precedence: bulk`, `list`, `junk` or `auto_reply`.
    Precedence(&'static str),
    /// A `List-*` field, by its name.
    List(&'static str),
    /// `Feedback-ID`: bulk mail.
    Bulk,
    /// `X-Auto-Response-Suppress`.
    AutoResponseSuppress {
        /// Bounces are not wanted either.
        bounces: bool,
    },
    /// `X-Autoreply` and its like.
    AutoReply,
    /// A report.
    Report(ReportKind),
    /// Forwarded before, by the mailbox of this key.
    OwnLoopHeader(String),
    /// Forwarded by Postroom more often than allowed.
    OwnHops(usize),
    /// More `Received` fields than allowed.
    Hops(usize),
    /// Written by the mailbox itself; see [`MailFacts::forbidden`].
    FromOurselves,
}

impl LoopSign {
    /// Whether the sign forbids an act in a mailbox; the table in the [module](super) says why.
    #[must_use]
    pub fn forbids(&self, enforcement: AutomaticAction, mailbox: &str) -> bool {
        match (self, enforcement) {
            (_, AutomaticAction::Response) => true,
            (Self::OwnHops(_) | Self::Hops(_), AutomaticAction::Forward) => true,
            (Self::OwnLoopHeader(by), AutomaticAction::Forward) => by.eq_ignore_ascii_case(mailbox),
            (_, AutomaticAction::Forward) => false,
            (
                Self::NoReply | Self::List(_) | Self::Bulk | Self::Precedence("bulk" | "list"),
                AutomaticAction::Bounce,
            ) => false,
            (Self::AutoResponseSuppress { bounces }, AutomaticAction::Bounce) => *bounces,
            (_, AutomaticAction::Bounce) => true,
        }
    }
}

impl fmt::Display for LoopSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoSubmitted => f.write_str("it says that it is automatic (Auto-Submitted)"),
            Self::NullReturnPath => f.write_str("its return path is null"),
            Self::MailerDaemon => f.write_str("its sender is a mail system"),
            Self::NoReply => f.write_str("its sender is a robot that reads no answers"),
            Self::Precedence(value) => write!(f, "its precedence is {value}"),
            Self::List(name) => write!(f, "it comes from a mailing list ({name})"),
            Self::Bulk => f.write_str("it is bulk mail (Feedback-ID)"),
            Self::AutoResponseSuppress { .. } => f.write_str("it asks for no automatic answers"),
            Self::AutoReply => f.write_str("it is an automatic answer"),
            Self::Report(ReportKind::Delivery) => f.write_str("it is a delivery report"),
            Self::Report(ReportKind::Feedback) => f.write_str("it is a feedback report"),
            Self::Report(ReportKind::Other) => f.write_str("it is a report"),
            Self::OwnLoopHeader(_) => f.write_str("it was forwarded from here before"),
            Self::OwnHops(count) => write!(f, "it was forwarded from here {count} times"),
            Self::Hops(count) => write!(f, "it has passed {count} servers"),
            Self::FromOurselves => f.write_str("it was sent from the mailbox itself"),
        }
    }
}

impl MailFacts {
    /// The first sign that forbids an act in the mailbox of this key. `ours` are the addresses that are the mailbox
    /// itself: the recipient, and the addresses its actions send from.
    #[must_use]
    pub fn forbidden(&self, enforcement: AutomaticAction, mailbox: &str, ours: &[&EmailAddress]) -> Option<LoopSign> {
        if enforcement != AutomaticAction::Forward && ours.iter().any(|own| self.is_from(own)) {
            return Some(LoopSign::FromOurselves);
        }
        self.signs
            .iter()
            .find(|sign| sign.forbids(enforcement, mailbox))
            .cloned()
    }

    /// Whether an address is one of the authors, or the return path.
    #[must_use]
    pub fn is_from(&self, address: &EmailAddress) -> bool {
        let authors = self.from.iter().filter_map(|author| author.address.as_ref());
        authors.chain(&self.return_path).any(|one| one.key() == address.key())
    }
}

impl fmt::Debug for MailFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailFacts")
            .field("authors", &self.from.len())
            .field("signs", &self.signs)
            .field("hops", &self.hops)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Author").finish_non_exhaustive()
    }
}

/// What lists and robots are called, in front of the `@`.
const DAEMONS: [&str; 6] = [
    "mailer-daemon",
    "postmaster",
    "mailer",
    "mail-daemon",
    "double-bounce",
    "daemon",
];
const ROBOT_SUFFIXES: [&str; 5] = ["-request", "-owner", "-bounces", "-bounce", "-noreply"];
const ROBOTS: [&str; 3] = ["listserv", "majordomo", "autoresponder"];

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

impl Head<'_> {
    /// What the header says. `envelope_from` is SES's `mail.source`: `""` and `"<>"` are the null return path; without it,
    /// the first `Return-Path` field counts, which SES writes.
    #[must_use]
    pub fn facts(&self, envelope_from: Option<&str>, limits: &Limits) -> MailFacts {
        let from: Vec<Author> = self.written("From").into_iter().map(Author::from).collect();
        let reply_to: Vec<_> = self
            .written("Reply-To")
            .into_iter()
            .filter_map(|one| Author::from(one).address)
            .collect();
        let named = self.written("To").into_iter().chain(self.written("Cc"));
        let named = named.filter_map(|one| Author::from(one).address).collect();
        let envelope = match envelope_from {
            Some(text) => Some(text.to_owned()),
            None => self.get("Return-Path").map(Field::unfolded),
        };
        let return_path = envelope.as_deref().and_then(EmailAddress::parse);
        let report = self.report_kind();
        let references = match self.get("References") {
            Some(field) => text::message_ids(&field.unfolded()),
            None => self
                .get("In-Reply-To")
                .map(|field| text::message_ids(&field.unfolded()))
                .unwrap_or_default(),
        };
        let is_null = envelope.is_some_and(|text| matches!(text.trim(), "" | "<>"));
        let hops = self.all("Received").count();
        MailFacts {
            signs: self.signs(&from, return_path.as_ref(), is_null, report, limits),
            reply_to: if reply_to.is_empty() {
                from.iter().filter_map(|author| author.address.clone()).collect()
            } else {
                reply_to
            },
            subject: self.text("Subject"),
            message_id: self
                .get("Message-ID")
                .and_then(|field| text::message_ids(&field.unfolded()).pop()),
            date: self.get("Date").and_then(|field| parse_date(&field.unfolded())),
            from,
            return_path,
            references,
            named,
            hops,
            report,
        }
    }

    /// The mailboxes of all fields of a name.
    fn written(&self, name: &str) -> Vec<Written> {
        self.all(name)
            .flat_map(|field| text::mailboxes(&field.unfolded()).0)
            .collect()
    }

    fn report_kind(&self) -> Option<ReportKind> {
        let content_type = text::content_type(&self.get("Content-Type")?.unfolded())?;
        let is_report = content_type.ctype() == "multipart" && content_type.subtype() == Some("report");
        let report_type = content_type
            .attribute("report-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        is_report.then_some(match report_type.as_str() {
            "delivery-status" => ReportKind::Delivery,
            "feedback-report" => ReportKind::Feedback,
            _ => ReportKind::Other,
        })
    }

    fn signs(
        &self,
        from: &[Author],
        return_path: Option<&EmailAddress>,
        is_null: bool,
        report: Option<ReportKind>,
        limits: &Limits,
    ) -> Vec<LoopSign> {
        let mut signs = Vec::new();
        let forwarded: Vec<_> = self.all(forward::LOOP_FIELD).map(Field::unfolded).collect();
        let received = self.all("Received").count();
        if received > limits.received_hops {
            signs.push(LoopSign::Hops(received));
        }
        if forwarded.len() > limits.own_hops {
            signs.push(LoopSign::OwnHops(forwarded.len()));
        }
        // One sign more than the limit says nothing new, and the fields are a stranger's.
        signs.extend(forwarded.into_iter().take(limits.own_hops).map(LoopSign::OwnLoopHeader));
        signs.extend(report.map(LoopSign::Report));
        if is_null {
            signs.push(LoopSign::NullReturnPath);
        }
        if self.words("Auto-Submitted").any(|first| first != "no") {
            signs.push(LoopSign::AutoSubmitted);
        }
        let locals = from
            .iter()
            .filter_map(|author| author.address.as_ref())
            .chain(return_path)
            .map(|address| address.key().rsplit_once('@').map_or(address.key(), |(local, _)| local));
        let (daemons, robots): (Vec<_>, Vec<_>) = locals.partition(|local| DAEMONS.contains(local));
        if !daemons.is_empty() {
            signs.push(LoopSign::MailerDaemon);
        }
        if robots.into_iter().any(is_robot) {
            signs.push(LoopSign::NoReply);
        }
        if AUTO_REPLY_FIELDS
            .iter()
            .any(|name| self.words(name).any(|first| first != "no"))
        {
            signs.push(LoopSign::AutoReply);
        }
        for precedence in ["bulk", "list", "junk", "auto_reply"] {
            if self.words("Precedence").any(|first| first == precedence) {
                signs.push(LoopSign::Precedence(precedence));
            }
        }
        signs.extend(self.suppressed_responses());
        signs.extend(
            LIST_FIELDS
                .into_iter()
                .find(|name| self.get(name).is_some())
                .map(LoopSign::List),
        );
        if self.get("Feedback-ID").is_some() {
            signs.push(LoopSign::Bulk);
        }
        signs
    }

    /// The first word of every field of a name, in small letters, without comments and parameters.
    fn words<'b>(&'b self, name: &'b str) -> impl Iterator<Item = String> + 'b {
        self.all(name)
            .map(|field| {
                let line = field.unfolded().to_ascii_lowercase();
                let word = line.split(|c: char| c.is_whitespace() || ";(,".contains(c)).next();
                word.unwrap_or_default().to_owned()
            })
            .filter(|word| !word.is_empty())
    }

    fn suppressed_responses(&self) -> Option<LoopSign> {
        let values = self
            .all("X-Auto-Response-Suppress")
            .map(Field::unfolded)
            .collect::<Vec<_>>()
            .join(",");
        let values = values.to_ascii_lowercase();
        let asked = |names: &[&str]| values.split(',').any(|value| names.contains(&value.trim()));
        asked(&["all", "oof", "autoreply", "ndr"]).then(|| LoopSign::AutoResponseSuppress {
            bounces: asked(&["all", "ndr"]),
        })
    }
}

const LONGEST_ADDRESS: usize = 320;
const LONGEST_NAME: usize = 300;

impl From<Written> for Author {
    fn from(written: Written) -> Self {
        // What is longer is no address, and no key of a table.
        let address = written
            .address
            .filter(|address| address.contains('@') && address.len() <= LONGEST_ADDRESS);
        Self {
            name: written.name.map(|name| text::clip(&name, LONGEST_NAME)),
            address: address.as_deref().and_then(EmailAddress::parse),
        }
    }
}

/// `no-reply`, `bounces+123`, `owner-list`, `list-request`, ...
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

/// A date as mail writes it, RFC 5322 with the liberties that programs take.
pub(super) fn parse_date(line: &str) -> Option<Timestamp> {
    let date = mail_parser::DateTime::parse_rfc822(&text::clip(line, 200)).filter(mail_parser::DateTime::is_valid)?;
    Timestamp::from_second(date.to_timestamp()).ok()
}

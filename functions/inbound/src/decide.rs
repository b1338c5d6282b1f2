//! What happens to a mail. Pure: no clock, no environment, no AWS, and it cannot fail.
//!
//! Each mailbox that the mail is for judges the verdicts by its own rules and takes its own actions. SES, however, wants
//! one disposition for all of them. It only steers later actions and rules, never what is done here, so the **mildest**
//! wins: a mailbox that stops a mail does not take it from another recipient's later rules. A virus is the exception;
//! who wants it gets it by a mailbox's own actions, and nobody else by accident.

mod answering;
mod summary;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use notification_model::{EmailAddress, Received, VerdictStatus};
use store::{
    IndexedMail, IndexedSubject, KeptSubject, MailLocation, Mailbox, MailboxAction, MailboxKey, NotifyTarget,
    VerdictAction, VerdictRules,
};

use crate::mail::{Author, AutomaticAction, Head, Limits, LoopSign, MailFacts, ReportKind};
use crate::settings::Policy;
use crate::token;
use crate::verdict::{Disposition, VerdictEvaluation, default_disposition, evaluate_verdicts};

pub use summary::SUMMARY_VERSION;

/// Room for an unsubscribe token and more.
const SUBJECT_CHARS: usize = 4000;

/// What is known beside SES's event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The mailboxes that can be meant, by key: those of [`keys_of`].
    pub mailboxes: BTreeMap<MailboxKey, Mailbox>,
    /// The mail's header.
    pub head: HeadFacts,
    /// The mail's size in octets.
    pub size: Option<u64>,
    /// Where the mail is, when it is in a bucket.
    pub location: Option<MailLocation>,
    /// Addresses that must not be mailed, by key, with the reason.
    pub suppressed: BTreeMap<String, String>,
    /// When it is decided.
    pub now: Timestamp,
}

/// What is known of a mail's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadFacts {
    /// It was read.
    Read(Box<MailFacts>),
    /// It cannot be read, and why.
    Unreadable(String),
    /// It was not looked at. What depends on it says so, and is not carried out.
    Unknown,
}

/// What happens to a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What SES is told.
    pub disposition: Disposition,
    /// What each mailbox makes of it.
    pub mailboxes: Vec<MailboxDecision>,
    /// What is done once for the mail, whoever it is for.
    pub actions: Vec<Action>,
    /// Why SES is told so, and other things about the mail as a whole.
    pub reasons: Vec<String>,
}

/// What one mailbox makes of a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct MailboxDecision {
    /// The mailbox; `None` when the recipients have none.
    pub mailbox: Option<MailboxKey>,
    /// Its share of the recipients.
    pub recipients: Vec<EmailAddress>,
    /// What it makes of the verdicts.
    pub evaluation: VerdictEvaluation,
    /// What is done.
    pub actions: Vec<Action>,
    /// The mail as the mailbox's index has it; written by [`What::Index`], and by whatever turns out later.
    pub row: IndexedMail,
}

/// One thing to do, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// What.
    pub what: What,
    /// Why, in words.
    pub reason: String,
}

/// One thing to do. Each may run twice.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Write the mail, or the note of what was not done, into the mailbox's index.
    Index,
    /// Send the mail to one address.
    Forward {
        /// Whom.
        to: EmailAddress,
        /// The verified address it is sent from.
        from: EmailAddress,
    },
    /// Unsubscribe whom the first valid token names.
    Unsubscribe {
        /// What may be a token.
        candidates: Vec<String>,
    },
    /// Response the mail.
    AutoReply {
        /// Whom: the return path.
        to: EmailAddress,
        /// The verified address that answers.
        from: EmailAddress,
        /// The subject, unless it follows from the mail's.
        subject: Option<String>,
        /// The text.
        text: String,
        /// A sender gets one answer within so many days.
        every_days: u32,
    },
    /// Send the mail back for one recipient.
    Bounce {
        /// For whom it was.
        recipient: EmailAddress,
        /// Where the bounce goes: the return path.
        to: EmailAddress,
        /// The verified address that bounces.
        sender: EmailAddress,
        /// Why, for people.
        message: String,
        /// Why, for machines.
        status_code: String,
    },
    /// Tell a machine.
    Notify {
        /// Which.
        target: NotifyTarget,
        /// The [summary](SUMMARY_VERSION), JSON.
        summary: String,
    },
    /// Publish a report as what it reports.
    PublishReport,
    /// Do not do it.
    Skip {
        /// What: `forward`, `report`, ...
        action: &'static str,
    },
}

impl What {
    /// Its name, for metrics and claims.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Index => "store",
            Self::Forward { .. } => "forward",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::AutoReply { .. } => "auto-reply",
            Self::Bounce { .. } => "bounce",
            Self::Notify { .. } => "notify",
            Self::PublishReport => "report",
            Self::Skip { action } => action,
        }
    }
}

/// The keys of every mailbox that a mail can be for.
#[must_use]
pub fn keys_of(received: &Received) -> Vec<MailboxKey> {
    let keys: BTreeSet<MailboxKey> = received
        .receipt
        .recipients
        .iter()
        .flat_map(MailboxKey::candidates)
        .collect();
    keys.into_iter().collect()
}

/// The disposition, for when no more than this is known. What else is in a [`Decision`] never changes it.
#[must_use]
pub fn disposition(received: &Received, mailboxes: &BTreeMap<MailboxKey, Mailbox>) -> Disposition {
    let judged = shares(received, mailboxes).into_iter().map(|(mailbox, _)| {
        let rules = mailbox.map_or_else(VerdictRules::default, |mailbox| mailbox.verdicts);
        let evaluation = evaluate_verdicts(&received.receipt, &rules);
        (disposition_of(mailbox, &evaluation), evaluation.virus)
    });
    common_disposition(judged).unwrap_or_else(|| default_disposition(&received.receipt))
}

/// Whether the decision depends on the mail's header, or shows its size.
#[must_use]
pub fn needs_head(received: &Received, mailboxes: &BTreeMap<MailboxKey, Mailbox>, policy: &Policy) -> bool {
    let shares = shares(received, mailboxes);
    let judged = shares.iter().map(|(mailbox, _)| {
        let rules = mailbox.map_or_else(VerdictRules::default, |mailbox| mailbox.verdicts);
        (mailbox, evaluate_verdicts(&received.receipt, &rules))
    });
    let (mut any, mut virus) = (false, false);
    for (mailbox, evaluation) in judged {
        virus |= evaluation.virus;
        let bounces = evaluation.action == VerdictAction::Bounce && policy.bounce_sender.is_some();
        let actions = mailbox.map(|mailbox| mailbox.actions.as_slice()).unwrap_or_default();
        let reads = actions.iter().any(|action| match action {
            MailboxAction::Store { .. } => true,
            MailboxAction::Unsubscribe | MailboxAction::Drop { .. } => false,
            _ => !evaluation.stops(),
        });
        any |= !evaluation.virus && (bounces || reads);
    }
    any || policy.publishes_reports && !virus
}

/// The addresses that would be mailed, by the domain they would be mailed from: whether they may be, the store knows.
#[must_use]
pub fn addressees(
    received: &Received,
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
) -> BTreeMap<Option<String>, Vec<EmailAddress>> {
    let mut found: BTreeMap<Option<String>, Vec<EmailAddress>> = BTreeMap::new();
    let mut add = |to: &EmailAddress, from: &EmailAddress| {
        let group = found.entry(from.domain().map(str::to_owned)).or_default();
        if !group.iter().any(|one| one.key() == to.key()) {
            group.push(to.clone());
        }
    };
    for (mailbox, _) in shares(received, mailboxes) {
        let Some(mailbox) = mailbox else { continue };
        if evaluate_verdicts(&received.receipt, &mailbox.verdicts).stops() {
            continue;
        }
        for action in &mailbox.actions {
            match action {
                MailboxAction::Forward { to, from } => to.iter().for_each(|to| add(to, from)),
                MailboxAction::AutoReply { from, .. } => {
                    received.mail.source_address().iter().for_each(|to| add(to, from))
                }
                // Nothing after it is done.
                MailboxAction::Drop { .. } => break,
                _ => {}
            }
        }
    }
    found
}

/// What SES's event alone says of the header; [`HeadFacts::Unknown`] when it holds no headers or cut them.
#[must_use]
pub fn head_of_event(received: &Received, limits: &Limits) -> HeadFacts {
    let mail = &received.mail;
    if mail.headers.is_empty() || mail.headers_truncated == Some(true) {
        return HeadFacts::Unknown;
    }
    let mut block = Vec::new();
    for header in &mail.headers {
        let value = header.value.replace(['\r', '\n'], " ");
        block.extend_from_slice(format!("{}: {value}\r\n", header.name).as_bytes());
    }
    block.extend_from_slice(b"\r\n");
    read_head(&block, true, received, limits)
}

/// What a header block says: that of a `whole` mail, or of a mail's beginning.
#[must_use]
pub fn read_head(mail: &[u8], whole: bool, received: &Received, limits: &Limits) -> HeadFacts {
    let head = match whole {
        true => Head::parse(mail, limits),
        false => Head::parse_beginning(mail, limits),
    };
    match head {
        Ok(head) => HeadFacts::Read(Box::new(head.facts(received.mail.source.as_deref(), limits))),
        Err(error) => HeadFacts::Unreadable(error.to_string()),
    }
}

/// What happens to a mail.
#[must_use]
pub fn decide(received: &Received, facts: &Facts, policy: &Policy) -> Decision {
    let about = About {
        received,
        facts,
        policy,
    };
    let mut reasons = Vec::new();
    let shares = shares(received, &facts.mailboxes);
    let mut mailboxes: Vec<MailboxDecision> = shares
        .into_iter()
        .map(|(mailbox, recipients)| about.mailbox(mailbox, recipients))
        .collect();
    let disposition = disposition(received, &facts.mailboxes);
    reasons.push(match mailboxes.as_slice() {
        [] => format!("{disposition}: SES names no recipient, so the defaults decide"),
        [one] => format!("{disposition}: {}", one.why()),
        all => format!(
            "{disposition}: {} mailboxes share the mail, and the mildest decides{}",
            all.len(),
            if all.iter().any(|one| one.evaluation.virus) {
                ", but for a virus"
            } else {
                ""
            }
        ),
    });
    let report = about.report(mailboxes.iter().any(|one| one.evaluation.virus));
    for mailbox in &mut mailboxes {
        // Somebody has to find out why a report that arrived did nothing.
        if let Some(Action {
            what: What::Skip { .. },
            reason,
        }) = &report
        {
            mailbox.row.reasons.insert(reason.clone());
            if mailbox.mailbox.is_some() {
                mailbox.note();
            }
        }
        about.notify(mailbox, disposition);
    }
    Decision {
        disposition,
        mailboxes,
        actions: report.into_iter().collect(),
        reasons,
    }
}

/// Recipients by the mailbox that takes them; those without one come together, last.
fn shares<'a>(
    received: &Received,
    mailboxes: &'a BTreeMap<MailboxKey, Mailbox>,
) -> Vec<(Option<&'a Mailbox>, Vec<EmailAddress>)> {
    let mut shares: BTreeMap<&MailboxKey, (&Mailbox, Vec<EmailAddress>)> = BTreeMap::new();
    let mut nobodys = Vec::new();
    let mut seen = BTreeSet::new();
    for recipient in &received.receipt.recipients {
        if !seen.insert(recipient.key()) {
            continue;
        }
        let candidates = MailboxKey::candidates(recipient);
        match candidates.iter().find_map(|key| mailboxes.get(key)) {
            Some(mailbox) => {
                let share = shares.entry(&mailbox.key).or_insert_with(|| (mailbox, Vec::new()));
                share.1.push(recipient.clone());
            }
            None => nobodys.push(recipient.clone()),
        }
    }
    let mut found: Vec<_> = shares
        .into_values()
        .map(|(mailbox, recipients)| (Some(mailbox), recipients))
        .collect();
    if !nobodys.is_empty() {
        found.push((None, nobodys));
    }
    found
}

/// Bounced and dropped mail goes no further for this mailbox either.
fn disposition_of(mailbox: Option<&Mailbox>, evaluation: &VerdictEvaluation) -> Disposition {
    let actions = mailbox.map(|mailbox| mailbox.actions.as_slice()).unwrap_or_default();
    let ends = |action: &MailboxAction| matches!(action, MailboxAction::Bounce { .. } | MailboxAction::Drop { .. });
    if !evaluation.stops() && actions.iter().any(ends) {
        return Disposition::StopRuleSet;
    }
    Disposition::of(evaluation.action)
}

fn common_disposition(judged: impl Iterator<Item = (Disposition, bool)>) -> Option<Disposition> {
    let (mut mildest, mut virus) = (None, Disposition::Continue);
    for (disposition, is_virus) in judged {
        mildest = Some(mildest.map_or(disposition, |mildest: Disposition| mildest.min(disposition)));
        if is_virus {
            virus = virus.max(disposition);
        }
    }
    mildest.map(|mildest| mildest.max(virus))
}

impl MailboxDecision {
    fn why(&self) -> String {
        let ends = self.actions.iter().find_map(|action| match &action.what {
            What::Bounce { .. } | What::Skip { action: "bounce" } => Some("the mailbox bounces"),
            What::Skip { action: "drop" } => Some("the mailbox drops"),
            _ => None,
        });
        match (self.evaluation.stops(), ends) {
            (false, Some(ends)) => ends.to_owned(),
            _ if self.evaluation.reasons.is_empty() => "every verdict is PASS".to_owned(),
            _ => self.evaluation.reasons.join("; "),
        }
    }

    /// Makes sure that the index has the mail.
    fn note(&mut self) {
        if self.actions.iter().all(|action| action.what != What::Index) {
            let reason = "so that people can find out what happened".to_owned();
            self.actions.push(Action {
                what: What::Index,
                reason,
            });
        }
    }
}

struct About<'a> {
    received: &'a Received,
    facts: &'a Facts,
    policy: &'a Policy,
}

impl About<'_> {
    fn mailbox(&self, mailbox: Option<&Mailbox>, recipients: Vec<EmailAddress>) -> MailboxDecision {
        let rules = mailbox.map_or_else(VerdictRules::default, |mailbox| mailbox.verdicts);
        let evaluation = evaluate_verdicts(&self.received.receipt, &rules);
        let mut decision = MailboxDecision {
            mailbox: mailbox.map(|mailbox| mailbox.key.clone()),
            row: self.row(mailbox, &recipients, &evaluation),
            recipients,
            evaluation,
            actions: Vec::new(),
        };
        let stops = decision.evaluation.stops();
        if decision.evaluation.action == VerdictAction::Bounce {
            self.bounce_by_verdict(&mut decision);
        }
        for action in mailbox.map(|mailbox| mailbox.actions.as_slice()).unwrap_or_default() {
            if stops && !self.survives_stop(action, &decision.evaluation) {
                continue;
            }
            self.take(action, mailbox, &mut decision);
            if matches!(action, MailboxAction::Drop { .. }) {
                break;
            }
        }
        let skipped = decision
            .actions
            .iter()
            .filter(|action| matches!(action.what, What::Skip { .. }));
        let skipped: Vec<String> = skipped
            .map(|action| format!("{}: {}", action.what.name(), action.reason))
            .collect();
        if stops || !skipped.is_empty() {
            decision.row.reasons.extend(skipped);
            decision.note();
        }
        decision
    }

    /// Spam stays findable, and a signed wish to get no more mail counts however it is written.
    fn survives_stop(&self, action: &MailboxAction, evaluation: &VerdictEvaluation) -> bool {
        match action {
            MailboxAction::Store { .. } => true,
            MailboxAction::Unsubscribe => !evaluation.virus,
            _ => false,
        }
    }

    fn take(&self, action: &MailboxAction, mailbox: Option<&Mailbox>, decision: &mut MailboxDecision) {
        let Some(mailbox) = mailbox else { return };
        let taken = match action {
            MailboxAction::Store { subject, days } => {
                decision.row.subject = self.subject().and_then(|text| IndexedSubject::of(&text, *subject));
                decision.row.expires_at = self.index_end(*days);
                vec![Action::new(What::Index, "the mailbox stores")]
            }
            MailboxAction::Forward { to, from } => to
                .iter()
                .map(|to| self.forward(mailbox, &decision.recipients, to, from))
                .collect(),
            MailboxAction::Unsubscribe => self.unsubscribe(&decision.recipients),
            MailboxAction::AutoReply {
                from,
                subject,
                text,
                every_days,
            } => {
                let reply = match self.may_answer(mailbox, &decision.recipients) {
                    Ok((to, reason)) => Action {
                        what: What::AutoReply {
                            to,
                            from: from.clone(),
                            subject: subject.clone(),
                            text: text.clone(),
                            every_days: *every_days,
                        },
                        reason,
                    },
                    Err(reason) => Action::skip("auto-reply", reason),
                };
                vec![reply]
            }
            MailboxAction::Bounce {
                sender,
                message,
                status_code,
            } => {
                let ours = ours(mailbox, &decision.recipients);
                let bounced = self.may_bounce(&mailbox.key.to_string(), &ours);
                let bounce = |(to, reason): (EmailAddress, String)| {
                    let each = decision.recipients.iter().map(move |recipient| Action {
                        what: What::Bounce {
                            recipient: recipient.clone(),
                            to: to.clone(),
                            sender: sender.clone(),
                            message: message.clone(),
                            status_code: status_code.clone(),
                        },
                        reason: reason.clone(),
                    });
                    each.collect()
                };
                match bounced {
                    Ok(bounced) => bounce(bounced),
                    Err(reason) => vec![Action::skip("bounce", reason)],
                }
            }
            // The summary holds the disposition, which is not known yet.
            MailboxAction::Notify { target } => vec![Action::new(
                What::Notify {
                    target: target.clone(),
                    summary: String::new(),
                },
                "the mailbox notifies",
            )],
            MailboxAction::Drop { reason } => vec![Action::skip("drop", reason.clone())],
        };
        decision.actions.extend(taken);
    }

    fn forward(
        &self,
        mailbox: &Mailbox,
        recipients: &[EmailAddress],
        to: &EmailAddress,
        from: &EmailAddress,
    ) -> Action {
        if let Some(why) = self.facts.suppressed.get(to.key()) {
            return Action::skip("forward", format!("the address must not be mailed: {why}"));
        }
        let reason = match &self.facts.head {
            HeadFacts::Unknown => "the mailbox forwards, unless the header shows a loop".to_owned(),
            // It can't be rewritten either, so a notice goes.
            HeadFacts::Unreadable(problem) => format!("the mailbox forwards, but as a notice: {problem}"),
            HeadFacts::Read(head) => {
                let mut names = loop_names(&mailbox.key, recipients).into_iter();
                if let Some(sign) = names.find_map(|name| head.forbidden(AutomaticAction::Forward, &name, &[])) {
                    return Action::skip("forward", format!("it is a loop: {sign}"));
                }
                // The bounce of a forward, sent on to the address that bounced, would never end.
                let is_report = |sign: &LoopSign| matches!(sign, LoopSign::NullReturnPath | LoopSign::Report(_));
                let came_back = recipients.iter().any(|recipient| recipient.key() == from.key());
                if came_back && head.signs.iter().any(is_report) {
                    return Action::skip("forward", "it is a report to the address that forwards".to_owned());
                }
                "the mailbox forwards".to_owned()
            }
        };
        Action {
            what: What::Forward {
                to: to.clone(),
                from: from.clone(),
            },
            reason,
        }
    }

    fn unsubscribe(&self, recipients: &[EmailAddress]) -> Vec<Action> {
        let subject = self.subject();
        let mut candidates: Vec<String> = recipients
            .iter()
            .flat_map(|recipient| token::find(recipient, subject.as_deref()))
            .collect();
        candidates.dedup();
        if candidates.is_empty() {
            let reason = "neither the address nor the subject holds a token, and From proves nothing";
            return vec![Action::skip("unsubscribe", reason.to_owned())];
        }
        vec![Action::new(
            What::Unsubscribe { candidates },
            "the mailbox unsubscribes whom a valid token names",
        )]
    }

    /// What becomes of a bounce or complaint that arrives as mail; `None` when it is no report, or nobody wants it.
    fn report(&self, virus: bool) -> Option<Action> {
        let HeadFacts::Read(head) = &self.facts.head else {
            return None;
        };
        if !self.policy.publishes_reports || !matches!(head.report, Some(ReportKind::Delivery | ReportKind::Feedback)) {
            return None;
        }
        if virus {
            return Some(Action::skip("report", "report: it has a virus".to_owned()));
        }
        Some(match self.is_trusted(head) {
            true if !self.is_to_us_alone(head) => Action::skip(
                "report",
                "report: not believed, because it names somebody else, and may be sent on by anyone".to_owned(),
            ),
            true => Action::new(What::PublishReport, "a report of a trusted reporter"),
            false => Action::skip(
                "report",
                "report: not believed, because it is not from a trusted domain that DMARC confirms".to_owned(),
            ),
        })
    }

    /// Whoever is believed here can have any address suppressed. DMARC PASS is the one verdict about `From`; SPF and DKIM
    /// alone are about domains that anyone can own.
    fn is_trusted(&self, head: &MailFacts) -> bool {
        let verdict = self.received.receipt.dmarc_verdict.as_ref();
        let passed = verdict.is_some_and(|verdict| verdict.status == VerdictStatus::Pass);
        let [author] = head.from.as_slice() else { return false };
        let domain = author.address.as_ref().and_then(EmailAddress::domain);
        let known = |domain: &str| {
            let mut reporters = self.policy.reporters.iter();
            reporters.any(|reporter| is_within(domain, reporter))
        };
        passed && domain.is_some_and(known) && self.ses_reads_the_same_author(author)
    }

    /// The verdict is about the `From` that SES read. A header can be made so that two programs read two different ones.
    fn ses_reads_the_same_author(&self, author: &Author) -> bool {
        let Some(headers) = &self.received.mail.common_headers else {
            return true;
        };
        let mut read = headers.from.iter().flat_map(|from| EmailAddress::parse_list(from));
        let first = read.next();
        let same = |one: &EmailAddress| author.address.as_ref().is_some_and(|author| author.key() == one.key());
        first.as_ref().is_some_and(same) && read.next().is_none()
    }

    /// A report that SES wrote to another of its customers is signed as well, may be about any message and anybody, as
    /// that customer likes, and can be sent on to us as it is. So it must name us, and nobody else.
    fn is_to_us_alone(&self, head: &MailFacts) -> bool {
        let recipients = &self.received.receipt.recipients;
        let is_ours = |named: &EmailAddress| recipients.iter().any(|recipient| recipient.key() == named.key());
        !head.named.is_empty() && head.named.iter().all(is_ours)
    }

    /// The subject, no longer than a row of the table and a message to a machine have room for.
    fn subject(&self) -> Option<String> {
        let subject = match &self.facts.head {
            HeadFacts::Read(head) => head.subject.as_ref(),
            _ => self.received.mail.common_headers.as_ref()?.subject.as_ref(),
        };
        subject.map(|subject| subject.chars().take(SUBJECT_CHARS).collect())
    }

    fn row(
        &self,
        mailbox: Option<&Mailbox>,
        recipients: &[EmailAddress],
        evaluation: &VerdictEvaluation,
    ) -> IndexedMail {
        let mail = &self.received.mail;
        let nobodys = || {
            let domain = recipients.first().and_then(EmailAddress::domain);
            domain.map_or(MailboxKey::CatchAll, |domain| MailboxKey::Domain(domain.to_owned()))
        };
        let author = match &self.facts.head {
            HeadFacts::Read(head) => head.from.iter().find_map(|author| author.address.as_ref()),
            _ => None,
        };
        let from = author.map(|author| author.as_str().to_owned());
        IndexedMail {
            mailbox: mailbox.map_or_else(nobodys, |mailbox| mailbox.key.clone()),
            message_id: mail.message_id.clone(),
            at: mail.timestamp,
            recipients: recipients.iter().map(|one| one.key().to_owned()).collect(),
            from: from.or_else(|| Some(mail.source_address()?.as_str().to_owned())),
            subject: IndexedSubject::of("", KeptSubject::None),
            verdicts: summary::verdicts(&self.received.receipt),
            size: self.facts.size,
            location: self.facts.location.clone(),
            action: evaluation.action,
            reasons: evaluation.reasons.iter().cloned().collect(),
            expires_at: self.index_end(None),
        }
    }

    fn index_end(&self, days: Option<u32>) -> Timestamp {
        let days = i64::from(days.unwrap_or(self.policy.index_days));
        let end = self
            .received
            .mail
            .timestamp
            .checked_add(SignedDuration::from_hours(24 * days));
        end.unwrap_or(Timestamp::MAX)
    }
}

impl Action {
    fn new(what: What, reason: &str) -> Self {
        Self {
            what,
            reason: reason.to_owned(),
        }
    }

    fn skip(action: &'static str, reason: String) -> Self {
        Self {
            what: What::Skip { action },
            reason,
        }
    }
}

/// The mailbox's names in the loop header. `*` is every Postroom's, so there the domains of the recipients stand for it.
pub(crate) fn loop_names(mailbox: &MailboxKey, recipients: &[EmailAddress]) -> Vec<String> {
    let domains: BTreeSet<&str> = recipients.iter().filter_map(EmailAddress::domain).collect();
    match mailbox {
        MailboxKey::CatchAll if !domains.is_empty() => domains.into_iter().map(str::to_owned).collect(),
        key => vec![key.to_string()],
    }
}

/// The addresses that are the mailbox itself: mail from them is mail from ourselves.
fn ours<'a>(mailbox: &'a Mailbox, recipients: &'a [EmailAddress]) -> Vec<&'a EmailAddress> {
    let senders = mailbox.actions.iter().filter_map(|action| match action {
        MailboxAction::Forward { from, .. } | MailboxAction::AutoReply { from, .. } => Some(from),
        MailboxAction::Bounce { sender, .. } => Some(sender),
        _ => None,
    });
    recipients.iter().chain(senders).collect()
}

/// Whether a domain is another one or below it.
fn is_within(domain: &str, parent: &str) -> bool {
    domain == parent
        || domain
            .strip_suffix(parent)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

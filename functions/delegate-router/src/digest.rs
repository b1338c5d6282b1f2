//! What a person reads: one mail for all that happened in a window, grouped, and no longer the worse the day was. Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use notification_model::{Bounce, BounceSubType, BounceType, Event, Notification};
use serde::{Deserialize, Serialize};
use store::Redaction;

use crate::ownership::Ownership;
use crate::redaction::own_recipients;

/// Recipients of one notification that are named.
const RECIPIENTS_PER_LINE: usize = 10;
/// Notifications of one group that are listed.
const LINES_PER_GROUP: usize = 20;
/// Groups that are told apart.
const GROUPS: usize = 25;
/// Characters of a server's words.
const WORDS: usize = 300;

/// What happened, in the order in which it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "title and advice say what each is")]
pub enum Kind {
    Complaint,
    HardBounce,
    Reject,
    RenderingFailure,
    NotSent,
    SoftBounce,
    Delay,
    Subscription,
    Delivery,
    Send,
    Open,
    Click,
    #[serde(other)]
    Other,
}

impl Kind {
    fn of(event: &Event) -> Self {
        match event {
            Event::Complaint(_) => Self::Complaint,
            Event::Bounce(bounce) => Self::of_bounce(bounce),
            Event::Reject(_) => Self::Reject,
            Event::RenderingFailure(_) => Self::RenderingFailure,
            Event::DeliveryDelay(_) => Self::Delay,
            Event::Subscription(_) => Self::Subscription,
            Event::Delivery(_) => Self::Delivery,
            Event::Send => Self::Send,
            Event::Open(_) => Self::Open,
            Event::Click(_) => Self::Click,
            Event::Other(_) => Self::Other,
        }
    }

    fn of_bounce(bounce: &Bounce) -> Self {
        match (&bounce.bounce_type, &bounce.bounce_sub_type) {
            (
                _,
                BounceSubType::OnAccountSuppressionList
                | BounceSubType::OnTenantSuppressionList
                | BounceSubType::EmailValidationSuppressed
                | BounceSubType::UnsubscribedRecipient,
            ) => Self::NotSent,
            (BounceType::Permanent, _) => Self::HardBounce,
            _ => Self::SoftBounce,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Complaint => "Complaints",
            Self::HardBounce => "Hard bounces",
            Self::Reject => "Rejected messages",
            Self::RenderingFailure => "Rendering failures",
            Self::NotSent => "Not sent: suppressed recipients",
            Self::SoftBounce => "Soft bounces",
            Self::Delay => "Delivery delays",
            Self::Subscription => "Subscription changes",
            Self::Delivery => "Deliveries",
            Self::Send => "Sent messages",
            Self::Open => "Opens",
            Self::Click => "Clicks",
            Self::Other => "Other events",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Complaint => {
                "Recipients reported the mail as spam. Stop mailing them, and look at how they came onto the list. \
                 Amazon reviews senders at one complaint in a thousand."
            }
            Self::HardBounce => {
                "These addresses cannot be delivered to. Take them off the list and do not mail them again. \
                 Amazon reviews senders at five in a hundred."
            }
            Self::Reject => "SES found a virus and did not send. Check the system that wrote the message.",
            Self::RenderingFailure => {
                "The template lacked data and the message was not sent. Correct the data or the template and send again."
            }
            Self::NotSent => {
                "SES did not send, because of a suppression list. Take the addresses off the list; if one is listed \
                 wrongly, remove it from the suppression list first."
            }
            Self::SoftBounce => {
                "The recipients' servers refused for now. Nothing to do, unless the same addresses come again and again."
            }
            Self::Delay => "SES goes on trying. Nothing to do, unless it lasts.",
            Self::Subscription => "Recipients changed what they want to receive. Heed it in lists of your own.",
            Self::Delivery | Self::Send | Self::Open | Self::Click => "For information; nothing to do.",
            Self::Other => "An event type this version does not know. See what SES documents about it.",
        }
    }
}

/// One notification in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestItem {
    kind: Kind,
    at: Timestamp,
    recipients: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    more_recipients: usize,
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    message_id: String,
    identity: String,
    owner: String,
    account: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl DigestItem {
    /// What a person is told of a notification. The subject is the sender's, so only the full view has it.
    #[must_use]
    pub fn of(notification: &Notification, ownership: &Ownership, redaction: Redaction) -> Self {
        let mut recipients = own_recipients(notification);
        let more_recipients = recipients.len().saturating_sub(RECIPIENTS_PER_LINE);
        recipients.truncate(RECIPIENTS_PER_LINE);
        let headers = notification
            .mail
            .common_headers
            .as_ref()
            .filter(|_| redaction == Redaction::None);
        Self {
            kind: Kind::of(&notification.event),
            at: notification.occurred_at(),
            recipients: recipients.iter().map(|recipient| plain(recipient)).collect(),
            more_recipients,
            why: plain(&why(&notification.event)),
            subject: headers.and_then(|headers| headers.subject.as_deref()).map(plain),
            message_id: notification.mail.message_id.clone(),
            identity: ownership.identity.to_string(),
            owner: ownership.owner.to_string(),
            account: ownership.account.to_string(),
        }
    }

    /// The line as the store keeps it.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Strings, numbers and lists of them always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why it happened, as far as SES and the recipient's server say.
fn why(event: &Event) -> String {
    let join = |parts: &[Option<String>]| parts.iter().flatten().cloned().collect::<Vec<_>>().join("; ");
    match event {
        Event::Bounce(bounce) => {
            let first = bounce.bounced_recipients.first();
            let words = first.and_then(|recipient| recipient.diagnostic_code.clone());
            let status = first
                .and_then(|recipient| recipient.status)
                .map(|status| status.to_string());
            let kind = format!("{} {}", bounce.bounce_type, bounce.bounce_sub_type);
            join(&[Some(kind), words.filter(|words| !words.is_empty()).or(status)])
        }
        Event::Complaint(complaint) => {
            let several = complaint.complained_recipients.len();
            join(&[
                complaint
                    .complaint_feedback_type
                    .as_ref()
                    .map(|kind| format!("reported as {kind}")),
                complaint
                    .complaint_sub_type
                    .as_ref()
                    .map(|list| format!("SES did not send: {list}")),
                (several > 1).then(|| format!("one of {several} recipients at the provider complained")),
            ])
        }
        Event::Reject(reject) => reject.reason.clone().unwrap_or_default(),
        Event::RenderingFailure(failure) => {
            let template = failure.template_name.as_ref().map(|name| format!("template {name}"));
            join(&[template, failure.error_message.clone()])
        }
        Event::DeliveryDelay(delay) => {
            let words = delay
                .delayed_recipients
                .first()
                .and_then(|recipient| recipient.diagnostic_code.clone());
            join(&[delay.delay_type.as_ref().map(ToString::to_string), words])
        }
        Event::Delivery(delivery) => delivery.smtp_response.clone().unwrap_or_default(),
        Event::Subscription(subscription) => {
            let list = subscription
                .contact_list
                .as_ref()
                .map(|list| format!("contact list {list}"));
            join(&[list, subscription.source.clone()])
        }
        Event::Other(name) => name.clone(),
        Event::Send | Event::Open(_) | Event::Click(_) => String::new(),
    }
}

/// One line of bounded length, whatever a stranger's server wrote.
fn plain(text: &str) -> String {
    let mut plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS)
        .collect();
    if text.chars().nth(WORDS).is_some() {
        plain.push('…');
    }
    plain.trim().to_owned()
}

/// What belongs together in a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    kind: Kind,
    identity: String,
    owner: String,
    account: String,
}

/// A group's size and first lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Members {
    notifications: usize,
    lines: Vec<DigestItem>,
}

/// A window's lines, added one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    groups: BTreeMap<Group, Members>,
    beyond: usize,
    unreadable: usize,
}

/// A digest ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What it is about.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

impl Rendered {
    /// A mail of plain text.
    #[must_use]
    pub fn of_text(subject: &str, text: &str) -> Self {
        Self {
            subject: plain(subject),
            text: format!("{text}\n{FOOTER}\n"),
            html: format!(
                "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;max-width:48em\">\
                 <p style=\"white-space:pre-line\">{}</p>\n<p style=\"color:#666\">{FOOTER}</p></body></html>\n",
                escaped(text)
            ),
        }
    }
}

impl Summary {
    /// Adds a line as the store keeps it.
    pub fn add(&mut self, text: &str) {
        let Ok(line) = serde_json::from_str::<DigestItem>(text) else {
            self.unreadable += 1;
            return;
        };
        let group = Group {
            kind: line.kind,
            identity: line.identity.clone(),
            owner: line.owner.clone(),
            account: line.account.clone(),
        };
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&group) {
            self.beyond += 1;
            return;
        }
        let members = self.groups.entry(group).or_default();
        members.notifications += 1;
        if members.lines.len() < LINES_PER_GROUP {
            members.lines.push(line);
        }
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unreadable == 0
    }

    /// How many notifications it tells of.
    #[must_use]
    pub fn notifications(&self) -> usize {
        let listed: usize = self.groups.values().map(|members| members.notifications).sum();
        listed + self.beyond + self.unreadable
    }

    /// The digest of the window that began then and lasted so long.
    #[must_use]
    pub fn render(&self, began: Timestamp, lasted: SignedDuration) -> Rendered {
        let ended = began + lasted;
        let period = format!(
            "{} to {} UTC",
            began.strftime("%Y-%m-%d %H:%M"),
            ended.strftime("%Y-%m-%d %H:%M")
        );
        Rendered {
            subject: self.subject(),
            text: self.text(&period),
            html: self.html(&period),
        }
    }

    fn subject(&self) -> String {
        let mut by_kind: BTreeMap<Kind, usize> = BTreeMap::new();
        for (group, members) in &self.groups {
            *by_kind.entry(group.kind).or_default() += members.notifications;
        }
        let mut counts: Vec<String> = by_kind
            .iter()
            .take(3)
            .map(|(kind, count)| format!("{} ({count})", kind.title().to_lowercase()))
            .collect();
        if by_kind.len() > counts.len() || by_kind.is_empty() {
            counts.push("more".to_owned());
        }
        format!("Amazon SES: {}", counts.join(", "))
    }

    fn text(&self, period: &str) -> String {
        let mut out = format!("What Amazon SES reported, {period}.\n");
        for (group, members) in &self.groups {
            let title = group.kind.title();
            let _ = write!(out, "\n{title}: {}\n{}\n", members.notifications, group.ownership());
            let _ = writeln!(out, "What to do: {}", group.kind.advice());
            for line in &members.lines {
                let _ = writeln!(out, "- {}", line.text());
            }
            if let Some(more) = members.more() {
                let _ = writeln!(out, "  and {more} more");
            }
        }
        for note in self.notes() {
            let _ = write!(out, "\n{note}\n");
        }
        let _ = write!(out, "\n{FOOTER}\n");
        out
    }

    fn html(&self, period: &str) -> String {
        let mut out = format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;max-width:48em\">\
             <p>What Amazon SES reported, {period}.</p>\n"
        );
        for (group, members) in &self.groups {
            let title = group.kind.title();
            let _ = writeln!(
                out,
                "<h2>{title}: {}</h2><p>{}</p><p><strong>What to do:</strong> {}</p><ul>",
                members.notifications,
                escaped(&group.ownership()),
                group.kind.advice()
            );
            for line in &members.lines {
                let _ = writeln!(out, "<li>{}</li>", line.html());
            }
            out.push_str("</ul>");
            if let Some(more) = members.more() {
                let _ = write!(out, "<p>and {more} more</p>");
            }
            out.push('\n');
        }
        for note in self.notes() {
            let _ = writeln!(out, "<p>{note}</p>");
        }
        let _ = writeln!(out, "<p style=\"color:#666\">{FOOTER}</p></body></html>");
        out
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let beyond = (self.beyond > 0).then(|| format!("And {} more, of other identities or accounts.", self.beyond));
        let unreadable = (self.unreadable > 0).then(|| format!("And {} that could not be read.", self.unreadable));
        beyond.into_iter().chain(unreadable)
    }
}

const FOOTER: &str = "You get this because a route of Postroom names your address. \
                      Whoever runs Postroom for these identities can change that.";

impl Group {
    fn ownership(&self) -> String {
        if self.owner == self.account {
            return format!(
                "Mail from {}, sent by its owner, account {}.",
                self.identity, self.owner
            );
        }
        format!(
            "Mail from {} (account {}), sent by account {}.",
            self.identity, self.owner, self.account
        )
    }
}

impl Members {
    fn more(&self) -> Option<usize> {
        self.notifications
            .checked_sub(self.lines.len())
            .filter(|more| *more > 0)
    }
}

impl DigestItem {
    fn to_whom(&self) -> String {
        let mut to_whom = match self.recipients.as_slice() {
            [] => "one of its recipients".to_owned(),
            named => named.join(", "),
        };
        if self.more_recipients > 0 {
            let _ = write!(to_whom, " and {} more", self.more_recipients);
        }
        to_whom
    }

    fn which(&self) -> String {
        let subject = self
            .subject
            .as_ref()
            .map(|subject| format!("\"{subject}\", "))
            .unwrap_or_default();
        format!(
            "{subject}{}, message {}",
            self.at.strftime("%Y-%m-%d %H:%M"),
            self.message_id
        )
    }

    fn text(&self) -> String {
        let why = if self.why.is_empty() {
            String::new()
        } else {
            format!(": {}", self.why)
        };
        format!("{}{why} ({})", self.to_whom(), self.which())
    }

    fn html(&self) -> String {
        let why = if self.why.is_empty() {
            String::new()
        } else {
            format!(": {}", self.why)
        };
        format!(
            "<strong>{}</strong>{}<br><small>{}</small>",
            escaped(&self.to_whom()),
            escaped(&why),
            escaped(&self.which())
        )
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::{GROUPS, LINES_PER_GROUP, Summary};

    fn line(identity: &str, number: usize, why: &str) -> String {
        json!({
            "kind": "hard-bounce", "at": "2026-03-02T08:15:32Z", "recipients": [format!("jane{number}@example.net")],
            "why": why, "messageId": format!("m{number}"), "identity": identity, "owner": "111122223333",
            "account": "222233334444",
        })
        .to_string()
    }

    fn rendered(summary: &Summary) -> (String, String) {
        let began: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let rendered = summary.render(began, SignedDuration::from_hours(1));
        (rendered.text, rendered.html)
    }

    #[test]
    fn a_bad_day_makes_no_longer_a_mail() {
        let mut summary = Summary::default();
        for number in 0..20_000 {
            summary.add(&line(
                &format!("shop{}.example", number % 100),
                number,
                &"x".repeat(300),
            ));
        }
        assert_eq!(summary.notifications(), 20_000);
        let (text, html) = rendered(&summary);
        assert!(text.contains("  and 180 more\n"), "{text}");
        assert!(
            text.contains("And 15000 more, of other identities or accounts."),
            "{text}"
        );
        assert_eq!(text.matches("\n- ").count(), GROUPS * LINES_PER_GROUP);
        assert!(html.len() < 400_000, "{} bytes", html.len());
    }

    #[test]
    fn a_strangers_words_stay_words() {
        let mut summary = Summary::default();
        summary.add(&line("shop.example", 1, "550 <script>alert(1)</script> & \"more\""));
        summary.add("spoilt");
        let (text, html) = rendered(&summary);
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"),
            "{html}"
        );
        assert!(text.contains("And 1 that could not be read."), "{text}");
    }
}

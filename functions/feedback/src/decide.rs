//! What to do about a notification. Pure: no clock, no environment, no AWS, and it cannot fail.
//!
//! What to write follows from the notification, whatever happened before: conditions on the past are part of the write.
//! The one decision that needs the recipient's past, whether soft bounces in a row suppress, is [`crate::streak`]'s, once
//! the soft bounce is written down.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use notification_model::{
    Bounce, BounceSubType, BounceType, BouncedRecipient, Complaint, ComplaintFeedbackType, ComplaintSubType, Delivery,
    DsnAction, EmailAddress, Event, Mail, Notification, StatusCode, Subscription, SubscriptionStatus,
};
use store::{
    EventKind, HistoryEntry, Scope, Sender, SenderEvent, SendingStream, SoftBounce, SuppressionEntry, SuppressionSource,
};

use crate::classification::{BounceClassification, BounceKind, Evidence, classify};
use crate::policy::{Policy, SuppressionPeriod};

/// One thing to do. Each may run twice and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write a decision (a suppression, or its withdrawal) into the recipient's row and history.
    WriteEntry {
        /// Whom it concerns.
        address: EmailAddress,
        /// Where it holds.
        scope: Scope,
        /// What it rests on.
        source: SuppressionSource,
        /// The decision, with its reason.
        entry: SuppressionEntry,
        /// The line of the audit trail.
        history: HistoryEntry,
    },
    /// Add a soft bounce to the recipient's streak, and judge the streak.
    SoftBounce {
        /// Whom it concerns.
        address: EmailAddress,
        /// Whose streak.
        scope: Scope,
        /// The bounce.
        bounce: SoftBounce,
        /// The line of the audit trail.
        history: HistoryEntry,
    },
    /// Write a line of the audit trail and nothing else.
    AppendHistory {
        /// Whom it concerns.
        address: EmailAddress,
        /// The line.
        history: HistoryEntry,
    },
    /// End the recipient's streak.
    Delivered {
        /// Whom it concerns.
        address: EmailAddress,
        /// Whose streak.
        scope: Scope,
        /// When.
        at: Timestamp,
    },
    /// Count a bounce or complaint, exactly once.
    CountEvent(SenderEvent),
    /// Count something that is common, together with the rest of the batch.
    CountInBatch {
        /// Who sent.
        sender: Sender,
        /// Configuration set and tenant.
        stream: SendingStream,
        /// What.
        kind: EventKind,
        /// When.
        at: Timestamp,
        /// The SES message id.
        message_id: String,
        /// The recipient as SES spells it, or empty for a message without.
        recipient: String,
    },
    /// Nothing but the acknowledgement.
    Acknowledge {
        /// Why nothing is to be done.
        reason: String,
    },
}

/// What is known beside the notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// When SNS or EventBridge took the notification, which stays the same however often it is delivered; without an
    /// envelope, when it is handled.
    pub published_at: Timestamp,
}

/// How far another clock may be ahead of AWS's.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(1);

/// What to do about a notification.
#[must_use]
pub fn decide(notification: &Notification, facts: &Facts, policy: &Policy) -> Vec<Action> {
    let about = About {
        notification,
        mail: &notification.mail,
        at: happened_at(notification, facts),
        policy,
    };
    match &notification.event {
        Event::Bounce(bounce) => about.bounce(bounce),
        Event::Complaint(complaint) => about.complaint(complaint),
        Event::Delivery(delivery) => about.delivery(delivery),
        Event::Subscription(subscription) => about.subscription(subscription),
        Event::Send => about.count_recipients(EventKind::Send, &about.mail.destination),
        Event::Reject(_) => about.count_recipients(EventKind::Reject, &about.mail.destination),
        Event::RenderingFailure(_) => about.count_recipients(EventKind::RenderingFailure, &about.mail.destination),
        Event::DeliveryDelay(delay) => {
            let delayed: Vec<_> = delay
                .delayed_recipients
                .iter()
                .map(|one| one.email_address.key())
                .collect();
            about.count_recipients(EventKind::Delay, &delayed)
        }
        Event::Open(_) | Event::Click(_) => acknowledge("opens and clicks say nothing about deliverability"),
        Event::Other(_) => acknowledge("an event type this version does not know"),
    }
}

/// When it happened. Bounces and complaints bear the time of somebody else's clock: one from the future would outrank
/// everything that really happens until then, a release included, and nothing happens to a message before it is sent.
fn happened_at(notification: &Notification, facts: &Facts) -> Timestamp {
    let sent = notification.mail.timestamp;
    let latest = facts
        .published_at
        .checked_add(CLOCK_TOLERANCE)
        .unwrap_or(facts.published_at);
    let told = notification.occurred_at();
    if told <= latest {
        told.max(sent)
    } else {
        sent.min(latest)
    }
}

fn acknowledge(reason: &str) -> Vec<Action> {
    vec![Action::Acknowledge {
        reason: reason.to_owned(),
    }]
}

/// A notification with what every decision about it needs.
struct About<'a> {
    notification: &'a Notification,
    mail: &'a Mail,
    at: Timestamp,
    policy: &'a Policy,
}

impl About<'_> {
    fn bounce(&self, bounce: &Bounce) -> Vec<Action> {
        let recipients = bounce.bounced_recipients.iter();
        recipients
            .flat_map(|recipient| self.bounced_recipient(bounce, recipient))
            .collect()
    }

    fn bounced_recipient(&self, bounce: &Bounce, recipient: &BouncedRecipient) -> Vec<Action> {
        let classification = classify(&Evidence::of(bounce, recipient));
        let mut evidence = BTreeMap::from([
            ("bounceType", Some(bounce.bounce_type.to_string())),
            ("bounceSubType", Some(bounce.bounce_sub_type.to_string())),
            ("action", recipient.action.as_ref().map(ToString::to_string)),
            ("status", recipient.status.map(|status| status.to_string())),
            (
                "diagnostic",
                recipient.diagnostic_code.clone().filter(|text| !text.is_empty()),
            ),
            ("bounceReason", Some(classification.reason.to_string())),
            ("feedbackId", bounce.feedback_id.clone()),
        ]);
        evidence.extend(self.message_evidence());
        let named = &recipient.email_address;
        let mut actions = match self.mailed(named) {
            Some(mailed) => {
                let forwarded = mailed.key() != named.key();
                evidence.extend([("finalRecipient", forwarded.then(|| named.as_str().to_owned()))]);
                self.bounced(&bounce.bounce_sub_type, &mailed, &classification, written(evidence))
            }
            None => vec![self.not_mailed(classification.kind.as_str(), named, written(evidence))],
        };
        let count = bounce_count(bounce, recipient, &classification);
        actions.extend(count.map(|count| self.count_one(count, named)));
        actions
    }

    /// Whom the message was sent to, of those a report names. The report may be anybody's who got the message: an address
    /// that was not mailed stands for the only one that was (forwarding), or, if there are several, for nobody.
    fn mailed(&self, named: &EmailAddress) -> Option<EmailAddress> {
        let destination: Vec<_> = self
            .mail
            .destination
            .iter()
            .filter_map(|text| EmailAddress::parse(text))
            .collect();
        if destination.is_empty() || destination.iter().any(|address| address.key() == named.key()) {
            return Some(named.clone());
        }
        <[EmailAddress; 1]>::try_from(destination).ok().map(|[only]| only)
    }

    fn not_mailed(&self, kind: &str, named: &EmailAddress, evidence: BTreeMap<String, String>) -> Action {
        let reason = "named in a report about a message that was not sent to it: no word against it";
        Action::AppendHistory {
            address: named.clone(),
            history: self.history(&format!("not-mailed-{kind}"), reason, Scope::of(self.mail), evidence),
        }
    }

    fn bounced(
        &self,
        sub_type: &BounceSubType,
        address: &EmailAddress,
        classification: &BounceClassification,
        evidence: BTreeMap<String, String>,
    ) -> Vec<Action> {
        let because = format!("{}: {}", classification.reason, classification.because);
        let kind = classification.kind.as_str();
        let note = |reason: String| Action::AppendHistory {
            address: address.clone(),
            history: self.history(kind, &reason, Scope::of(self.mail), evidence.clone()),
        };
        match classification.kind {
            BounceKind::Hard => {
                let reason = format!("hard bounce, {because}");
                let entry = self.entry(address, self.policy.hard_bounce.end(self.at), &reason, evidence);
                vec![self.record(kind, address, Scope::Global, SuppressionSource::Bounce, entry)]
            }
            BounceKind::Soft | BounceKind::Undetermined => vec![Action::SoftBounce {
                address: address.clone(),
                scope: Scope::of(self.mail),
                bounce: SoftBounce {
                    at: self.at,
                    message_id: self.mail.message_id.clone(),
                },
                history: self.history(kind, &format!("soft bounce, {because}"), Scope::of(self.mail), evidence),
            }],
            // The contact list refused, not SES's suppression list: only that list's mail is unwanted.
            BounceKind::SuppressedBySes if *sub_type == BounceSubType::UnsubscribedRecipient => {
                vec![note(format!("not sent, {because}"))]
            }
            BounceKind::SuppressedBySes => {
                let reason = format!("SES did not send, {because}");
                let entry = self.entry(address, self.policy.ses_list.end(self.at), &reason, evidence);
                vec![self.record(kind, address, Scope::of(self.mail), SuppressionSource::SesList, entry)]
            }
            BounceKind::SenderFault => vec![note(format!("the sender's or the message's fault, {because}"))],
            BounceKind::AutoReply => vec![note(format!("an automatic reply, {because}"))],
        }
    }

    fn complaint(&self, complaint: &Complaint) -> Vec<Action> {
        let named = complaint.complained_recipients.iter().map(|one| &one.email_address);
        let recipients: Vec<EmailAddress> = named.filter_map(|named| self.mailed(named)).collect();
        let Some(first) = recipients.iter().min_by_key(|address| address.key()) else {
            return acknowledge("a complaint that names nobody the message was sent to");
        };
        let evidence = self.complaint_evidence(complaint);
        let one_of = match recipients.len() {
            1 => String::new(),
            several => format!(" (one of {several} recipients at the complaining provider)"),
        };
        let note = |kind: &str, reason: &str| {
            let history = self.history(kind, reason, Scope::of(self.mail), evidence.clone());
            let note = |address: &EmailAddress| Action::AppendHistory {
                address: address.clone(),
                history: history.clone(),
            };
            recipients.iter().map(note).collect::<Vec<_>>()
        };
        let record = |kind: &str, source: SuppressionSource, blocked: bool, period: SuppressionPeriod, reason: &str| {
            let entry = |address| SuppressionEntry {
                blocked,
                ..self.entry(address, period.end(self.at), reason, evidence.clone())
            };
            let record = |address| self.record(kind, address, Scope::of(self.mail), source.clone(), entry(address));
            recipients.iter().map(record).collect::<Vec<_>>()
        };

        if let Some(list) = complaint
            .complaint_sub_type
            .as_ref()
            .filter(|sub_type| is_suppressed_by_ses(sub_type))
        {
            let reason = format!("SES did not send, because of an earlier complaint: {list}");
            return record("echo", SuppressionSource::SesList, true, self.policy.ses_list, &reason);
        }
        match &complaint.complaint_feedback_type {
            // Whoever of several took the complaint back, it may be another's that stands.
            Some(ComplaintFeedbackType::NotSpam) if recipients.len() > 1 => note(
                "not-spam",
                &format!("reported as not spam{one_of}: nobody can tell whose complaint that lifts"),
            ),
            Some(ComplaintFeedbackType::NotSpam) => {
                let reason = "reported as not spam: lifts a complaint, never a bounce";
                record(
                    "not-spam",
                    SuppressionSource::Complaint,
                    false,
                    SuppressionPeriod::Permanent,
                    reason,
                )
            }
            // An authentication report (RFC 6591) is about the sender's DNS, not about what the recipient wants.
            Some(ComplaintFeedbackType::AuthFailure) => note(
                "auth-failure",
                "an authentication failure report: the sender's SPF, DKIM or DMARC, not the recipient",
            ),
            feedback_type => {
                let said = match feedback_type {
                    Some(known) => format!("reported as {known}"),
                    None => "reported without a feedback type".to_owned(),
                };
                let reason = format!("complaint, {said}{one_of}");
                let mut actions = record(
                    "complaint",
                    SuppressionSource::Complaint,
                    true,
                    self.policy.complaint,
                    &reason,
                );
                // One complaint, however many recipients the provider names.
                actions.push(self.count_one(EventKind::Complaint, first));
                actions
            }
        }
    }

    fn complaint_evidence(&self, complaint: &Complaint) -> BTreeMap<String, String> {
        let feedback_type = complaint.complaint_feedback_type.as_ref();
        let mut evidence = BTreeMap::from([
            ("complaintFeedbackType", feedback_type.map(ToString::to_string)),
            (
                "complaintSubType",
                complaint.complaint_sub_type.as_ref().map(ToString::to_string),
            ),
            ("userAgent", complaint.user_agent.clone()),
            ("feedbackId", complaint.feedback_id.clone()),
        ]);
        evidence.extend(self.message_evidence());
        written(evidence)
    }

    fn delivery(&self, delivery: &Delivery) -> Vec<Action> {
        let keys: Vec<_> = delivery.recipients.iter().map(EmailAddress::key).collect();
        let mut actions = self.count_recipients(EventKind::Delivery, &keys);
        actions.extend(delivery.recipients.iter().map(|address| Action::Delivered {
            address: address.clone(),
            scope: Scope::of(self.mail),
            at: self.at,
        }));
        actions
    }

    fn subscription(&self, subscription: &Subscription) -> Vec<Action> {
        // SES list management sends to one recipient a message; of several it could not be said who it was.
        let [recipient] = self.mail.destination.as_slice() else {
            return acknowledge("a subscription change of a message with several recipients");
        };
        let Some(address) = EmailAddress::parse(recipient) else {
            return acknowledge("a subscription change without a readable recipient");
        };
        let Some(wanted) = &subscription.new_topic_preferences else {
            return acknowledge("a subscription change that names no preferences");
        };
        let list = subscription.contact_list.as_deref().unwrap_or("default");
        let mut evidence = BTreeMap::from([
            ("contactList", subscription.contact_list.clone()),
            ("subscriptionSource", subscription.source.clone()),
        ]);
        evidence.extend(self.message_evidence());
        let evidence = written(evidence);
        let record = |source: SuppressionSource, left: bool, what: String| {
            let (kind, verb) = if left {
                ("unsubscribe", "left")
            } else {
                ("subscribe", "wants")
            };
            let entry = self.entry(&address, None, &format!("{verb} {what}"), evidence.clone());
            let kind = format!("{kind}-{source}");
            self.record(
                &kind,
                &address,
                Scope::of(self.mail),
                source,
                SuppressionEntry { blocked: left, ..entry },
            )
        };
        let whole = record(
            SuppressionSource::List(list.to_owned()),
            wanted.unsubscribe_all,
            format!(
                "{} of contact list {list}",
                if wanted.unsubscribe_all { "all mail" } else { "mail" }
            ),
        );
        let topics = wanted.topic_subscription_status.iter().map(|topic| {
            let left = topic.subscription_status == SubscriptionStatus::OptOut;
            let name = format!("{list}/{}", topic.topic_name);
            record(SuppressionSource::Topic(name.clone()), left, format!("topic {name}"))
        });
        std::iter::once(whole).chain(topics).collect()
    }

    fn count_recipients(&self, kind: EventKind, recipients: &[impl AsRef<str>]) -> Vec<Action> {
        let one = |recipient: String| Action::CountInBatch {
            sender: Sender::of(self.mail),
            stream: SendingStream::of(self.mail),
            kind,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient,
        };
        if recipients.is_empty() {
            return vec![one(String::new())];
        }
        let key = |text: &str| EmailAddress::parse(text).map_or_else(|| text.to_owned(), |one| one.key().to_owned());
        recipients
            .iter()
            .map(|recipient| one(key(recipient.as_ref())))
            .collect()
    }

    fn count_one(&self, kind: EventKind, recipient: &EmailAddress) -> Action {
        Action::CountEvent(SenderEvent {
            sender: Sender::of(self.mail),
            stream: SendingStream::of(self.mail),
            kind,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient: Some(recipient.clone()),
        })
    }

    fn entry(
        &self,
        address: &EmailAddress,
        until: Option<Timestamp>,
        reason: &str,
        evidence: BTreeMap<String, String>,
    ) -> SuppressionEntry {
        SuppressionEntry {
            at: self.at,
            id: self.mail.message_id.clone(),
            blocked: true,
            until,
            reason: reason.to_owned(),
            address: address.as_str().to_owned(),
            evidence,
        }
    }

    fn record(
        &self,
        kind: &str,
        address: &EmailAddress,
        scope: Scope,
        source: SuppressionSource,
        entry: SuppressionEntry,
    ) -> Action {
        let mut history = self.history(kind, &entry.reason, scope.clone(), entry.evidence.clone());
        history.suppresses = entry.blocked;
        // The explanation of a suppression lives as long as the suppression.
        if entry.blocked {
            history.expires_at = entry.until.max(history.expires_at).filter(|_| entry.until.is_some());
        }
        Action::WriteEntry {
            address: address.clone(),
            scope,
            source,
            entry,
            history,
        }
    }

    fn history(&self, kind: &str, reason: &str, scope: Scope, evidence: BTreeMap<String, String>) -> HistoryEntry {
        HistoryEntry {
            at: self.at,
            id: self.mail.message_id.clone(),
            kind: kind.to_owned(),
            reason: reason.to_owned(),
            scope,
            suppresses: false,
            evidence,
            expires_at: self.policy.history.end(self.at),
        }
    }

    fn message_evidence(&self) -> BTreeMap<&'static str, Option<String>> {
        BTreeMap::from([
            ("event", Some(self.notification.event.name().to_owned())),
            ("messageId", Some(self.mail.message_id.clone())),
            ("sourceArn", self.mail.source_arn.as_ref().map(ToString::to_string)),
            (
                "sendingAccountId",
                self.mail.sending_account_id.as_ref().map(ToString::to_string),
            ),
        ])
    }
}

fn is_suppressed_by_ses(sub_type: &ComplaintSubType) -> bool {
    matches!(
        sub_type,
        ComplaintSubType::OnAccountSuppressionList | ComplaintSubType::OnTenantSuppressionList
    )
}

/// How a bounce counts against the sender. AWS's bounce rate takes every Permanent bounce that SES tried to deliver,
/// whoever is at fault, so ours does too; what never left SES and what is no bounce at all is not counted.
fn bounce_count(
    bounce: &Bounce,
    recipient: &BouncedRecipient,
    classification: &BounceClassification,
) -> Option<EventKind> {
    let given_up =
        !recipient.status.is_some_and(StatusCode::is_transient) && recipient.action != Some(DsnAction::Delayed);
    match classification.kind {
        BounceKind::SuppressedBySes | BounceKind::AutoReply => None,
        BounceKind::Hard => Some(EventKind::Hard),
        _ if bounce.bounce_type == BounceType::Permanent && given_up => Some(EventKind::Hard),
        BounceKind::Soft | BounceKind::SenderFault | BounceKind::Undetermined => Some(EventKind::Soft),
    }
}

/// Characters of a diagnostic that are kept: enough for people, and no way to fill a recipient's row.
const EVIDENCE_LENGTH: usize = 1_000;

fn written(evidence: BTreeMap<&'static str, Option<String>>) -> BTreeMap<String, String> {
    let given = evidence.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given
        .map(|(name, value)| (name.to_owned(), value.chars().take(EVIDENCE_LENGTH).collect()))
        .collect()
}

//! What to do about a notification. Pure: no clock, no environment, no AWS, and it cannot fail.
//!
//! What to write follows from the notification, whatever happened before: conditions on the past are part of the write.
//! The one decision that needs the recipient's past, whether soft bounces in a row suppress, is [`crate::streak`]'s, once
//! the soft bounce is written down.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ledger::{Count, Entry, EventCount, HistoryEntry, Line, Origin, Scope, Sender, SoftBounce};
use notification_model::{
    Bounce, BounceSubType, BounceType, BouncedRecipient, Complaint, ComplaintFeedbackType, ComplaintSubType, Delivery,
    DsnAction, EmailAddress, Event, Mail, Notification, StatusCode, Subscription, SubscriptionStatus,
};

use crate::judgement::{BounceKind, Evidence, Judgement, judge};
use crate::policy::Policy;

/// One thing to do. Each may run twice and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write a decision (a suppression, or its withdrawal) into the recipient's row and history.
    Record {
        /// Whom it concerns.
        address: EmailAddress,
        /// Where it holds.
        scope: Scope,
        /// What it rests on.
        origin: Origin,
        /// The decision, with its reason.
        entry: Entry,
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
    Note {
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
    Count(EventCount),
    /// Count something that is common, together with the rest of the batch.
    CountInBatch {
        /// Who sent.
        sender: Sender,
        /// Configuration set and tenant.
        line: Line,
        /// What.
        count: Count,
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
    /// When the notification is handled.
    pub now: Timestamp,
}

/// How far another clock may be ahead of ours.
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
        Event::Send => about.count_recipients(Count::Send, &about.mail.destination),
        Event::Reject(_) => about.count_recipients(Count::Reject, &about.mail.destination),
        Event::RenderingFailure(_) => about.count_recipients(Count::RenderingFailure, &about.mail.destination),
        Event::DeliveryDelay(delay) => {
            let delayed: Vec<_> = delay
                .delayed_recipients
                .iter()
                .map(|one| one.email_address.key())
                .collect();
            about.count_recipients(Count::Delay, &delayed)
        }
        Event::Open(_) | Event::Click(_) => acknowledge("opens and clicks say nothing about deliverability"),
        Event::Other(_) => acknowledge("an event type this version does not know"),
    }
}

/// When it happened. Bounces and complaints bear the time of somebody else's clock; one from the future would outrank
/// everything that really happens until then, a release included, so SES's own clock stands in for it.
fn happened_at(notification: &Notification, facts: &Facts) -> Timestamp {
    let latest = facts.now.checked_add(CLOCK_TOLERANCE).unwrap_or(facts.now);
    let told = notification.occurred_at();
    if told <= latest {
        told
    } else {
        notification.mail.timestamp.min(latest)
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
        if bounce.bounced_recipients.is_empty() {
            return acknowledge("a bounce that names no recipient");
        }
        let recipients = bounce.bounced_recipients.iter();
        recipients
            .flat_map(|recipient| {
                let judgement = judge(&Evidence::of(bounce, recipient));
                let mut evidence = BTreeMap::from([
                    ("bounceType", Some(bounce.bounce_type.to_string())),
                    ("bounceSubType", Some(bounce.bounce_sub_type.to_string())),
                    ("action", recipient.action.as_ref().map(ToString::to_string)),
                    ("status", recipient.status.map(|status| status.to_string())),
                    (
                        "diagnostic",
                        recipient.diagnostic_code.clone().filter(|text| !text.is_empty()),
                    ),
                    ("bounceReason", Some(judgement.reason.to_string())),
                    ("feedbackId", bounce.feedback_id.clone()),
                ]);
                evidence.extend(self.message_evidence());
                let mut actions = self.bounced(
                    &bounce.bounce_sub_type,
                    &recipient.email_address,
                    &judgement,
                    written(evidence),
                );
                actions.extend(
                    bounce_count(bounce, recipient, &judgement)
                        .map(|count| self.count_one(count, Some(&recipient.email_address))),
                );
                actions
            })
            .collect()
    }

    fn bounced(
        &self,
        sub_type: &BounceSubType,
        address: &EmailAddress,
        judgement: &Judgement,
        evidence: BTreeMap<String, String>,
    ) -> Vec<Action> {
        let because = format!("{}: {}", judgement.reason, judgement.because);
        let kind = judgement.kind.as_str();
        let note = |reason: String| Action::Note {
            address: address.clone(),
            history: self.history(kind, &reason, Scope::of(self.mail), evidence.clone()),
        };
        match judgement.kind {
            BounceKind::Hard => {
                let reason = format!("hard bounce, {because}");
                let entry = self.entry(address, self.policy.hard_bounce.end(self.at), &reason, evidence);
                vec![self.record(kind, address, Scope::Global, Origin::Bounce, entry)]
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
            BounceKind::Echo if *sub_type == BounceSubType::UnsubscribedRecipient => {
                vec![note(format!("not sent, {because}"))]
            }
            BounceKind::Echo => {
                let reason = format!("SES did not send, {because}");
                let entry = self.entry(address, self.policy.ses_list.end(self.at), &reason, evidence);
                vec![self.record(kind, address, Scope::of(self.mail), Origin::SesList, entry)]
            }
            BounceKind::SenderFault => vec![note(format!("the sender's or the message's fault, {because}"))],
            BounceKind::AutoReply => vec![note(format!("an automatic reply, {because}"))],
        }
    }

    fn complaint(&self, complaint: &Complaint) -> Vec<Action> {
        let recipients = &complaint.complained_recipients;
        let Some(first) = recipients
            .iter()
            .map(|one| &one.email_address)
            .min_by_key(|address| address.key())
        else {
            return acknowledge("a complaint that names no recipient");
        };
        let mut evidence = BTreeMap::from([
            (
                "complaintFeedbackType",
                complaint.complaint_feedback_type.as_ref().map(ToString::to_string),
            ),
            (
                "complaintSubType",
                complaint.complaint_sub_type.as_ref().map(ToString::to_string),
            ),
            ("userAgent", complaint.user_agent.clone()),
            ("feedbackId", complaint.feedback_id.clone()),
        ]);
        evidence.extend(self.message_evidence());
        let evidence = written(evidence);

        let scope = Scope::of(self.mail);
        let one_of = match recipients.len() {
            1 => String::new(),
            several => format!(" (one of {several} recipients at the complaining provider)"),
        };
        let echo = complaint.complaint_sub_type.as_ref().filter(|sub_type| {
            matches!(
                sub_type,
                ComplaintSubType::OnAccountSuppressionList | ComplaintSubType::OnTenantSuppressionList
            )
        });
        let each = |kind: &str, origin: Origin, entry: &dyn Fn(&EmailAddress) -> Entry| -> Vec<Action> {
            let addresses = recipients.iter().map(|one| &one.email_address);
            addresses
                .map(|address| self.record(kind, address, scope.clone(), origin.clone(), entry(address)))
                .collect()
        };

        if let Some(list) = echo {
            let reason = format!("SES did not send, because of an earlier complaint: {list}");
            let until = self.policy.ses_list.end(self.at);
            return each("echo", Origin::SesList, &|address| {
                self.entry(address, until, &reason, evidence.clone())
            });
        }
        match &complaint.complaint_feedback_type {
            Some(ComplaintFeedbackType::NotSpam) => {
                let reason = format!("reported as not spam{one_of}: lifts a complaint, never a bounce");
                each("not-spam", Origin::Complaint, &|address| {
                    let entry = self.entry(address, None, &reason, evidence.clone());
                    Entry {
                        blocked: false,
                        ..entry
                    }
                })
            }
            // An authentication report (RFC 6591) is about the sender's DNS, not about what the recipient wants.
            Some(ComplaintFeedbackType::AuthFailure) => {
                let reason = "an authentication failure report: the sender's SPF, DKIM or DMARC, not the recipient";
                let history = || self.history("auth-failure", reason, scope.clone(), evidence.clone());
                let note = |one: &notification_model::ComplainedRecipient| Action::Note {
                    address: one.email_address.clone(),
                    history: history(),
                };
                recipients.iter().map(note).collect()
            }
            feedback_type => {
                let said = match feedback_type {
                    Some(known) => format!("reported as {known}"),
                    None => "reported without a feedback type".to_owned(),
                };
                let reason = format!("complaint, {said}{one_of}");
                let until = self.policy.complaint.end(self.at);
                let mut actions = each("complaint", Origin::Complaint, &|address| {
                    self.entry(address, until, &reason, evidence.clone())
                });
                // One complaint, however many recipients the provider names.
                actions.push(self.count_one(Count::Complaint, Some(first)));
                actions
            }
        }
    }

    fn delivery(&self, delivery: &Delivery) -> Vec<Action> {
        let keys: Vec<_> = delivery.recipients.iter().map(EmailAddress::key).collect();
        let mut actions = self.count_recipients(Count::Delivery, &keys);
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
        let record = |origin: Origin, left: bool, what: String| {
            let (kind, verb) = if left {
                ("unsubscribe", "left")
            } else {
                ("subscribe", "wants")
            };
            let entry = self.entry(&address, None, &format!("{verb} {what}"), evidence.clone());
            let kind = format!("{kind}-{origin}");
            self.record(
                &kind,
                &address,
                Scope::of(self.mail),
                origin,
                Entry { blocked: left, ..entry },
            )
        };
        let whole = record(
            Origin::List(list.to_owned()),
            wanted.unsubscribe_all,
            format!(
                "{} of contact list {list}",
                if wanted.unsubscribe_all { "all mail" } else { "mail" }
            ),
        );
        let topics = wanted.topic_subscription_status.iter().map(|topic| {
            let left = topic.subscription_status == SubscriptionStatus::OptOut;
            let name = format!("{list}/{}", topic.topic_name);
            record(Origin::Topic(name.clone()), left, format!("topic {name}"))
        });
        std::iter::once(whole).chain(topics).collect()
    }

    fn count_recipients(&self, count: Count, recipients: &[impl AsRef<str>]) -> Vec<Action> {
        let one = |recipient: String| Action::CountInBatch {
            sender: Sender::of(self.mail),
            line: Line::of(self.mail),
            count,
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

    fn count_one(&self, count: Count, recipient: Option<&EmailAddress>) -> Action {
        Action::Count(EventCount {
            sender: Sender::of(self.mail),
            line: Line::of(self.mail),
            count,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient: recipient.cloned(),
        })
    }

    fn entry(
        &self,
        address: &EmailAddress,
        until: Option<Timestamp>,
        reason: &str,
        evidence: BTreeMap<String, String>,
    ) -> Entry {
        Entry {
            at: self.at,
            id: self.mail.message_id.clone(),
            blocked: true,
            until,
            reason: reason.to_owned(),
            address: address.as_str().to_owned(),
            evidence,
        }
    }

    fn record(&self, kind: &str, address: &EmailAddress, scope: Scope, origin: Origin, entry: Entry) -> Action {
        let mut history = self.history(kind, &entry.reason, scope.clone(), entry.evidence.clone());
        history.suppresses = entry.blocked;
        // The explanation of a suppression lives as long as the suppression.
        if entry.blocked {
            history.expires_at = entry.until.max(history.expires_at).filter(|_| entry.until.is_some());
        }
        Action::Record {
            address: address.clone(),
            scope,
            origin,
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

/// How a bounce counts against the sender. AWS's bounce rate takes every Permanent bounce that SES tried to deliver,
/// whoever is at fault, so ours does too; what never left SES and what is no bounce at all is not counted.
fn bounce_count(bounce: &Bounce, recipient: &BouncedRecipient, judgement: &Judgement) -> Option<Count> {
    let given_up =
        !recipient.status.is_some_and(StatusCode::is_transient) && recipient.action != Some(DsnAction::Delayed);
    match judgement.kind {
        BounceKind::Echo | BounceKind::AutoReply => None,
        BounceKind::Hard => Some(Count::Hard),
        _ if bounce.bounce_type == BounceType::Permanent && given_up => Some(Count::Hard),
        BounceKind::Soft | BounceKind::SenderFault | BounceKind::Undetermined => Some(Count::Soft),
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

//! The feedback function: what an event changes in the table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::state::{EntryState, Expected, RecipientScope, days_after, domain_of};
use crate::scenario::{BouncedRecipient, Channel, EventDetails, EventKind, RecipientOutcome, ScenarioEvent};

/// The expected table and what streaks and history are computed from.
#[derive(Debug, Default)]
pub(super) struct FeedbackModel {
    pub(super) expected: Expected,
    /// Soft bounces: time and message id.
    pub(super) soft_bounces: BTreeMap<RecipientScope, BTreeSet<(Timestamp, String)>>,
    /// The newest delivery.
    pub(super) deliveries: BTreeMap<RecipientScope, Timestamp>,
    /// History items: recipient, message id, scope and kind.
    pub(super) history: BTreeSet<(String, String, String, String)>,
}

impl FeedbackModel {
    /// Applies an event that the channel reports.
    pub(super) fn apply(&mut self, event: &ScenarioEvent, channel: Channel) {
        let scope = scope_of(event, channel);
        match &event.details {
            EventDetails::Bounce(bounced) => {
                for recipient in bounced {
                    self.bounce(event, &scope, recipient);
                }
            }
            EventDetails::Complaint {
                feedback_type,
                sub_type,
                recipients,
            } => self.complaint(event, &scope, *feedback_type, *sub_type, recipients),
            EventDetails::Delivery(recipients) => {
                for address in recipients {
                    self.expected.count(event, EventKind::Batched("delivery"), address);
                    let key = ((*address).to_owned(), scope.clone());
                    let newest = self.deliveries.entry(key).or_insert(event.occurred_at);
                    *newest = (*newest).max(event.occurred_at);
                }
            }
            EventDetails::Subscription { opted_out } => {
                if let [address] = event.destination.as_slice() {
                    for source in ["list:readers", "topic:readers/weekly"] {
                        self.write(event, address, &scope, source, *opted_out, None);
                        self.add_history(event, address, &scope, source);
                    }
                }
            }
            EventDetails::WholeMessage { event_type, .. } => {
                let kind = match *event_type {
                    "Send" => "send",
                    "Reject" => "reject",
                    _ => "renderingFailure",
                };
                self.count_destination(event, kind);
            }
            EventDetails::DeliveryDelay => self.count_destination(event, "delay"),
            EventDetails::Ignored(_) => {}
        }
    }

    fn bounce(&mut self, event: &ScenarioEvent, scope: &str, bounced: &BouncedRecipient) {
        if let Some(kind) = bounced.case.counted_as {
            self.expected.count(event, kind, bounced.address);
        }
        let Some(address) = affected_recipient(event, bounced.address) else {
            self.add_history(event, bounced.address, scope, "not a recipient");
            return;
        };
        match bounced.case.outcome {
            RecipientOutcome::Dead => {
                self.write(event, address, "global", "bounce", true, None);
                self.add_history(event, address, "global", "hard bounce");
            }
            RecipientOutcome::SuppressedBySes => {
                let until = Some(days_after(event.occurred_at, 30));
                self.write(event, address, scope, "ses-list", true, until);
                self.add_history(event, address, scope, "suppressed by SES");
            }
            RecipientOutcome::Soft => {
                let key = (address.to_owned(), scope.to_owned());
                let bounces = self.soft_bounces.entry(key).or_default();
                bounces.insert((event.occurred_at, event.message_id.clone()));
                self.add_history(event, address, scope, "soft bounce");
            }
            RecipientOutcome::HistoryOnly => self.add_history(event, address, scope, "without effect"),
        }
    }

    fn complaint(
        &mut self,
        event: &ScenarioEvent,
        scope: &str,
        feedback_type: Option<&str>,
        sub_type: Option<&str>,
        reported: &[&'static str],
    ) {
        let recipients: BTreeSet<&str> = reported
            .iter()
            .filter_map(|address| affected_recipient(event, address))
            .collect();
        for address in &recipients {
            self.add_history(event, address, scope, "complaint");
            match (feedback_type, sub_type) {
                (_, Some(_)) => {
                    let until = Some(days_after(event.occurred_at, 30));
                    self.write(event, address, scope, "ses-list", true, until);
                }
                (Some("not-spam"), _) if recipients.len() > 1 => {}
                (Some("not-spam"), _) => self.write(event, address, scope, "complaint", false, None),
                (Some("auth-failure"), _) => {}
                _ => self.write(event, address, scope, "complaint", true, None),
            }
        }
        let is_counted = sub_type.is_none() && !matches!(feedback_type, Some("not-spam" | "auth-failure"));
        if let Some(first) = recipients.first().filter(|_| is_counted) {
            self.expected.count(event, EventKind::Complaint, first);
        }
    }

    fn count_destination(&mut self, event: &ScenarioEvent, kind: &'static str) {
        for address in &event.destination {
            self.expected.count(event, EventKind::Batched(kind), address);
        }
    }

    fn write(
        &mut self,
        event: &ScenarioEvent,
        address: &str,
        scope: &str,
        source: &str,
        blocked: bool,
        until: Option<Timestamp>,
    ) {
        let entry = EntryState {
            at: event.occurred_at,
            id: event.message_id.clone(),
            blocked,
            until,
        };
        self.expected.write_if_newer(address, scope, source, entry);
    }

    fn add_history(&mut self, event: &ScenarioEvent, address: &str, scope: &str, kind: &str) {
        self.history.insert((
            address.to_owned(),
            event.message_id.clone(),
            scope.to_owned(),
            kind.to_owned(),
        ));
    }
}

/// The recipient that a report affects: the address it names, or the only recipient of the message.
fn affected_recipient(event: &ScenarioEvent, reported: &'static str) -> Option<&'static str> {
    match event.destination.as_slice() {
        all if all.contains(&reported) => Some(reported),
        [only] => Some(*only),
        _ => None,
    }
}

/// The sender's scope: the tenant that SES reports, or the domain of the identity, or the domain of `mail.source`.
fn scope_of(event: &ScenarioEvent, channel: Channel) -> String {
    let tenant = event.tenant.filter(|_| channel == Channel::ConfigurationSet);
    match (tenant, &event.identity) {
        (Some(tenant), _) => format!("tenant:{tenant}"),
        (None, Some((_, identity))) => format!("domain:{}", domain_of(identity)),
        (None, None) => format!("domain:{}", event.from_domain),
    }
}

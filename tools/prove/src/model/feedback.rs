//! The feedback function: what an event changes in the table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::state::{EntryState, Expected, RecipientScope, days_after, domain_of};
use super::streak::Series;
use crate::scenario::{
    BouncedRecipient, Channel, EventDetails, EventKind, HOME_ACCOUNT, RecipientOutcome, ScenarioEvent,
};

/// The expected content of the table, and the events from which the model computes streaks and history.
#[derive(Debug)]
pub(super) struct FeedbackModel {
    /// The channel that reports the current event.
    channel: Channel,
    pub(super) expected: Expected,
    /// Bounces that suppress as a series: time and message id.
    pub(super) series: BTreeMap<(RecipientScope, Series), BTreeSet<(Timestamp, String)>>,
    /// Deliveries: time and message id.
    pub(super) deliveries: BTreeMap<RecipientScope, BTreeSet<(Timestamp, String)>>,
    /// History items: recipient, message id, scope and kind.
    pub(super) history: BTreeSet<(String, String, String, String)>,
}

impl FeedbackModel {
    pub(super) fn new() -> Self {
        Self {
            channel: Channel::Identity,
            expected: Expected::default(),
            series: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            history: BTreeSet::new(),
        }
    }

    /// Applies an event that the channel reports.
    pub(super) fn apply(&mut self, event: &ScenarioEvent, channel: Channel) {
        self.channel = channel;
        let scope = scope_of(event, channel);
        match &event.details {
            EventDetails::Bounce(bounced) => self.bounce(event, &scope, bounced),
            EventDetails::Complaint {
                feedback_type,
                sub_type,
                recipients,
            } => self.complaint(event, &scope, *feedback_type, *sub_type, recipients),
            EventDetails::Delivery(recipients) => {
                for address in recipients {
                    let by = (channel, false);
                    self.expected.count(event, EventKind::Batched("delivery"), address, by);
                    let key = ((*address).to_owned(), scope.clone());
                    let delivery = (event.occurred_at, event.message_id.clone());
                    self.deliveries.entry(key).or_default().insert(delivery);
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

    fn bounce(&mut self, event: &ScenarioEvent, scope: &str, bounced: &[BouncedRecipient]) {
        let (mailed, others): (Vec<&BouncedRecipient>, Vec<&BouncedRecipient>) = bounced
            .iter()
            .partition(|recipient| event.destination.contains(&recipient.address));
        for recipient in &mailed {
            self.affect(event, scope, recipient.address, recipient.case.outcome);
            if let Some(kind) = recipient.case.counted_as {
                self.count_report(event, kind, recipient.address, false);
            }
        }
        match (others.as_slice(), event.destination.as_slice()) {
            ([], _) => return,
            ([only], [alias]) if mailed.is_empty() => self.affect(event, scope, alias, only.case.outcome),
            // The generator's only report with two of them: one failed, one is delayed.
            ([_, _], [alias]) if mailed.is_empty() => self.add_history(event, alias, scope, "forwarded"),
            _ => {
                for recipient in &others {
                    self.add_history(event, recipient.address, scope, "not a recipient");
                }
            }
        }
        // One bounce of the message, under an address that was mailed.
        let is_counted = mailed.iter().any(|recipient| recipient.case.counted_as.is_some());
        let kind = others.iter().filter_map(|recipient| recipient.case.counted_as).min();
        if let (Some(kind), Some(under), false) = (kind, event.destination.iter().min(), is_counted) {
            self.count_report(event, kind, under, true);
        }
    }

    /// What a bounce does to a recipient of the message.
    fn affect(&mut self, event: &ScenarioEvent, scope: &str, address: &str, outcome: RecipientOutcome) {
        let is_confirmed = match outcome {
            RecipientOutcome::DecidedDead => !is_mailed_report(event),
            RecipientOutcome::Dead => {
                !is_mailed_report(event) && (event.in_conversation || event.destination.len() == 1)
            }
            _ => false,
        };
        match outcome {
            RecipientOutcome::DecidedDead | RecipientOutcome::Dead if is_confirmed => {
                self.write(event, address, "global", "bounce", true, None);
                self.add_history(event, address, "global", "hard bounce");
            }
            RecipientOutcome::DecidedDead | RecipientOutcome::Dead | RecipientOutcome::Unexplained => {
                self.add_to_series(event, address, scope, Series::Unconfirmed);
                self.add_history(event, address, scope, "hard bounce");
            }
            RecipientOutcome::SuppressedBySes => {
                let until = Some(days_after(event.occurred_at, 30));
                self.write(event, address, scope, "ses-list", true, until);
                self.add_history(event, address, scope, "suppressed by SES");
            }
            RecipientOutcome::Soft => {
                self.add_to_series(event, address, scope, Series::Soft);
                self.add_history(event, address, scope, "soft bounce");
            }
            RecipientOutcome::HistoryOnly => self.add_history(event, address, scope, "without effect"),
        }
    }

    fn add_to_series(&mut self, event: &ScenarioEvent, address: &str, scope: &str, series: Series) {
        let key = ((address.to_owned(), scope.to_owned()), series);
        let bounces = self.series.entry(key).or_default();
        bounces.insert((event.occurred_at, event.message_id.clone()));
    }

    /// Counts a bounce or complaint. One that arrived by mail is not counted.
    fn count_report(&mut self, event: &ScenarioEvent, kind: EventKind, address: &str, is_claim: bool) {
        if !is_mailed_report(event) {
            self.expected.count(event, kind, address, (self.channel, is_claim));
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
        let is_counted = sub_type.is_none() && !matches!(feedback_type, Some("not-spam" | "auth-failure"));
        let mailed = reported.iter().filter(|address| event.destination.contains(address));
        let mut recipients: BTreeSet<&str> = mailed.copied().collect();
        if recipients.is_empty() {
            if let [only] = event.destination.as_slice() {
                recipients.insert(only);
            } else {
                for address in reported {
                    self.add_history(event, address, scope, "not a recipient");
                }
                if let Some(under) = event.destination.iter().min().filter(|_| is_counted) {
                    self.count_report(event, EventKind::Complaint, under, true);
                }
                return;
            }
        }
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
        if let Some(first) = recipients.first().filter(|_| is_counted) {
            self.count_report(event, EventKind::Complaint, first, false);
        }
    }

    fn count_destination(&mut self, event: &ScenarioEvent, kind: &'static str) {
        for address in &event.destination {
            let by = (self.channel, false);
            self.expected.count(event, EventKind::Batched(kind), address, by);
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

/// Whether a notification was made from a report that arrived by mail: it has neither identity nor sending account.
fn is_mailed_report(event: &ScenarioEvent) -> bool {
    event.identity.is_none() && event.sending_account.is_none()
}

/// The sender's scope: the tenant that SES reports (of the sending account), or the domain of the identity, or the domain of `mail.source`.
fn scope_of(event: &ScenarioEvent, channel: Channel) -> String {
    let tenant = event.tenant.filter(|_| channel == Channel::ConfigurationSet);
    let other_account = event.sending_account.filter(|account| *account != HOME_ACCOUNT);
    match (tenant, &event.identity) {
        (Some(tenant), _) => match other_account {
            Some(account) => format!("tenant:{account}/{tenant}"),
            None => format!("tenant:{tenant}"),
        },
        (None, Some((_, identity))) => format!("domain:{}", domain_of(identity)),
        (None, None) => format!("domain:{}", event.from_domain),
    }
}

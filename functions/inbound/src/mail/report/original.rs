//! The part of the original message that a report returns.

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::{Value, json};

use super::addresses::parse_address;
use super::json::set_field;
use crate::mail::HeaderBlock;
use crate::mail::addresses::parse_mailboxes;
use crate::mail::date::parse_date;
use crate::mail::decode::truncate;
use crate::mail::message_ids::own_message_id;

/// The facts of the original message, from the header that the report returns.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Original {
    /// SES's id of the message.
    ses_id: Option<String>,
    /// `Message-ID` without angle brackets.
    header_id: Option<String>,
    /// `Original-Envelope-Id` of the delivery status.
    pub(super) envelope_id: Option<String>,
    source: Option<String>,
    /// The addresses of `To` and `Cc`.
    pub(super) destination: Vec<String>,
    date: Option<Timestamp>,
}

impl Original {
    /// Reads the returned header. `max_recipients` bounds the destination.
    pub(super) fn read(header: &HeaderBlock<'_>, max_recipients: usize) -> Self {
        let addresses = |name: &str| -> Vec<String> {
            let mailboxes = header.all(name).flat_map(|field| parse_mailboxes(&field.unfolded()).0);
            mailboxes
                .filter_map(|mailbox| parse_address(&mailbox.address?))
                .collect()
        };
        let header_id = own_message_id(header).map(|id| id.trim_matches(['<', '>']).to_owned());
        let mut destination = addresses("To");
        destination.extend(addresses("Cc"));
        destination.truncate(max_recipients);
        Self {
            ses_id: header_id.as_deref().and_then(ses_id),
            header_id,
            envelope_id: None,
            source: addresses("From").into_iter().next(),
            destination,
            date: header.get("Date").and_then(|field| parse_date(&field.unfolded())),
        }
    }

    /// Whether the returned header names an address as a recipient.
    pub(super) fn was_sent_to(&self, address: &EmailAddress) -> bool {
        let sent_to = self.destination.iter().filter_map(|text| EmailAddress::parse(text));
        sent_to.into_iter().any(|sent_to| sent_to.key() == address.key())
    }

    /// The `mail` object of a notification. `report_id` and `reported_at` are those of the report: they replace an id and a
    /// date that the returned header lacks.
    pub(super) fn to_json(&self, report_id: &str, reported_at: Timestamp) -> Value {
        let id = [&self.ses_id, &self.header_id, &self.envelope_id];
        let id = id.into_iter().flatten().next().map_or(report_id, String::as_str);
        // The date comes from the report. A message is not sent after it bounced.
        let sent_at = self.date.map_or(reported_at, |date| date.min(reported_at));
        let mut mail = json!({ "timestamp": sent_at.to_string(), "messageId": truncate(id, 300) });
        set_field(&mut mail, "source", self.source.clone().map(Value::from));
        let destination = (!self.destination.is_empty()).then(|| self.destination.clone().into());
        set_field(&mut mail, "destination", destination);
        mail
    }
}

/// SES's id of a message, from the `Message-ID` that SES wrote: `<id@email.amazonses.com>` in us-east-1,
/// `<id@region.amazonses.com>` elsewhere.
fn ses_id(header_id: &str) -> Option<String> {
    let (id, domain) = header_id.rsplit_once('@')?;
    let host = domain.to_ascii_lowercase();
    let is_region = host
        .strip_suffix(".amazonses.com")
        .is_some_and(|label| !label.contains('.'));
    (is_region && !id.is_empty()).then(|| id.to_owned())
}

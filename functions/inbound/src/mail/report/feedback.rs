//! Feedback reports (RFC 5965).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::addresses::parse_address;
use super::arrival::Arrival;
use super::json::set_field;
use super::original::Original;
use crate::mail::HeaderBlock;
use crate::mail::date::parse_date;
use crate::mail::decode::truncate;

/// A complaint.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Feedback {
    feedback_type: Option<String>,
    user_agent: Option<String>,
    arrival_date: Option<Timestamp>,
    complained: Vec<String>,
}

impl Feedback {
    /// Reads the fields of a feedback report. `None` if neither the report nor the original message names a recipient.
    pub(super) fn read(header: &HeaderBlock<'_>, original: &Original, max_recipients: usize) -> Option<Self> {
        let recipients = header.all("Original-Rcpt-To").take(max_recipients);
        let mut complained: Vec<_> = recipients
            .filter_map(|field| parse_address(&field.unfolded()))
            .collect();
        if complained.is_empty() {
            // Most providers redact the complainer. SES then names all recipients of the message.
            complained.clone_from(&original.destination);
        }
        let value = |name| {
            header
                .text(name)
                .filter(|value| !value.is_empty())
                .map(|value| truncate(&value, 200))
        };
        let arrival = header.get("Arrival-Date").or_else(|| header.get("Received-Date"));
        (!complained.is_empty()).then(|| Self {
            feedback_type: value("Feedback-Type").map(|value| value.to_ascii_lowercase()),
            user_agent: value("User-Agent"),
            arrival_date: arrival.and_then(|field| parse_date(&field.unfolded())),
            complained,
        })
    }

    /// The SES complaint notification.
    pub(super) fn notification(&self, mail: &Value, arrival: &Arrival<'_>) -> String {
        let complained: Vec<_> = self
            .complained
            .iter()
            .map(|address| json!({ "emailAddress": address }))
            .collect();
        let mut complaint = json!({
            "complainedRecipients": complained,
            "timestamp": arrival.at.to_string(),
            "feedbackId": arrival.message_id,
        });
        let feedback_type = self.feedback_type.clone().map(Value::from);
        set_field(&mut complaint, "complaintFeedbackType", feedback_type);
        set_field(&mut complaint, "userAgent", self.user_agent.clone().map(Value::from));
        let arrival_date = self.arrival_date.map(|date| date.to_string().into());
        set_field(&mut complaint, "arrivalDate", arrival_date);
        json!({ "notificationType": "Complaint", "complaint": complaint, "mail": mail }).to_string()
    }
}

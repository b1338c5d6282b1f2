//! Delivery status notifications (RFC 3464).

use notification_model::{EmailAddress, StatusCode};
use serde_json::{Value, json};

use super::addresses::{decode_xtext, typed_address};
use super::arrival::Arrival;
use super::json::set_field;
use super::original::Original;
use crate::mail::decode::truncate;
use crate::mail::{Field, HeaderBlock};

const MAX_DIAGNOSTIC_CHARS: usize = 1000;

/// A delivery status: which recipients, and why.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DeliveryStatus {
    reporting_mta: Option<String>,
    recipients: Vec<Recipient>,
}

/// The status of one recipient.
#[derive(Clone, PartialEq, Eq)]
struct Recipient {
    address: EmailAddress,
    action: Option<String>,
    status: Option<StatusCode>,
    diagnostic: Option<String>,
}

impl DeliveryStatus {
    /// Reads the field groups of a delivery status. `None` if no group names a recipient.
    pub(super) fn read(groups: &[HeaderBlock<'_>], original: &Original) -> Option<Self> {
        let recipients: Vec<_> = groups
            .iter()
            .filter_map(|group| Recipient::read(group, original))
            .collect();
        (!recipients.is_empty()).then(|| Self {
            reporting_mta: first_text(groups, "Reporting-MTA").map(|mta| truncate(&mta, 300)),
            recipients,
        })
    }

    /// One SES bounce notification for each bounce type among the recipients.
    pub(super) fn notifications(&self, mail: &Value, arrival: &Arrival<'_>) -> Vec<String> {
        let types = [
            ("Permanent", "General"),
            ("Transient", "General"),
            ("Undetermined", "Undetermined"),
        ];
        let recipients_of = |bounce_type| -> Vec<Value> {
            let bounced = self
                .recipients
                .iter()
                .filter(|recipient| recipient.has_bounced() && recipient.bounce_type() == bounce_type);
            bounced.map(Recipient::to_json).collect()
        };
        types
            .into_iter()
            .map(|bounce_type| (bounce_type, recipients_of(bounce_type)))
            .filter(|(_, recipients)| !recipients.is_empty())
            .map(|((bounce_type, sub_type), recipients)| {
                let mut bounce = json!({
                    "bounceType": bounce_type,
                    "bounceSubType": sub_type,
                    "bouncedRecipients": recipients,
                    "timestamp": arrival.at.to_string(),
                    "feedbackId": arrival.message_id,
                });
                let reporting_mta = self.reporting_mta.clone().map(Value::from);
                set_field(&mut bounce, "reportingMTA", reporting_mta);
                json!({ "notificationType": "Bounce", "bounce": bounce, "mail": mail }).to_string()
            })
            .collect()
    }
}

/// The first field of a name in any group, decoded.
pub(super) fn first_text(groups: &[HeaderBlock<'_>], name: &str) -> Option<String> {
    groups.iter().find_map(|group| group.get(name)).map(Field::text)
}

impl Recipient {
    fn read(group: &HeaderBlock<'_>, original: &Original) -> Option<Self> {
        let typed = |name| group.get(name).and_then(|field| typed_address(&field.unfolded()));
        let named = [typed("Final-Recipient"), typed("Original-Recipient")]
            .into_iter()
            .flatten();
        let named: Vec<_> = named
            .flat_map(|text| [decode_xtext(&text), Some(text)].into_iter().flatten())
            .collect();
        let addresses: Vec<_> = named
            .iter()
            .rev()
            .filter_map(|text| EmailAddress::parse(text))
            .collect();
        // If the recipient forwards mail, the final recipient is not an address that the message was sent to, but the original
        // recipient may be one.
        let destination = addresses.iter().rev().find(|address| original.was_sent_to(address));
        let first_named = || typed("Final-Recipient").or_else(|| typed("Original-Recipient"));
        let address = destination.cloned().or_else(|| EmailAddress::parse(&first_named()?))?;
        let diagnostic = group.text("Diagnostic-Code").filter(|text| !text.is_empty());
        Some(Self {
            address,
            action: group
                .text("Action")
                .map(|action| truncate(&action, 40).to_ascii_lowercase()),
            status: group
                .text("Status")
                .and_then(|status| StatusCode::find_in(&status))
                .or_else(|| StatusCode::find_in(diagnostic.as_deref()?)),
            diagnostic: diagnostic.map(|text| truncate(&text, MAX_DIAGNOSTIC_CHARS)),
        })
    }

    /// Whether the recipient bounced. A delay or a delivery is not a bounce. Without an action, the status decides.
    fn has_bounced(&self) -> bool {
        match self.action.as_deref() {
            Some("delayed" | "delivered" | "relayed" | "expanded") => false,
            Some("failed") => true,
            _ => self.status.is_some_and(StatusCode::is_permanent),
        }
    }

    fn bounce_type(&self) -> (&'static str, &'static str) {
        match self.status {
            Some(status) if status.is_permanent() => ("Permanent", "General"),
            Some(status) if status.is_transient() => ("Transient", "General"),
            _ => ("Undetermined", "Undetermined"),
        }
    }

    fn to_json(&self) -> Value {
        let mut recipient = json!({ "emailAddress": self.address.as_str() });
        set_field(&mut recipient, "action", self.action.clone().map(Value::from));
        set_field(
            &mut recipient,
            "status",
            self.status.map(|status| status.to_string().into()),
        );
        set_field(
            &mut recipient,
            "diagnosticCode",
            self.diagnostic.clone().map(Value::from),
        );
        recipient
    }
}

//! SES notifications: parsing and the classification of bounces. No error or reason quotes an address.

#![no_main]

/// The bounce classification of the feedback function. The crate itself depends on the AWS SDK.
#[path = "../../functions/feedback/src"]
mod feedback {
    #[allow(dead_code)]
    pub mod classification;
}

use feedback::classification::{Evidence, classify};
use libfuzzer_sys::fuzz_target;
use notification_model::{Event, SesMessage};

fuzz_target!(|text: &str| {
    let notification = match notification_model::parse(text) {
        Ok(SesMessage::Notification(notification)) => notification,
        Ok(SesMessage::Setup(_) | SesMessage::Received(_)) => return,
        Err(error) => {
            // The error is logged.
            let message = error.to_string();
            let value = serde_json::from_str(text).unwrap_or_default();
            let quoted = addresses(&value);
            assert!(!quoted.iter().any(|address| message.contains(address)), "an error quotes an address: {message}");
            return;
        }
    };
    let _ = (notification.occurred_at(), notification.event.name());
    let mail = &notification.mail;
    let _ = (mail.sending_domain(), mail.configuration_set(), mail.tenant(), mail.source_address());
    if let Event::Bounce(bounce) = &notification.event {
        for recipient in &bounce.bounced_recipients {
            let classification = classify(&Evidence::of(bounce, recipient));
            // The classification is logged and counted in metrics.
            let description = format!("{} {} {}", classification.kind, classification.reason, classification.because);
            let address = recipient.email_address.as_str();
            assert!(!address.contains('@') || address.len() < 6 || !description.contains(address), "{description}");
        }
    }
});

/// The texts in a JSON value that look like addresses.
fn addresses(value: &serde_json::Value) -> Vec<&str> {
    match value {
        serde_json::Value::String(text) if text.contains('@') && text.len() > 5 => vec![text.as_str()],
        serde_json::Value::Array(values) => values.iter().flat_map(addresses).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

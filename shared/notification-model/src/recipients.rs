//! Reads a message of which some recipients cannot be read.

use serde::Deserialize;
use serde_json::Value;

use crate::address::EmailAddress;
use crate::bounce::BouncedRecipient;
use crate::complaint::ComplainedRecipient;
use crate::error::{self, ParseError};
use crate::event::DelayedRecipient;
use crate::message::SesMessage;
use crate::wire::Envelope;

/// Returns the error of the recipient at a path, or `None` if it can be read.
type Check = fn(&Value, &str) -> Option<ParseError>;

/// The lists of recipients: the object, the field, and how one recipient is checked.
const LISTS: [(&str, &str, Check); 4] = [
    ("bounce", "bouncedRecipients", error::of_value::<BouncedRecipient>),
    (
        "complaint",
        "complainedRecipients",
        error::of_value::<ComplainedRecipient>,
    ),
    ("delivery", "recipients", error::of_value::<EmailAddress>),
    (
        "deliveryDelay",
        "delayedRecipients",
        error::of_value::<DelayedRecipient>,
    ),
];

/// Reads a message without its unreadable recipients. Returns `None` if this does not make it readable.
pub(crate) fn parse_readable(text: &str) -> Option<Result<SesMessage, ParseError>> {
    let mut message: Value = serde_json::from_str(text).ok()?;
    let mut errors = Vec::new();
    for (object, field, check) in LISTS {
        let list = message.get_mut(object).and_then(|object| object.get_mut(field));
        let Some(Value::Array(list)) = list else {
            continue;
        };
        let before = errors.len();
        let mut index = 0;
        list.retain(|recipient| {
            let error = check(recipient, &format!("{object}.{field}[{index}]"));
            index += 1;
            let is_readable = error.is_none();
            errors.extend(error);
            is_readable
        });
        if list.is_empty() && errors.len() > before {
            return errors.into_iter().nth(before).map(Err);
        }
    }
    if errors.is_empty() {
        return None;
    }
    let message = Envelope::deserialize(message).ok()?.try_into();
    Some(message.map(|message| match message {
        SesMessage::Notification(mut notification) => {
            notification.unreadable_recipients = errors;
            SesMessage::Notification(notification)
        }
        other => other,
    }))
}

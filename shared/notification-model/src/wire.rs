//! The JSON of SES where its shape (a type field beside optional objects) differs from the types of this crate.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::bounce::Bounce;
use crate::complaint::Complaint;
use crate::error::ParseError;
use crate::event::{Channel, Click, Delivery, DeliveryDelay, Event, Notification, Open, Reject, RenderingFailure};
use crate::inbound::{Content, ContentEncoding, InvocationType, Receipt, ReceiptAction, Received};
use crate::mail::Mail;
use crate::message::{ServiceEvent, SesMessage, Setup};
use crate::service_event;
use crate::subscription::Subscription;

/// All fields of all SES messages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    notification_type: Option<String>,
    event_type: Option<String>,
    message: Option<String>,
    mail: Option<Mail>,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery: Option<Delivery>,
    reject: Option<Reject>,
    open: Option<Open>,
    click: Option<Click>,
    failure: Option<RenderingFailure>,
    /// How test tools spell `failure`.
    rendering_failure: Option<RenderingFailure>,
    delivery_delay: Option<DeliveryDelay>,
    subscription: Option<Subscription>,
    receipt: Option<Receipt>,
    content: Option<String>,
    // The fields of an EventBridge event, of its `detail`, and of a CloudTrail record.
    #[serde(rename = "detail-type")]
    detail_type: Option<Value>,
    detail: Option<Value>,
    resources: Option<Value>,
    version: Option<IgnoredAny>,
    data: Option<Value>,
    event_name: Option<Value>,
}

/// The message id of the message that SES sends once to test the bucket or topic of a new receipt rule.
const INBOUND_PROBE: &str = "AMAZON_SES_SETUP_NOTIFICATION";

const EVENT_TYPES: [&str; 11] = [
    "Send",
    "Reject",
    "Delivery",
    "Bounce",
    "Complaint",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
    "Received",
];

impl TryFrom<Envelope> for SesMessage {
    type Error = ParseError;

    fn try_from(mut envelope: Envelope) -> Result<Self, ParseError> {
        if let Some(event) = envelope.service_event() {
            return Ok(Self::Setup(Setup::ServiceEvent(event)));
        }
        let (channel, name) = match (envelope.event_type.take(), envelope.notification_type.take()) {
            (Some(name), _) => (Channel::ConfigurationSet, name),
            (None, Some(name)) if name == "AmazonSnsSubscriptionSucceeded" => {
                return Ok(Self::Setup(Setup::SubscriptionSucceeded {
                    message: envelope.message,
                }));
            }
            (None, Some(name)) if name.eq_ignore_ascii_case("Received") => return envelope.into_received(),
            (None, Some(name)) => (Channel::Identity, name),
            // The event of the Lambda action has no type.
            (None, None) if envelope.receipt.is_some() => return envelope.into_received(),
            (None, None) => return Err(ParseError::NotFromSes),
        };
        let type_field = match channel {
            Channel::Identity => "notificationType",
            Channel::ConfigurationSet => "eventType",
        };
        let mail = envelope.mail.take().ok_or_else(|| missing("mail", type_field, &name))?;
        let event = envelope.into_event(type_field, name)?;
        check_recipients(&event)?;
        Ok(Self::Notification(Notification {
            channel,
            mail,
            event,
            unreadable_recipients: Vec::new(),
        }))
    }
}

impl Envelope {
    /// Returns the event if it is not about a mail.
    fn service_event(&self) -> Option<ServiceEvent> {
        if self.mail.is_some() || self.notification_type.is_some() || self.receipt.is_some() {
            return None;
        }
        let is_detail = self.version.is_some() && self.data.is_some();
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        let detail_type = text(&self.detail_type);
        let description = match (&self.event_type, &detail_type) {
            (Some(name), _) if service_event::is_cloudtrail(name) => text(&self.event_name),
            (None, Some(detail_type)) if !detail_type.starts_with("Email ") => {
                service_event::describe_detail(self.detail.as_ref()?)
            }
            (None, None) if is_detail => service_event::describe_data(self.data.as_ref()?),
            _ => return None,
        };
        let resources = self.resources.as_ref().and_then(Value::as_array);
        let resources = resources.into_iter().flatten().filter_map(Value::as_str);
        Some(ServiceEvent {
            resources: resources.map(str::to_owned).collect(),
            detail_type,
            description,
        })
    }

    fn into_event(self, type_field: &str, name: String) -> Result<Event, ParseError> {
        let folded = name.replace(' ', "").to_ascii_lowercase();
        macro_rules! object {
            ($variant:ident, $field:ident, $path:literal) => {
                self.$field
                    .map(Event::$variant)
                    .ok_or_else(|| missing($path, type_field, &name))
            };
        }
        match folded.as_str() {
            "send" => Ok(Event::Send),
            "reject" => object!(Reject, reject, "reject"),
            "delivery" => object!(Delivery, delivery, "delivery"),
            "bounce" => object!(Bounce, bounce, "bounce"),
            "complaint" => object!(Complaint, complaint, "complaint"),
            "open" => object!(Open, open, "open"),
            "click" => object!(Click, click, "click"),
            "renderingfailure" => self
                .failure
                .or(self.rendering_failure)
                .map(Event::RenderingFailure)
                .ok_or_else(|| missing("failure", type_field, &name)),
            "deliverydelay" => object!(DeliveryDelay, delivery_delay, "deliveryDelay"),
            "subscription" => object!(Subscription, subscription, "subscription"),
            _ => Ok(Event::Other(name)),
        }
    }

    fn into_received(self) -> Result<SesMessage, ParseError> {
        let mail = self
            .mail
            .ok_or_else(|| missing("mail", "notificationType", "Received"))?;
        if mail.message_id == INBOUND_PROBE {
            return Ok(SesMessage::Setup(Setup::InboundProbe));
        }
        let receipt = self
            .receipt
            .ok_or_else(|| missing("receipt", "notificationType", "Received"))?;
        let encoding = match &receipt.action {
            ReceiptAction::Sns { encoding, .. } => encoding.clone(),
            _ => ContentEncoding::Utf8,
        };
        let content = self.content.map(|text| Content { text, encoding });
        Ok(SesMessage::Received(Received { mail, receipt, content }))
    }
}

/// Rejects a bounce or complaint without recipients, because it would have no effect.
fn check_recipients(event: &Event) -> Result<(), ParseError> {
    let path = match event {
        Event::Bounce(bounce) if bounce.bounced_recipients.is_empty() => "bounce.bouncedRecipients",
        Event::Complaint(complaint) if complaint.complained_recipients.is_empty() => "complaint.complainedRecipients",
        _ => return Ok(()),
    };
    Err(ParseError::Invalid {
        path: path.to_owned(),
        problem: "expected at least one recipient".to_owned(),
    })
}

fn missing(path: &str, type_field: &str, name: &str) -> ParseError {
    let problem = match EVENT_TYPES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => format!("expected an object, as {type_field} is {known}"),
        // The message must not quote an unknown name.
        None => "expected an object".to_owned(),
    };
    ParseError::Invalid {
        path: path.to_owned(),
        problem,
    }
}

/// A receipt-rule action: the type, and the fields of all types.
#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Action {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_key_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<ContentEncoding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_type: Option<InvocationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_reply_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_value: Option<String>,
}

impl<'de> Deserialize<'de> for ReceiptAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let action = Action::deserialize(deserializer)?;
        let kind = action.kind.ok_or_else(|| de::Error::missing_field("type"))?;
        let required = |value: Option<String>, field| value.ok_or_else(|| de::Error::missing_field(field));
        Ok(match kind.to_ascii_lowercase().as_str() {
            "s3" => Self::S3 {
                bucket_name: required(action.bucket_name, "bucketName")?,
                object_key: required(action.object_key, "objectKey")?,
                object_key_prefix: action.object_key_prefix,
                topic_arn: action.topic_arn,
            },
            "sns" => Self::Sns {
                topic_arn: action.topic_arn,
                encoding: action.encoding.unwrap_or(ContentEncoding::Utf8),
            },
            "lambda" => Self::Lambda {
                function_arn: required(action.function_arn, "functionArn")?,
                invocation_type: action.invocation_type.unwrap_or(InvocationType::Event),
            },
            "bounce" => Self::Bounce {
                sender: action.sender,
                smtp_reply_code: action.smtp_reply_code,
                status_code: action.status_code,
                message: action.message,
                topic_arn: action.topic_arn,
            },
            "stop" => Self::Stop {
                topic_arn: action.topic_arn,
            },
            "workmail" => Self::WorkMail {
                organization_arn: action.organization_arn,
                topic_arn: action.topic_arn,
            },
            "addheader" => Self::AddHeader {
                header_name: action.header_name,
                header_value: action.header_value,
            },
            _ => Self::Other(kind),
        })
    }
}

impl Serialize for ReceiptAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = |name: &str| Some(name.to_owned());
        let action = match self.clone() {
            Self::S3 {
                bucket_name,
                object_key,
                object_key_prefix,
                topic_arn,
            } => Action {
                kind: kind("S3"),
                bucket_name: Some(bucket_name),
                object_key: Some(object_key),
                object_key_prefix,
                topic_arn,
                ..Action::default()
            },
            Self::Sns { topic_arn, encoding } => Action {
                kind: kind("SNS"),
                topic_arn,
                encoding: Some(encoding),
                ..Action::default()
            },
            Self::Lambda {
                function_arn,
                invocation_type,
            } => Action {
                kind: kind("Lambda"),
                function_arn: Some(function_arn),
                invocation_type: Some(invocation_type),
                ..Action::default()
            },
            Self::Bounce {
                sender,
                smtp_reply_code,
                status_code,
                message,
                topic_arn,
            } => Action {
                kind: kind("Bounce"),
                sender,
                smtp_reply_code,
                status_code,
                message,
                topic_arn,
                ..Action::default()
            },
            Self::Stop { topic_arn } => Action {
                kind: kind("Stop"),
                topic_arn,
                ..Action::default()
            },
            Self::WorkMail {
                organization_arn,
                topic_arn,
            } => Action {
                kind: kind("WorkMail"),
                organization_arn,
                topic_arn,
                ..Action::default()
            },
            Self::AddHeader {
                header_name,
                header_value,
            } => Action {
                kind: kind("AddHeader"),
                header_name,
                header_value,
                ..Action::default()
            },
            Self::Other(name) => Action {
                kind: Some(name),
                ..Action::default()
            },
        };
        action.serialize(serializer)
    }
}

//! Takes one delivery to its target, or parks it with the reason.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::Target;

use crate::alert::ALERT_ID;
use crate::delivery::Delivery;
use crate::effects::Effects;
use crate::effects::rejection::Rejection;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The target has it.
    Taken,
    /// The target refused it for good, and it waits in the park queue.
    DeadLettered,
}

/// A delivery that has to be tried again. The message names no target: a person's is an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The target did not take it this time.
    #[error("the target did not take it: {code}")]
    NotTaken {
        /// What it answered.
        code: String,
    },
    /// The target refused it for good, and the park queue did not take it.
    #[error("the target refused it ({code}), and the park queue did not take it: {park_code}")]
    NotParked {
        /// What the target answered.
        code: String,
        /// What the park queue answered.
        park_code: String,
    },
}

impl Effects {
    /// Takes a delivery to its target. What the target refuses for good is dead-lettered, with the reason, in the queue an
    /// operator watches; moved from there to the deliver queue it is tried again.
    ///
    /// # Errors
    /// When it is neither delivered nor dead-lettered.
    pub async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Result<Delivered, DeliveryError> {
        let rejection = match self.take(delivery, now).await {
            Ok(()) => return Ok(Delivered::Taken),
            Err(rejection) if rejection.for_good => rejection,
            Err(rejection) => return Err(DeliveryError::NotTaken { code: rejection.code }),
        };
        if let Err(parking) = self.park(delivery, &rejection).await {
            return Err(DeliveryError::NotParked {
                code: rejection.code,
                park_code: parking.code,
            });
        }
        tracing::warn!(
            key = delivery.key,
            route = delivery.attributes.get("route"),
            code = rejection.code,
            "dead-lettered a delivery that its target refused for good"
        );
        Ok(Delivered::DeadLettered)
    }

    async fn take(&self, delivery: &Delivery, now: Timestamp) -> Result<(), Rejection> {
        match &delivery.target {
            Target::Topic(arn) => {
                let fifo = arn.ends_with(".fifo").then_some(delivery);
                self.publish(arn, &delivery.body, &delivery.attributes, fifo).await
            }
            Target::Queue(arn) => self.send_message(arn, delivery).await,
            Target::Bus(arn) => self.put_event(arn, delivery).await,
            Target::Email(address) if delivery.attributes.contains_key(ALERT_ID) => {
                self.mail_alert(address, delivery).await
            }
            Target::Email(address) => self.add_to_digest(address, delivery, now).await,
        }
    }

    /// Publishes to a topic in its own account and Region. `fifo` is the delivery whose key a FIFO topic wants.
    pub(super) async fn publish(
        &self,
        arn: &str,
        body: &str,
        attributes: &BTreeMap<String, String>,
        fifo: Option<&Delivery>,
    ) -> Result<(), Rejection> {
        let target_key = Place::read(arn, "sns")?;
        let mut request = self.clients.sns.publish().topic_arn(arn).message(body);
        for (name, value) in presentable(attributes) {
            let value = aws_sdk_sns::types::MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build();
            request = request.message_attributes(name, value.map_err(|error| incomplete(&error))?);
        }
        if let Some(delivery) = fifo {
            request = request
                .message_group_id(group(delivery))
                .message_deduplication_id(&delivery.key);
        }
        let region = aws_sdk_sns::config::Region::new(target_key.region.to_owned());
        let there = aws_sdk_sns::Config::builder().region(region);
        let answer = request.customize().config_override(there).send().await;
        answer.map(drop).map_err(|error| Rejection::of(&error))
    }

    async fn send_message(&self, arn: &str, delivery: &Delivery) -> Result<(), Rejection> {
        let target_key = Place::read(arn, "sqs")?;
        let mut request = self
            .clients
            .sqs
            .send_message()
            .queue_url(target_key.queue_url())
            .message_body(&delivery.body);
        for (name, value) in presentable(&delivery.attributes) {
            request = request.message_attributes(name, string(value)?);
        }
        if arn.ends_with(".fifo") {
            request = request
                .message_group_id(group(delivery))
                .message_deduplication_id(&delivery.key);
        }
        let region = aws_sdk_sqs::config::Region::new(target_key.region.to_owned());
        let there = aws_sdk_sqs::Config::builder().region(region);
        let answer = request.customize().config_override(there).send().await;
        answer.map(drop).map_err(|error| Rejection::of(&error))
    }

    async fn put_event(&self, arn: &str, delivery: &Delivery) -> Result<(), Rejection> {
        let target_key = Place::read(arn, "events")?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(arn)
            .source("postroom")
            .detail_type(delivery.attributes.get("type").map_or("Other", String::as_str))
            .detail(event_detail(delivery))
            .build();
        let region = aws_sdk_eventbridge::config::Region::new(target_key.region.to_owned());
        let there = aws_sdk_eventbridge::Config::builder().region(region);
        let request = self.clients.eventbridge.put_events().entries(entry).customize();
        let output = request
            .config_override(there)
            .send()
            .await
            .map_err(|error| Rejection::of(&error))?;
        // An accepted request says nothing of its entries.
        if output.failed_entry_count == 0 {
            return Ok(());
        }
        let entry = output.entries.unwrap_or_default().into_iter().next();
        let (code, message) = entry
            .map(|entry| (entry.error_code, entry.error_message))
            .unwrap_or_default();
        Err(Rejection::from_code(
            &code.unwrap_or_default(),
            &message.unwrap_or_default(),
        ))
    }

    async fn park(&self, delivery: &Delivery, rejection: &Rejection) -> Result<(), Rejection> {
        let mut request = self
            .clients
            .sqs
            .send_message()
            .queue_url(&self.settings.dead_letter_queue_url)
            .message_body(delivery.to_message());
        let notes = BTreeMap::from([
            ("reason".to_owned(), rejection.in_words()),
            ("target".to_owned(), delivery.target.to_string()),
            ("idempotencyKey".to_owned(), delivery.key.clone()),
        ]);
        for (name, value) in presentable(&notes) {
            request = request.message_attributes(name, string(value)?);
        }
        request.send().await.map(drop).map_err(|error| Rejection::of(&error))
    }
}

/// FIFO targets get the events of one message in order.
fn group(delivery: &Delivery) -> &str {
    delivery.key.rsplit_once('-').map_or("-", |(message_id, _)| message_id)
}

/// EventBridge has no attributes, so they stand in the event beside the notification.
fn event_detail(delivery: &Delivery) -> String {
    let mut detail: Map<String, Value> = delivery
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let notification = serde_json::from_str(&delivery.body).unwrap_or_else(|_| json!(delivery.body));
    detail.insert("notification".to_owned(), notification);
    Value::Object(detail).to_string()
}

/// Attribute values as SNS and SQS take them: not empty, characters that XML has, and no longer than a filter compares.
fn presentable(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    let clean = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'.. => c,
        _ => '\u{fffd}',
    };
    attributes
        .iter()
        .map(move |(name, value)| (name.clone(), value.chars().map(clean).take(256).collect::<String>()))
        .filter(|(_, value)| !value.is_empty())
}

fn string(value: String) -> Result<aws_sdk_sqs::types::MessageAttributeValue, Rejection> {
    aws_sdk_sqs::types::MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .map_err(|error| incomplete(&error))
}

pub(super) fn incomplete(error: &dyn std::error::Error) -> Rejection {
    Rejection::for_now(&error.to_string())
}

/// Where a target lives: another account and Region than ours, as often as not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn read(arn: &'a str, service: &str) -> Result<Self, Rejection> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, found, region, account, name]
                if *found == service && is_region(region) && is_account(account) && !name.is_empty() =>
            {
                Ok(Self {
                    partition,
                    region,
                    account,
                    name,
                })
            }
            _ => Err(Rejection::for_good(
                "InvalidArn",
                &format!("expected arn:PARTITION:{service}:REGION:ACCOUNT:NAME"),
            )),
        }
    }

    fn queue_url(&self) -> String {
        let suffix = match self.partition {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        };
        format!("https://sqs.{}.{suffix}/{}/{}", self.region, self.account, self.name)
    }
}

/// It becomes part of a host name.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Place, presentable};

    #[test]
    fn a_place_is_read_from_its_arn() {
        let url = |arn: &str| Place::read(arn, "sqs").map(|target_key| target_key.queue_url());
        assert_eq!(
            url("arn:aws:sqs:eu-west-1:111122223333:feedback").unwrap(),
            "https://sqs.eu-west-1.amazonaws.com/111122223333/feedback"
        );
        assert_eq!(
            url("arn:aws-cn:sqs:cn-north-1:111122223333:feedback").unwrap(),
            "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/feedback"
        );
        for arn in [
            "",
            "feedback",
            "arn:aws:sns:eu-west-1:111122223333:feedback",
            "arn:aws:sqs:evil.example/:111122223333:feedback",
            "arn:aws:sqs:eu-west-1:1:feedback",
            "arn:aws:sqs:eu-west-1:111122223333:",
        ] {
            assert!(url(arn).unwrap_err().for_good, "{arn}");
        }
    }

    #[test]
    fn attributes_are_what_sns_takes() {
        let attributes: BTreeMap<String, String> = [("a", "x\u{0}y\u{ffff}"), ("b", ""), ("c", "Gr\u{fc}\u{df}e")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let shown: Vec<_> = presentable(&attributes).collect();
        assert_eq!(
            shown,
            [
                ("a".to_owned(), "x\u{fffd}y\u{fffd}".to_owned()),
                ("c".to_owned(), "Gr\u{fc}\u{df}e".to_owned())
            ]
        );
    }
}

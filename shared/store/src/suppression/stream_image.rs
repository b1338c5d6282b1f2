//! The row of a recipient as a record of the table's DynamoDB stream contains it.
//!
//! Lambda passes the attribute values of a record as
//! [DynamoDB JSON](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html#Programming.LowLevelAPI.DataTypeDescriptors),
//! not as types of the SDK.

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::EmailAddress;
use serde_json::{Map, Value};

use super::recipient::{RECIPIENT_SK, Recipient};
use crate::item::{Item, text};

impl Recipient {
    /// Reads `OldImage` or `NewImage` of a stream record. Attributes that this version does not know are ignored, as in a row
    /// that is read from the table.
    #[must_use]
    pub fn from_stream_image(image: &Map<String, Value>) -> Self {
        Self::read(&item(image))
    }

    /// Returns the address of a row from `Keys` of a stream record. `None` if the row is not one of a recipient.
    #[must_use]
    pub fn address_in_stream_keys(keys: &Map<String, Value>) -> Option<EmailAddress> {
        let keys = item(keys);
        text(&keys, "sk").filter(|sk| *sk == RECIPIENT_SK)?;
        EmailAddress::parse(text(&keys, "pk")?.strip_prefix("RECIPIENT#")?)
    }
}

fn item(attributes: &Map<String, Value>) -> Item {
    let values = attributes.iter();
    values
        .filter_map(|(name, value)| Some((name.clone(), attribute(value)?)))
        .collect()
}

/// Reads an attribute value of a type that rows of recipients have.
fn attribute(value: &Value) -> Option<AttributeValue> {
    let (kind, value) = value.as_object()?.iter().next()?;
    Some(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text.clone()),
        ("N", Value::String(number)) => AttributeValue::N(number.clone()),
        ("BOOL", Value::Bool(flag)) => AttributeValue::Bool(*flag),
        ("M", Value::Object(map)) => AttributeValue::M(item(map)),
        ("SS", Value::Array(members)) => {
            AttributeValue::Ss(members.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use crate::{BounceSeries, Recipient, Scope, SuppressionSource};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_image_reads_as_the_row() {
        let image = object(json!({
            "pk": {"S": "RECIPIENT#jane@example.net"},
            "sk": {"S": "SUPPRESSION"},
            "createdAt": {"S": "2026-03-01T08:00:00.000Z"},
            "global|bounce": {"M": {
                "version": {"S": "2026-03-02T08:00:00.000Z#m1"}, "at": {"S": "2026-03-02T08:00:00.000Z"}, "id": {"S": "m1"},
                "blocked": {"BOOL": true}, "until": {"N": "1775000000"}, "reason": {"S": "hard bounce"},
                "address": {"S": "Jane@example.net"}, "evidence": {"M": {"bounceType": {"S": "Permanent"}}},
            }},
            "domain:shop.example|soft": {"SS": ["2026-03-01T08:00:00.000Z#m0"]},
            "later": {"L": [{"NULL": true}]},
        }));
        let row = Recipient::from_stream_image(&image);
        let entry = &row.entries[&(Scope::Global, SuppressionSource::Bounce)];
        assert_eq!((entry.id.as_str(), entry.blocked), ("m1", true));
        assert_eq!(entry.until.unwrap().as_second(), 1_775_000_000);
        assert_eq!(entry.evidence["bounceType"], "Permanent");
        let scope = Scope::Domain("shop.example".to_owned());
        assert_eq!(row.series(&scope, BounceSeries::Soft).len(), 1);
        assert!(row.created_at.is_some());
    }

    #[test]
    fn only_the_row_of_a_recipient_has_an_address() {
        let address = |pk: &str, sk: &str| {
            let keys = object(json!({"pk": {"S": pk}, "sk": {"S": sk}}));
            Recipient::address_in_stream_keys(&keys).map(|address| address.key().to_owned())
        };
        assert_eq!(
            address("RECIPIENT#jane@example.net", "SUPPRESSION").as_deref(),
            Some("jane@example.net")
        );
        assert_eq!(address("RECIPIENT#jane@example.net", "EVENT#1"), None);
        assert_eq!(address("ROUTE#1", "SUPPRESSION"), None);
        assert_eq!(Recipient::address_in_stream_keys(&Map::new()), None);
    }
}

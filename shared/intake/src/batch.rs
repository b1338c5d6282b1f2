//! Splits a Lambda event into records.

use std::fmt;

use serde_json::Value;

use crate::envelope;
use crate::error::{BadRecord, IntakeError, ShapeError};
use crate::record::Record;

/// The records of one Lambda event.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) source: EventSource,
    pub(crate) records: Vec<Result<Record, BadRecord>>,
}

/// The service that invoked the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventSource {
    /// An event source mapping that reads an SQS queue.
    Sqs,
    /// An SNS subscription.
    Sns,
    /// An EventBridge rule.
    EventBridge,
    /// An SES receipt rule, or a rule of SES Mail Manager.
    ReceiptRule,
}

impl fmt::Display for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::EventBridge => "event_bridge",
            Self::ReceiptRule => "receipt_rule",
        })
    }
}

impl Batch {
    /// Splits a Lambda event into records.
    ///
    /// # Errors
    ///
    /// If the event has an unknown shape, its records come from different or unknown sources, or an SQS record has no id.
    pub fn from_event(event: &Value) -> Result<Self, IntakeError> {
        if let Some(entries) = event.get("Records") {
            let entries = entries
                .as_array()
                .ok_or_else(|| ShapeError::new("Records", "expected an array"))?;
            return Ok(Self::from_entries(entries)?);
        }
        if let Some(record) = envelope::from_event_bridge(event) {
            return Ok(Self {
                source: EventSource::EventBridge,
                records: vec![Ok(record?)],
            });
        }
        match envelope::from_bare_mail(event) {
            Some(record) => Ok(Self {
                source: EventSource::ReceiptRule,
                records: vec![record],
            }),
            None => {
                let expected = "expected `Records`, or `source`, `detail-type` and `detail`, or `mail` and `receipt`";
                Err(ShapeError::new("$", expected).into())
            }
        }
    }

    /// Splits a Lambda event, given as JSON text, into records.
    ///
    /// # Errors
    ///
    /// As [`from_event`](Self::from_event), or if the text is not JSON.
    pub fn from_slice(event: &[u8]) -> Result<Self, IntakeError> {
        let event: Value = serde_json::from_slice(event).map_err(|error| IntakeError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        Self::from_event(&event)
    }

    /// Returns the service that invoked the function. The [`Provenance`](crate::Provenance) of a record has the services
    /// that the record passed through.
    #[must_use]
    pub fn via(&self) -> EventSource {
        self.source
    }

    /// Returns the records in the order of the event.
    pub fn records(&self) -> &[Result<Record, BadRecord>] {
        &self.records
    }

    /// Returns the number of records, including bad ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn from_entries(entries: &[Value]) -> Result<Self, ShapeError> {
        let source = common_source(entries)?;
        let records = entries.iter().enumerate().map(|(index, entry)| {
            let path = format!("Records[{index}]");
            match source {
                EventSource::Sqs => envelope::from_sqs(entry, &path),
                EventSource::ReceiptRule => Ok(envelope::from_receipt_rule(entry, &path)),
                EventSource::Sns | EventSource::EventBridge => Ok(envelope::from_sns(entry, &path)),
            }
        });
        Ok(Self {
            source,
            records: records.collect::<Result<_, _>>()?,
        })
    }
}

/// Returns the source of all entries. An empty batch counts as SQS, the only source that sends batches.
fn common_source(entries: &[Value]) -> Result<EventSource, ShapeError> {
    let mut common = None;
    for (index, entry) in entries.iter().enumerate() {
        let source = source_of(entry).ok_or_else(|| {
            ShapeError::new(
                format!("Records[{index}].eventSource"),
                "expected `aws:sqs`, `aws:sns` or `aws:ses`",
            )
        })?;
        if *common.get_or_insert(source) != source {
            let problem = "expected the same source as in the previous records";
            return Err(ShapeError::new(format!("Records[{index}].eventSource"), problem));
        }
    }
    Ok(common.unwrap_or(EventSource::Sqs))
}

fn source_of(entry: &Value) -> Option<EventSource> {
    // SNS spells the field with a capital letter.
    let source = entry.get("eventSource").or_else(|| entry.get("EventSource"))?;
    match source.as_str()? {
        "aws:sqs" => Some(EventSource::Sqs),
        "aws:sns" => Some(EventSource::Sns),
        "aws:ses" => Some(EventSource::ReceiptRule),
        _ => None,
    }
}

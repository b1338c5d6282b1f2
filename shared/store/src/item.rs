//! Attribute values and times, written the same way everywhere.

use std::collections::HashMap;
use std::hash::Hasher;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use siphasher::sip::SipHasher13;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A timestamp in UTC with milliseconds, so that text order is time order: `2026-01-27T14:59:38.237Z`.
#[must_use]
pub fn stamp(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The UTC hour a time falls in: `2026-01-27T14`.
pub(crate) fn hour(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H").to_string()
}

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn bytes<'a>(item: &'a Item, name: &str) -> &'a [u8] {
    item.get(name)
        .and_then(|value| value.as_b().ok())
        .map_or(&[], |blob| blob.as_ref())
}

pub(crate) fn time(item: &Item, name: &str) -> Option<Timestamp> {
    text(item, name)?.parse().ok()
}

/// A time in epoch seconds, as DynamoDB's TTL wants it.
pub(crate) fn epoch(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_second(item.get(name)?.as_n().ok()?.parse().ok()?).ok()
}

/// A hash that stays the same across versions: it is stored.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

/// The same for bytes.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

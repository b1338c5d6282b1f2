//! Reading and writing attribute values.

use std::collections::HashMap;
use std::hash::Hasher;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use siphasher::sip::SipHasher13;

/// A row as DynamoDB returns it: attribute values by name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Formats a time in UTC with milliseconds, so that the order of the texts is the order of the times:
/// `2026-01-27T14:59:38.237Z`.
#[must_use]
pub fn stamp(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Formats the UTC hour of a time: `2026-01-27T14`.
pub(crate) fn hour(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H").to_string()
}

/// Returns a string attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Returns a number attribute.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Returns a binary attribute.
pub(crate) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Returns the value of a string attribute.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Returns the value of a binary attribute, or an empty slice.
pub(crate) fn bytes<'a>(item: &'a Item, name: &str) -> &'a [u8] {
    item.get(name)
        .and_then(|value| value.as_b().ok())
        .map_or(&[], |blob| blob.as_ref())
}

/// Returns the time in a string attribute.
pub(crate) fn time(item: &Item, name: &str) -> Option<Timestamp> {
    text(item, name)?.parse().ok()
}

/// Returns the time in a number attribute with seconds since the epoch, the format of DynamoDB's TTL.
pub(crate) fn epoch(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_second(item.get(name)?.as_n().ok()?.parse().ok()?).ok()
}

/// Returns a hash of several texts. It is stored, so it must stay the same in every version.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

/// Returns a hash of several texts as 16 hexadecimal digits. It is the same in every version.
#[must_use]
pub fn hash_id(parts: &[&str]) -> String {
    format!("{:016x}", hash(parts))
}

/// Returns a hash of bytes. It is stored, so it must stay the same in every version.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

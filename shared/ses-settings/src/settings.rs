//! Settings of objects: what the configuration names, and what was read.

use std::collections::{BTreeMap, BTreeSet};

use crate::field::{Field, Object, Part};
use crate::value::{Fields, Value};

/// The settings that the configuration names. Fields that are not here are not changed, except
/// [own](Field::is_own) ones, which are removed.
pub type Desired = BTreeMap<Object, Fields>;

/// The settings that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actual {
    objects: BTreeMap<Object, Reading>,
}

/// What was read of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    parts: BTreeSet<Part>,
    fields: Fields,
    is_missing: bool,
}

impl Reading {
    /// The settings of one part of an existing object.
    #[must_use]
    pub fn of_part(part: Part, fields: Fields) -> Self {
        Self {
            parts: BTreeSet::from([part]),
            fields,
            is_missing: false,
        }
    }

    /// The reading of an object that does not exist.
    #[must_use]
    pub fn missing() -> Self {
        Self {
            is_missing: true,
            ..Self::default()
        }
    }

    /// Whether the object does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// The value of a field; `None` when its part was not read. A policy, an event destination or a subscription that does
    /// not exist is [`Value::Absent`].
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<Value> {
        if self.is_missing {
            return Some(match field {
                Field::Exists => Value::Flag(false),
                // What a new configuration set has.
                Field::ReputationMetrics => Value::Flag(false),
                Field::Sending => Value::Flag(true),
                _ => Value::Absent,
            });
        }
        let is_read = self.parts.contains(&field.part());
        is_read.then(|| self.fields.get(field).cloned().unwrap_or(Value::Absent))
    }

    /// The fields that were read, without those that are absent from the object.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Adds another reading of the same object. What both have read is replaced.
    pub fn add(&mut self, newer: Self) {
        if newer.is_missing {
            *self = newer;
            return;
        }
        self.is_missing = false;
        self.fields.retain(|field, _| !newer.parts.contains(&field.part()));
        self.parts.extend(newer.parts);
        self.fields.extend(newer.fields);
    }
}

impl Actual {
    /// Adds what was read of an object.
    pub fn add(&mut self, object: Object, reading: Reading) {
        self.objects.entry(object).or_default().add(reading);
    }

    /// What was read of an object; `None` when nothing was.
    #[must_use]
    pub fn get(&self, object: &Object) -> Option<&Reading> {
        self.objects.get(object)
    }

    /// Everything that was read.
    pub fn iter(&self) -> impl Iterator<Item = (&Object, &Reading)> {
        self.objects.iter()
    }
}

/// A setting that differs from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub object: Object,
    /// The setting.
    pub field: Field,
    /// The value that was read.
    pub before: Value,
    /// The value of the configuration.
    pub after: Value,
}

impl Change {
    /// Whether something that exists is removed.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.after == Value::Absent && self.before != Value::Absent
    }
}

/// Returns the settings of an object that differ, by field. Fields whose part was not read are not compared.
#[must_use]
pub fn object_difference(object: &Object, desired: &Fields, actual: &Reading) -> Vec<Change> {
    let named = desired.iter().filter_map(|(field, after)| {
        let before = actual.get(field)?;
        (before != *after).then(|| (field.clone(), before, after.clone()))
    });
    let left = actual
        .fields
        .iter()
        .filter(|(field, value)| field.is_own() && !desired.contains_key(field) && **value != Value::Absent)
        .map(|(field, before)| (field.clone(), before.clone(), Value::Absent));
    let mut changes: Vec<Change> = named
        .chain(left)
        .map(|(field, before, after)| Change {
            object: object.clone(),
            field,
            before,
            after,
        })
        .collect();
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

/// Returns the settings that differ, by object and field. Objects that were not read are not compared.
#[must_use]
pub fn difference(desired: &Desired, actual: &Actual) -> Vec<Change> {
    let compared = desired
        .iter()
        .filter_map(|(object, fields)| Some((object, fields, actual.get(object)?)));
    compared
        .flat_map(|(object, fields, reading)| object_difference(object, fields, reading))
        .collect()
}

/// Whether the differences of an identity are those that SES itself makes when it cannot publish to a topic: Bounce and
/// Complaint have no topic although they should, Delivery has the topic that it should, and feedback forwarding is on.
///
/// A person who removes the topics usually leaves no such state: SES accepts the removal of both only after forwarding is
/// on, and a person who removes Bounce and Complaint usually removes Delivery too. See
/// [receiving notifications](https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html).
#[must_use]
pub fn is_removal_by_ses(desired: &Fields, actual: &Reading) -> bool {
    use crate::field::NotificationType::{Bounce, Complaint, Delivery};
    let is = |field: Field, value: &Value| actual.get(&field).as_ref() == Some(value);
    let has_topic = |kind| matches!(desired.get(&Field::Topic(kind)), Some(Value::Text(_)));
    let expected = [Bounce, Complaint].into_iter().filter(|kind| has_topic(*kind)).count();
    let delivery_is_kept = match desired.get(&Field::Topic(Delivery)) {
        Some(topic) => is(Field::Topic(Delivery), topic),
        None => true,
    };
    expected > 0
        && is(Field::Topic(Bounce), &Value::Absent)
        && is(Field::Topic(Complaint), &Value::Absent)
        && is(Field::FeedbackForwarding, &Value::Flag(true))
        && delivery_is_kept
        && !actual.is_missing()
}

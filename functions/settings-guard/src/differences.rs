//! What differs of an object, from one round to the next. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};
use ses_settings::{
    Field, Fields, Object, Part, Reading, UnreadableFields, Value, fields_from_json, object_difference,
};
use store::AppliedSettings;

/// How long an unfinished `postroomctl apply` may be running. Its object is not compared in this time.
const APPLY_TIME: SignedDuration = SignedDuration::from_hours(1);

/// The settings of an object that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The object.
    pub object: Object,
    /// The applied settings.
    pub fields: Fields,
    /// Fields of an interrupted run: they may have either value, so they are not compared.
    undecided: BTreeSet<Field>,
}

/// A field that differs: the value of SES, and the applied one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The value of SES.
    pub found: Value,
    /// The applied value.
    pub applied: Value,
}

/// The fields of an object that differ.
pub type Differences = BTreeMap<Field, Difference>;

impl Expected {
    /// What is compared of a row; `None` while `postroomctl apply` may be running.
    ///
    /// # Errors
    /// When the row is not from this version.
    pub fn of_row(row: &AppliedSettings, now: Timestamp) -> Result<Option<Self>, UnreadableFields> {
        let object = row.object.parse()?;
        let mut fields = fields_from_json(&row.applied)?;
        let mut undecided = BTreeSet::new();
        if let Some(pending) = &row.pending {
            if now.duration_since(row.at) < APPLY_TIME {
                return Ok(None);
            }
            let pending = fields_from_json(pending)?;
            let all = fields.keys().chain(pending.keys());
            undecided = all
                .filter(|field| fields.get(field) != pending.get(field))
                .cloned()
                .collect();
            fields.retain(|field, _| !undecided.contains(field));
        }
        Ok(Some(Self {
            object,
            fields,
            undecided,
        }))
    }

    /// The parts to read.
    #[must_use]
    pub fn parts(&self) -> BTreeSet<Part> {
        self.fields.keys().map(Field::part).collect()
    }

    /// The differences after a round: those of the parts that were read, and of the others those of the rounds before.
    #[must_use]
    pub fn differences(&self, reading: Option<&Reading>, before: &Differences) -> Differences {
        let mut differences: Differences = before
            .iter()
            .filter(|(field, difference)| {
                let is_read = reading.is_some_and(|reading| reading.get(field).is_some());
                let applied = self.fields.get(field).unwrap_or(&Value::Absent);
                !is_read && *applied == difference.applied
            })
            .map(|(field, difference)| (field.clone(), difference.clone()))
            .collect();
        let changes = reading.map(|reading| object_difference(&self.object, &self.fields, reading));
        differences.extend(changes.into_iter().flatten().map(|change| {
            let difference = Difference {
                found: change.before,
                applied: change.after,
            };
            (change.field, difference)
        }));
        differences.retain(|field, _| !self.undecided.contains(field));
        differences
    }
}

/// The text of differences as the table keeps them.
#[must_use]
pub fn differences_to_json(differences: &Differences) -> String {
    let members = differences.iter().map(|(field, difference)| {
        let values = json!({"found": difference.found.to_json(), "applied": difference.applied.to_json()});
        (field.to_string(), values)
    });
    Json::Object(members.collect::<Map<_, _>>()).to_string()
}

/// Reads what [`differences_to_json`] wrote. Fields of another version are left out: they are read again.
#[must_use]
pub fn differences_from_json(text: &str) -> Differences {
    let members: Map<String, Json> = serde_json::from_str(text).unwrap_or_default();
    let read = |(name, values): (String, Json)| {
        let field: Field = name.parse().ok()?;
        let value = |name: &str| Value::from_json(&field, values.get(name)?.clone()).ok();
        let difference = Difference {
            found: value("found")?,
            applied: value("applied")?,
        };
        Some((field, difference))
    };
    members.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use ses_settings::{Field, Fields, NotificationType, Part, Reading, Value};
    use store::AppliedSettings;

    use super::{Differences, Expected, differences_from_json, differences_to_json};

    const BOUNCE: Field = Field::Topic(NotificationType::Bounce);

    fn row(applied: &str, pending: Option<&str>, at: Timestamp) -> AppliedSettings {
        AppliedSettings {
            object: "identity shop.example".to_owned(),
            applied: applied.to_owned(),
            pending: pending.map(str::to_owned),
            at,
        }
    }

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    fn read(topic: &str) -> Reading {
        let fields = Fields::from([
            (BOUNCE, Value::Text(topic.to_owned())),
            (Field::FeedbackForwarding, Value::Flag(true)),
        ]);
        Reading::of_part(Part::Notifications, fields)
    }

    #[test]
    fn a_running_apply_is_not_compared_and_an_interrupted_one_where_both_agree() {
        let (applied, pending) = (
            r#"{"topics.bounce":"arn:a","feedback-forwarding":false,"policy.postroom-a":{"Statement":[]}}"#,
            r#"{"topics.bounce":"arn:b","feedback-forwarding":false}"#,
        );
        let running = row(applied, Some(pending), now() - SignedDuration::from_mins(59));
        assert_eq!(Expected::of_row(&running, now()).unwrap(), None);
        let interrupted = row(applied, Some(pending), now() - SignedDuration::from_mins(61));
        let expected = Expected::of_row(&interrupted, now()).unwrap().unwrap();
        let names: Vec<&Field> = expected.fields.keys().collect();
        assert_eq!(names, [&Field::FeedbackForwarding]);
        let mut reading = read("arn:other");
        let policy = Fields::from([(
            Field::Policy("postroom-a".to_owned()),
            Value::document(&serde_json::json!({})),
        )]);
        reading.add(Reading::of_part(Part::EmailIdentity, policy));
        let differences = expected.differences(Some(&reading), &Differences::new());
        assert_eq!(differences.keys().collect::<Vec<_>>(), [&Field::FeedbackForwarding]);
    }

    #[test]
    fn what_is_not_read_in_a_round_stays_as_it_was_found() {
        let applied = r#"{"topics.bounce":"arn:a","configuration-set":"campaign"}"#;
        let expected = Expected::of_row(&row(applied, None, now()), now()).unwrap().unwrap();
        let set = Fields::from([(Field::DefaultConfigurationSet, Value::Absent)]);
        let first = expected.differences(Some(&Reading::of_part(Part::EmailIdentity, set)), &Differences::new());
        let second = expected.differences(Some(&read("arn:b")), &first);
        assert_eq!(
            second.keys().collect::<Vec<_>>(),
            [&BOUNCE, &Field::DefaultConfigurationSet]
        );
        assert_eq!(differences_from_json(&differences_to_json(&second)), second);
        let third = expected.differences(Some(&read("arn:a")), &second);
        assert_eq!(third, first);
        // A value that was applied meanwhile is no longer the expected one.
        let changed = row(r#"{"configuration-set":null}"#, None, now());
        let expected = Expected::of_row(&changed, now()).unwrap().unwrap();
        assert_eq!(expected.differences(None, &first), Differences::new());
    }
}

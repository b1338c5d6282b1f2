//! The changes of SES's settings in the form in which all changes are shown.

use ses_settings::{Actual, Change as FieldChange, Field, Object, Plan, Purpose, Reading, Value};

use crate::plan::{Change, Section};

pub(super) fn ses_sections(plan: &Plan, actual: &Actual) -> Vec<Section> {
    let section = |title: &'static str, is_in: fn(&Object) -> bool| Section {
        title,
        changes: changes(plan, actual, is_in),
    };
    vec![
        section("topics", |object| matches!(object, Object::Topic(_))),
        section("configuration sets", |object| {
            matches!(object, Object::ConfigurationSet(_))
        }),
        section("SES identities", |object| matches!(object, Object::Identity(_))),
    ]
}

fn changes(plan: &Plan, actual: &Actual, is_in: fn(&Object) -> bool) -> Vec<Change> {
    let mut fields: Vec<&FieldChange> = plan
        .steps
        .iter()
        .filter(|step| step.purpose == Purpose::Change && is_in(&step.change.object))
        .map(|step| &step.change)
        .collect();
    fields.sort_by_key(|change| (&change.object, &change.field));
    let by_object = fields.chunk_by(|one, other| one.object == other.object);
    by_object
        .filter_map(|changes| Some(of_object(&changes.first()?.object, changes, actual)))
        .collect()
}

fn of_object(object: &Object, changes: &[&FieldChange], actual: &Actual) -> Change {
    let texts = |value: fn(&FieldChange) -> &Value| {
        let named = changes.iter().filter(|change| change.field != Field::Exists);
        named
            .map(|change| (change.field.to_string(), value(change).to_string()))
            .collect()
    };
    let is_new = actual.get(object).is_none_or(Reading::is_missing);
    Change {
        name: object.name().to_owned(),
        before: (!is_new).then(|| texts(|change| &change.before)),
        after: Some(texts(|change| &change.after)),
    }
}

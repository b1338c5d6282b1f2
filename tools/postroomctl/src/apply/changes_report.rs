//! The changes as text and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::changes::{Change, Fields, Section};

pub(super) fn changes_text(sections: &[Section]) -> anyhow::Result<String> {
    let mut text = String::new();
    let (mut added, mut changed, mut removed) = (0, 0, 0);
    for section in sections.iter().filter(|section| !section.changes.is_empty()) {
        writeln!(text, "{}", section.title)?;
        for Change { name, before, after } in &section.changes {
            match (before, after) {
                (None, Some(fields)) => {
                    added += 1;
                    writeln!(text, "  + {name}")?;
                    for (field, value) in fields {
                        writeln!(text, "      {field:<12}  {value}")?;
                    }
                }
                (Some(before), Some(after)) => {
                    changed += 1;
                    writeln!(text, "  ~ {name}")?;
                    for ((field, old), (_, new)) in before.iter().zip(after).filter(|(old, new)| old != new) {
                        writeln!(text, "    - {field:<12}  {old}")?;
                        writeln!(text, "    + {field:<12}  {new}")?;
                    }
                }
                _ => {
                    removed += 1;
                    writeln!(text, "  - {name}")?;
                }
            }
        }
    }
    if added + changed + removed > 0 {
        writeln!(text, "{added} added, {changed} changed, {removed} removed")?;
    }
    Ok(text)
}

pub(super) fn changes_json(sections: &[Section], applied: bool, warnings: &[String]) -> Value {
    let changes: Vec<Value> = sections
        .iter()
        .flat_map(|section| section.changes.iter().map(move |change| (section.title, change)))
        .map(|(section, change)| {
            json!({
                "section": section, "name": change.name, "before": fields_json(change.before.as_ref()),
                "after": fields_json(change.after.as_ref()),
            })
        })
        .collect();
    json!({"changes": changes, "applied": applied, "warnings": warnings})
}

fn fields_json(fields: Option<&Fields>) -> Value {
    let Some(fields) = fields else { return Value::Null };
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    Value::Object(fields.collect::<Map<_, _>>())
}

//! The changes as text, as Markdown and as JSON.

use serde_json::{Map, Value, json};

use super::changes::{Change, Fields, Section};
use crate::text::Text;

/// How many items are added, changed and removed.
#[derive(Default)]
struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
}

impl Counts {
    fn of(sections: &[Section]) -> Self {
        let mut counts = Self::default();
        for change in sections.iter().flat_map(|section| &section.changes) {
            match (&change.before, &change.after) {
                (None, _) => counts.added += 1,
                (Some(_), Some(_)) => counts.changed += 1,
                (Some(_), None) => counts.removed += 1,
            }
        }
        counts
    }

    fn text(&self) -> Option<String> {
        let Self {
            added,
            changed,
            removed,
        } = self;
        (added + changed + removed > 0).then(|| format!("{added} added, {changed} changed, {removed} removed"))
    }
}

pub(crate) fn changes_text(sections: &[Section]) -> anyhow::Result<Text> {
    let mut text = Text::default();
    for section in sections.iter().filter(|section| !section.changes.is_empty()) {
        writeln!(text, "{}", section.title)?;
        for Change { name, before, after } in &section.changes {
            match (before, after) {
                (None, Some(fields)) => {
                    writeln!(text, "  + {name}")?;
                    for (field, value) in fields {
                        writeln!(text, "      {field:<12}  {value}")?;
                    }
                }
                (Some(before), Some(after)) => {
                    writeln!(text, "  ~ {name}")?;
                    for (field, old, new) in differing(before, after) {
                        writeln!(text, "    - {field:<12}  {old}")?;
                        writeln!(text, "    + {field:<12}  {new}")?;
                    }
                }
                _ => writeln!(text, "  - {name}")?,
            }
        }
    }
    if let Some(counts) = Counts::of(sections).text() {
        text.push_line(&counts);
    }
    Ok(text)
}

/// A table for each section, for a comment on a pull request.
pub(crate) fn changes_markdown(sections: &[Section]) -> Text {
    let mut text = Text::default();
    for section in sections.iter().filter(|section| !section.changes.is_empty()) {
        text.push_line(&format!("### {}", section.title));
        text.push_line("");
        text.push_line("| change | name | field | before | after |");
        text.push_line("| --- | --- | --- | --- | --- |");
        for Change { name, before, after } in &section.changes {
            let mut row = |change: &str, field: &str, old: &str, new: &str| {
                let cells = [change, name, field, old, new].map(cell);
                text.push_line(&format!("| {} |", cells.join(" | ")));
            };
            match (before, after) {
                (None, Some(fields)) => fields.iter().for_each(|(field, value)| row("add", field, "", value)),
                (Some(before), Some(after)) => {
                    for (field, old, new) in differing(before, after) {
                        row("change", field, old, new);
                    }
                }
                _ => row("remove", "", "", ""),
            }
        }
        text.push_line("");
    }
    let counts = Counts::of(sections).text();
    text.push_line(&counts.unwrap_or_else(|| "Nothing to change.".to_owned()));
    text
}

pub(crate) fn changes_json(sections: &[Section]) -> Value {
    let changes = sections
        .iter()
        .flat_map(|section| section.changes.iter().map(move |change| (section.title, change)));
    changes
        .map(|(section, change)| {
            json!({
                "section": section, "name": change.name, "before": fields_json(change.before.as_ref()),
                "after": fields_json(change.after.as_ref()),
            })
        })
        .collect()
}

/// The fields with other values. Both lists have the same fields in the same order.
fn differing<'a>(before: &'a Fields, after: &'a Fields) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let pairs = before.iter().zip(after);
    pairs
        .filter(|(old, new)| old != new)
        .map(|((field, old), (_, new))| (field.as_str(), old.as_str(), new.as_str()))
}

/// The text of a cell: what Markdown or HTML would read as markup is escaped.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => cell.push_str("&amp;"),
            '<' => cell.push_str("&lt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '@' | '#' => {
                cell.push('\\');
                cell.push(character);
            }
            _ => cell.push(character),
        }
    }
    cell
}

fn fields_json(fields: Option<&Fields>) -> Value {
    let Some(fields) = fields else { return Value::Null };
    let fields = fields.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(fields.collect::<Map<_, _>>())
}

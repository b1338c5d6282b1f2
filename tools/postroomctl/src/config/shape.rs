//! Compares a TOML document with the schema: unknown and missing keys, and values of the wrong kind, each with its line.
//!
//! The schema is made from the types the document is read into, so there is nothing here to keep in step with them.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::wire::File;

/// Something wrong in the file, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) path: String,
    pub(crate) says: String,
}

/// The line of every value, by its path (`route[2].target`).
pub(super) type Thresholds = BTreeMap<String, usize>;

/// The JSON schema of `postroom.toml`.
pub(crate) fn schema() -> Value {
    let mut schema = serde_json::to_value(
        SchemaSettings::draft07()
            .into_generator()
            .into_root_schema_for::<File>(),
    )
    .unwrap_or_default();
    tidy(&mut schema);
    schema
}

/// TOML has no null, and formats such as `uint64` only make validators complain.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("format");
            if let Some(Value::Array(kinds)) = fields.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    let kind = kind.clone();
                    fields.insert("type".to_owned(), kind);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
            }
            if fields.get("default") == Some(&Value::Null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(all) => all.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// What is wrong with the document's shape, and where everything is.
pub(super) fn compare(text: &str, document: &Spanned<DeTable<'_>>) -> (Vec<Problem>, Thresholds) {
    let schema = schema();
    let mut walk = Walk {
        text,
        schema: &schema,
        problems: Vec::new(),
        lines: Thresholds::new(),
    };
    walk.table(document.get_ref(), &schema, "", 1);
    (walk.problems, walk.lines)
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The choice a slip of the finger was meant to be.
pub(super) fn meant<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = choices.into_iter().map(|choice| {
        let distance = strsim::damerau_levenshtein(&word.to_lowercase(), &choice.to_lowercase());
        (distance, choice)
    });
    let (distance, choice) = near.min()?;
    (distance <= 2.max(word.len() / 4) && distance < choice.len()).then_some(choice)
}

struct Walk<'a> {
    text: &'a str,
    schema: &'a Value,
    problems: Vec<Problem>,
    lines: Thresholds,
}

impl<'a> Walk<'a> {
    fn problem(&mut self, line: usize, path: &str, says: String) {
        self.problems.push(Problem {
            line,
            path: path.to_owned(),
            says,
        });
    }

    fn table(&mut self, table: &DeTable<'_>, shape: &'a Value, path: &str, line: usize) {
        let known = shape.get("properties").and_then(Value::as_object);
        let Some(known) = known else { return };
        for (key, value) in table {
            let name: &str = key.get_ref();
            let here = match path {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            };
            match known.get(name) {
                Some(shape) => self.value(value, shape, &here, line_of(self.text, key.span().start)),
                None => {
                    let names = || known.keys().map(String::as_str);
                    let hint = match meant(name, names()) {
                        Some(meant) => format!("unknown key; did you mean {meant}?"),
                        None => format!(
                            "unknown key; expected one of {}",
                            names().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    self.problem(line_of(self.text, key.span().start), &here, hint);
                }
            }
        }
        let required = shape.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.contains_key(name) {
                let about = known.get(name).and_then(|shape| self.resolve(shape).get("description"));
                let about = about
                    .or_else(|| known.get(name)?.get("description"))
                    .and_then(Value::as_str);
                let says = match about {
                    Some(about) => format!("missing. {}", about.replace('\n', " ")),
                    None => "missing".to_owned(),
                };
                self.problem(line, &format!("{path}.{name}"), says);
            }
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, shape: &'a Value, path: &str, line: usize) {
        // An inline value starts where it stands; the span of a table is that of its header.
        let line = match value.get_ref() {
            DeValue::Table(_) => line_of(self.text, value.span().start).max(line),
            _ => line,
        };
        self.lines.insert(path.to_owned(), line);
        let shape = self.resolve(shape);
        let choices = words(shape);
        match (kind(shape, &choices), value.get_ref()) {
            ("object", DeValue::Table(table)) => self.table(table, shape, path, line),
            ("array", DeValue::Array(array)) => {
                for (index, item) in array.iter().enumerate() {
                    let line = line_of(self.text, item.span().start);
                    if let Some(shape) = shape.get("items") {
                        self.value(item, shape, &format!("{path}[{}]", index + 1), line);
                    }
                }
            }
            ("string", DeValue::String(word)) => {
                if !choices.is_empty() && !choices.contains(&&**word) {
                    let hint = meant(word, choices.iter().copied())
                        .map(|meant| format!("; did you mean {meant}?"))
                        .unwrap_or_default();
                    self.problem(line, path, format!("expected one of {}{hint}", choices.join(", ")));
                }
            }
            ("integer", DeValue::Integer(number)) => {
                let least = shape.get("minimum").and_then(Value::as_i64).unwrap_or_default();
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                if parsed.map_or(true, |number| number < least) {
                    self.problem(line, path, format!("expected a whole number of at least {least}"));
                }
            }
            (kind, _) => {
                let wanted = match kind {
                    "object" => "a table",
                    "array" => "a list",
                    "integer" => "a whole number",
                    _ => "a string",
                };
                self.problem(line, path, format!("expected {wanted}, not {}", found(value.get_ref())));
            }
        }
    }

    /// Follows references, and single choices around them.
    fn resolve(&self, shape: &'a Value) -> &'a Value {
        let only = |name: &str| match shape.get(name).and_then(Value::as_array).map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        };
        if let Some(one) = only("allOf").or_else(|| only("anyOf")) {
            return self.resolve(one);
        }
        let name = shape
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| text.rsplit('/').next());
        match name.and_then(|name| self.schema.get("definitions")?.get(name)) {
            Some(named) => self.resolve(named),
            None => shape,
        }
    }
}

/// The words of a closed enumeration.
fn words(shape: &Value) -> Vec<&str> {
    let listed = shape.get("enum").and_then(Value::as_array).into_iter().flatten();
    let described = shape.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let described = described.filter_map(|one| one.get("const"));
    listed.chain(described).filter_map(Value::as_str).collect()
}

fn kind<'a>(shape: &'a Value, choices: &[&str]) -> &'a str {
    match shape.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None if choices.is_empty() => "object",
        None => "string",
    }
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

//! The JSON schema of `postroom.toml`, for editors.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::wire::File;

/// The JSON schema of `postroom.toml`.
pub(crate) fn schema() -> Value {
    let schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<File>();
    let mut schema = serde_json::to_value(schema).unwrap_or_default();
    simplify(&mut schema);
    schema
}

/// Removes null, which TOML does not have, and formats such as `uint64`, which validators do not know.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("format");
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
            }
            if fields.get("default") == Some(&Value::Null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

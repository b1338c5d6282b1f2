//! Optional fields of JSON objects.

use serde_json::Value;

/// Sets a field of an object, if there is a value.
pub(super) fn set_field(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}

//! Values of settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::field::{Field, UnknownName};
use crate::policy::canonical;

/// The settings of an object by name.
pub type Fields = BTreeMap<Field, Value>;

/// The value of a setting. Two values are equal exactly when SES behaves the same with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not set: no topic, no policy, no event destination.
    Absent,
    /// On or off.
    Flag(bool),
    /// A name or an ARN.
    Text(String),
    /// A set of names.
    Names(BTreeSet<String>),
    /// An event destination.
    Destination(EventDestination),
    /// A policy or a statement of one, in [canonical](crate::policy::canonical) form.
    Document(Json),
}

/// Where a configuration set publishes events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EventDestination {
    /// Whether SES publishes to it.
    pub enabled: bool,
    /// The event types in the spelling of the API, for example `BOUNCE` and `DELIVERY_DELAY`.
    pub events: BTreeSet<String>,
    /// The ARN of an SNS topic, an EventBridge bus or a Firehose delivery stream.
    pub target: String,
    /// For a delivery stream, the role that SES uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Value {
    /// A policy or a statement of one.
    #[must_use]
    pub fn document(document: &Json) -> Self {
        Self::Document(canonical(document))
    }

    /// The text of a name or an ARN.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON: `null`, a boolean, a string, a list or an object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Absent => Json::Null,
            Self::Flag(flag) => json!(flag),
            Self::Text(text) => json!(text),
            Self::Names(names) => json!(names),
            Self::Destination(destination) => json!(destination),
            Self::Document(document) => document.clone(),
        }
    }

    /// The value of a field from its JSON.
    ///
    /// # Errors
    /// When the JSON is not a value of this field.
    pub fn from_json(field: &Field, json: Json) -> Result<Self, serde_json::Error> {
        Ok(match (field, json) {
            (_, Json::Null) => Self::Absent,
            (Field::Policy(_) | Field::Statement, document) => Self::document(&document),
            (Field::EventDestination(_), destination) => Self::Destination(serde_json::from_value(destination)?),
            (Field::SuppressedReasons, names) => Self::Names(serde_json::from_value(names)?),
            (Field::Topic(_) | Field::DefaultConfigurationSet, text) => Self::Text(serde_json::from_value(text)?),
            (_, flag) => Self::Flag(serde_json::from_value(flag)?),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Flag(flag) => f.write_str(if *flag { "on" } else { "off" }),
            Self::Text(text) => f.write_str(text),
            Self::Names(names) if names.is_empty() => f.write_str("no names"),
            Self::Names(names) => f.write_str(&join(names)),
            Self::Destination(destination) => {
                let state = if destination.enabled { "" } else { "disabled, " };
                write!(f, "{state}{} to {}", join(&destination.events), destination.target)?;
                match &destination.role {
                    Some(role) => write!(f, " with role {role}"),
                    None => Ok(()),
                }
            }
            Self::Document(document) => write!(f, "{document}"),
        }
    }
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The text of settings as the stack's table keeps them: a JSON object with a member for each field.
#[must_use]
pub fn fields_to_json(fields: &Fields) -> Json {
    let members = fields.iter().map(|(field, value)| (field.to_string(), value.to_json()));
    Json::Object(members.collect::<Map<_, _>>())
}

/// A stored text cannot be read: it is not from this version, or was damaged.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFields {
    /// The text is not JSON, or a value has another type.
    #[error("the stored settings are not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// A field has an unknown name.
    #[error("the stored settings are not readable: {0}")]
    Name(#[from] UnknownName),
}

/// Reads what [`fields_to_json`] wrote.
///
/// # Errors
/// When the text is not from this version.
pub fn fields_from_json(text: &str) -> Result<Fields, UnreadableFields> {
    let members: Map<String, Json> = serde_json::from_str(text)?;
    members
        .into_iter()
        .map(|(name, json)| {
            let field: Field = name.parse()?;
            let value = Value::from_json(&field, json)?;
            Ok((field, value))
        })
        .collect()
}

//! From entries with wildcards to the settings of each identity. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::context::Context;
use crate::field::{Field, NotificationType, Object};
use crate::policy::{Delegate, like};
use crate::settings::Desired;
use crate::value::{Fields, Value};

/// Settings of the identities that match one of some names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityEntry {
    /// Names of identities, ARNs of identities of other accounts, or patterns in which `*` matches any text.
    pub names: Vec<String>,
    /// The topics that are named.
    pub topics: BTreeMap<NotificationType, TopicChoice>,
    /// Whether notifications contain the original headers, where that is named.
    pub original_headers: BTreeMap<NotificationType, bool>,
    /// Feedback forwarding, when it is named.
    pub feedback_forwarding: Option<bool>,
    /// The default configuration set, when it is named: a name, or none.
    pub default_configuration_set: Option<Option<String>>,
    /// The delegates.
    pub delegates: Vec<Delegate>,
    /// Other policies, by name.
    pub policies: BTreeMap<String, Json>,
}

/// A topic in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicChoice {
    /// The topic of the stack.
    Own,
    /// A topic by ARN.
    Arn(String),
    /// No topic.
    None,
}

impl TopicChoice {
    /// The value of the setting; `None` when it is the topic of the stack, which is not known.
    #[must_use]
    pub fn value(&self, context: &Context) -> Option<Value> {
        match self {
            Self::Own => context.own_topic.clone().map(Value::Text),
            Self::Arn(arn) => Some(Value::Text(arn.clone())),
            Self::None => Some(Value::Absent),
        }
    }
}

/// Whether a name of an entry is a pattern.
#[must_use]
pub fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// Returns the settings of each identity that the entries name or match.
///
/// Patterns match the `existing` identities. When several entries match an identity, the more specific one applies, key by
/// key: an exact name before a pattern, a pattern with more other characters before one with fewer, and a later entry before
/// an earlier one. Delegates and policies of all matching entries are put together, by name.
#[must_use]
pub fn expand(entries: &[IdentityEntry], existing: &BTreeSet<String>, context: &Context) -> Desired {
    let mut matches: BTreeMap<String, Vec<(usize, &IdentityEntry)>> = BTreeMap::new();
    for entry in entries {
        let mut of_entry: BTreeMap<String, usize> = BTreeMap::new();
        for name in &entry.names {
            if is_pattern(name) {
                let specificity = name.chars().filter(|c| *c != '*').count();
                for identity in existing.iter().filter(|identity| matches_name(name, identity)) {
                    let best = of_entry.entry(identity.clone()).or_default();
                    *best = specificity.max(*best);
                }
            } else {
                of_entry.insert(spelled_as_existing(name, existing), usize::MAX);
            }
        }
        for (identity, specificity) in of_entry {
            matches.entry(identity).or_default().push((specificity, entry));
        }
    }
    let objects = matches.into_iter().map(|(identity, mut entries)| {
        entries.sort_by_key(|(specificity, _)| *specificity);
        let mut fields = Fields::new();
        for (_, entry) in entries {
            add_entry(&mut fields, entry, &identity, context);
        }
        (Object::Identity(identity), fields)
    });
    objects.collect()
}

/// Whether the name of an identity matches a name or pattern. Case does not matter.
#[must_use]
pub fn matches_name(pattern: &str, identity: &str) -> bool {
    like(&pattern.to_lowercase(), &identity.to_lowercase())
}

fn spelled_as_existing(name: &str, existing: &BTreeSet<String>) -> String {
    if existing.contains(name) {
        return name.to_owned();
    }
    let same = existing.iter().find(|identity| identity.eq_ignore_ascii_case(name));
    same.cloned().unwrap_or_else(|| name.to_owned())
}

fn add_entry(fields: &mut Fields, entry: &IdentityEntry, identity: &str, context: &Context) {
    let arn = context.identity_arn(identity);
    for (kind, choice) in &entry.topics {
        if let Some(value) = choice.value(context) {
            fields.insert(Field::Topic(*kind), value);
        }
    }
    for (kind, on) in &entry.original_headers {
        fields.insert(Field::OriginalHeaders(*kind), Value::Flag(*on));
    }
    if let Some(on) = entry.feedback_forwarding {
        fields.insert(Field::FeedbackForwarding, Value::Flag(on));
    }
    if let Some(set) = &entry.default_configuration_set {
        let value = set.clone().map_or(Value::Absent, Value::Text);
        fields.insert(Field::DefaultConfigurationSet, value);
    }
    for delegate in &entry.delegates {
        fields.insert(
            Field::Policy(delegate.policy_name()),
            Value::Document(delegate.policy(&arn)),
        );
    }
    for (name, document) in &entry.policies {
        fields.insert(Field::Policy(name.clone()), Value::document(document));
    }
}

//! Elements of policies that are a value or a list of values.

use serde_json::Value as Json;

/// The values of an element.
pub(crate) fn as_list(element: Option<&Json>) -> Vec<&Json> {
    match element {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

/// The texts of an element. Other values are omitted.
pub(super) fn texts(element: Option<&Json>) -> Vec<&str> {
    as_list(element).into_iter().filter_map(Json::as_str).collect()
}

/// The text of a policy as SES and SNS accept it: compact, with a list of statements.
pub(crate) fn policy_text(policy: &Json) -> String {
    let mut policy = policy.clone();
    if let Some(members) = policy.as_object_mut()
        && let Some(statement) = members
            .get("Statement")
            .filter(|statement| statement.is_object())
            .cloned()
    {
        members.insert("Statement".to_owned(), Json::Array(vec![statement]));
    }
    policy.to_string()
}

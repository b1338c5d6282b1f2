//! Whether an account may send from an identity, and why.
//!
//! Follows the [evaluation logic of IAM](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html)
//! for the elements that SES documents for
//! [sending authorization](https://docs.aws.amazon.com/ses/latest/dg/policy-anatomy.html).

use std::collections::BTreeMap;

use notification_model::AccountId;
use serde_json::Value as Json;

use super::send_action::SendAction;
use super::statement::{as_list, texts};

/// What an account wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRequest {
    /// The account that sends.
    pub account: AccountId,
    /// What it calls.
    pub action: SendAction,
    /// The ARN of the identity that it sends from.
    pub identity_arn: String,
    /// The From address without its display name.
    pub from: String,
    /// The display name of the From address; `None` when it is not known.
    pub display_name: Option<String>,
    /// The recipients; empty when they are not known.
    pub recipients: Vec<String>,
    /// The return path; `None` when it is not known.
    pub feedback_address: Option<String>,
}

/// Whether a request is allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A policy allows the request.
    Allowed(String),
    /// A policy denies the request.
    Denied(String),
    /// No policy allows the request: a reason for each statement about the account.
    NotAllowed(Vec<String>),
    /// The answer depends on what the request does not say, or on a condition that is not known here.
    Unknown(Vec<String>),
}

/// The result of a test: true, false, or unknown, with the reason for the last two.
enum Outcome {
    Yes,
    No(String),
    Unknown(String),
}

/// Evaluates the policies of an identity, by name.
#[must_use]
pub fn evaluate(policies: &BTreeMap<String, Json>, request: &SendRequest) -> Decision {
    let (mut allowed, mut missed, mut unknown) = (None, Vec::new(), Vec::new());
    let mut denial_unknown = Vec::new();
    for (name, policy) in policies {
        for statement in as_list(policy.get("Statement")) {
            let is_denial = statement.get("Effect").and_then(Json::as_str) != Some("Allow");
            match matches(statement, request) {
                Some(Outcome::Yes) if is_denial => {
                    return Decision::Denied(format!("policy {name} denies it"));
                }
                Some(Outcome::Yes) => allowed = allowed.or_else(|| Some(format!("policy {name} allows it"))),
                Some(Outcome::Unknown(reason)) if is_denial => {
                    denial_unknown.push(format!("policy {name} may deny it: {reason}"))
                }
                Some(Outcome::Unknown(reason)) => unknown.push(format!("policy {name}: {reason}")),
                Some(Outcome::No(reason)) if !is_denial => missed.push(format!("policy {name}: {reason}")),
                Some(Outcome::No(_)) | None => {}
            }
        }
    }
    match allowed {
        Some(reason) if denial_unknown.is_empty() => Decision::Allowed(reason),
        Some(_) => Decision::Unknown(denial_unknown),
        None if !unknown.is_empty() => Decision::Unknown(unknown),
        None if missed.is_empty() => {
            Decision::NotAllowed(vec![format!("no policy of the identity names {}", request.account)])
        }
        None => Decision::NotAllowed(missed),
    }
}

/// Whether a statement matches a request; `None` when it is about other accounts.
fn matches(statement: &Json, request: &SendRequest) -> Option<Outcome> {
    let principal = principal(statement, &request.account)?;
    let mut tests = vec![principal, action(statement, request), resource(statement, request)];
    tests.extend(conditions(statement, request));
    let mut unknown = None;
    for test in tests {
        match test {
            Outcome::Yes => {}
            Outcome::No(reason) => return Some(Outcome::No(reason)),
            Outcome::Unknown(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    Some(unknown.map_or(Outcome::Yes, Outcome::Unknown))
}

fn principal(statement: &Json, account: &AccountId) -> Option<Outcome> {
    let Some(principal) = statement.get("Principal") else {
        return Some(Outcome::Unknown("it has NotPrincipal instead of Principal".to_owned()));
    };
    let named = match principal {
        Json::String(_) => texts(Some(principal)),
        kinds => texts(kinds.get("AWS")),
    };
    let is_account =
        |name: &&str| *name == "*" || *name == account.as_str() || *name == format!("arn:aws:iam::{account}:root");
    if named.iter().any(is_account) {
        return Some(Outcome::Yes);
    }
    let of_account = |name: &&&str| {
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        matches!(parts.as_slice(), ["arn", _, "iam", _, owner, _] if *owner == account.as_str())
    };
    let members: Vec<&str> = named.iter().filter(of_account).copied().collect();
    if members.iter().any(|name| name.ends_with(":root")) {
        return Some(Outcome::Yes);
    }
    (!members.is_empty()).then(|| Outcome::Unknown(format!("it is about {} only", members.join(", "))))
}

fn action(statement: &Json, request: &SendRequest) -> Outcome {
    let wanted = request.action.iam_name();
    let is_named = |element: &str| {
        let names = texts(statement.get(element));
        names
            .iter()
            .any(|name| like(&name.to_ascii_lowercase(), &wanted.to_ascii_lowercase()))
    };
    let matches = if statement.get("NotAction").is_some() {
        !is_named("NotAction")
    } else {
        is_named("Action")
    };
    if matches {
        Outcome::Yes
    } else {
        Outcome::No(format!("{wanted} is not among its actions"))
    }
}

fn resource(statement: &Json, request: &SendRequest) -> Outcome {
    if texts(statement.get("Resource"))
        .iter()
        .any(|resource| like(resource, &request.identity_arn))
    {
        Outcome::Yes
    } else {
        Outcome::No(format!("its resource is not {}", request.identity_arn))
    }
}

fn conditions(statement: &Json, request: &SendRequest) -> Vec<Outcome> {
    let operators = statement
        .get("Condition")
        .and_then(Json::as_object)
        .into_iter()
        .flatten();
    let tests = operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| condition(operator, key, &texts(Some(values)), request))
    });
    tests.collect()
}

/// The values of a condition key in a request; `None` when they are not known.
fn values_of<'a>(key: &str, request: &'a SendRequest) -> Option<Vec<&'a str>> {
    match key.to_ascii_lowercase().as_str() {
        "ses:fromaddress" => Some(vec![&request.from]),
        "ses:fromdisplayname" => request.display_name.as_deref().map(|name| vec![name]),
        "ses:feedbackaddress" => request.feedback_address.as_deref().map(|address| vec![address]),
        "ses:recipients" if !request.recipients.is_empty() => {
            Some(request.recipients.iter().map(String::as_str).collect())
        }
        _ => None,
    }
}

fn condition(operator: &str, key: &str, expected: &[&str], request: &SendRequest) -> Outcome {
    let text = format!("{operator} {key} {}", expected.join(", "));
    let Some(actual) = values_of(key, request) else {
        return Outcome::Unknown(format!("the condition {text} needs a value for {key}"));
    };
    let (quantifier, name) = operator.rsplit_once(':').unwrap_or(("", operator));
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    let test: fn(&str, &str) -> bool = match name {
        "StringEquals" | "StringNotEquals" => |want, have| want == have,
        "StringLike" | "StringNotLike" => like,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            |want, have| want.to_lowercase() == have.to_lowercase()
        }
        _ => return Outcome::Unknown(format!("the operator of the condition {text} is not known here")),
    };
    let is_negated = name.contains("Not");
    let holds = |have: &&str| expected.iter().any(|want| test(want, have)) != is_negated;
    let is_true = match quantifier {
        "ForAnyValue" => actual.iter().any(holds),
        "ForAllValues" => actual.iter().all(holds),
        // SES evaluates a condition without a quantifier for each value.
        _ if is_negated => actual.iter().all(holds),
        _ => actual.iter().any(holds),
    };
    if is_true {
        Outcome::Yes
    } else {
        let differs_by_case = !is_negated
            && actual.iter().all(|have| {
                expected
                    .iter()
                    .any(|want| like(&want.to_lowercase(), &have.to_lowercase()))
            });
        let hint = if differs_by_case {
            " (upper and lower case differ)"
        } else {
            ""
        };
        Outcome::No(format!("the condition {text} is not met{hint}"))
    }
}

/// Whether a text matches a pattern: `*` matches any text, `?` one character.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut matched) = (0, 0);
    // Where the last star is, and how much of the text it has taken.
    let mut star = None;
    while matched < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, matched));
                at += 1;
            }
            Some(expected) if *expected == '?' || Some(expected) == text.get(matched) => {
                at += 1;
                matched += 1;
            }
            _ => match star {
                Some((position, taken)) => {
                    star = Some((position, taken + 1));
                    at = position + 1;
                    matched = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

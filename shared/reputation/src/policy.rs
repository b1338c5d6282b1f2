//! Sending authorization policies: removes the statements of a delegate, and restores them. Pure.
//!
//! The documents follow the [policy language of IAM](https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html).

use notification_model::AccountId;
use serde_json::{Map, Value};

type Document = Map<String, Value>;

/// The result of removing the statements of a delegate from a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// The text of the policy afterwards, or `Some(None)` when no statement is left. `None` when the policy has no statement
    /// that allows something to the delegate alone.
    pub(crate) after: Option<Option<String>>,
    /// Whether a statement that names other principals too still allows something to the delegate.
    pub(crate) still_allowed: bool,
}

/// Removes the statements that allow something to this account and to no other. A statement that denies something stays,
/// because without it the policy would allow more.
///
/// # Errors
/// When the policy is not a JSON object.
pub(crate) fn revoke(policy: &str, delegate: &AccountId) -> Result<Revocation, serde_json::Error> {
    let document: Document = serde_json::from_str(policy)?;
    let statements = statements(document.get("Statement"));
    let still_allowed = statements
        .iter()
        .any(|statement| grantees(statement, delegate) == Grantees::DelegateAndOthers);
    let kept: Vec<Value> = statements
        .iter()
        .filter(|statement| grantees(statement, delegate) != Grantees::OnlyDelegate)
        .cloned()
        .collect();
    let after = (kept.len() < statements.len()).then(|| with_statements(document, kept));
    Ok(Revocation { after, still_allowed })
}

/// Removes from the policy `current` the statements that were removed from `before` to get `after`. Returns `None` when no
/// statement is left.
///
/// # Errors
/// When a policy is not a JSON object.
pub(crate) fn remove(current: &str, before: &str, after: Option<&str>) -> Result<Option<String>, serde_json::Error> {
    if current == before {
        return Ok(after.map(str::to_owned));
    }
    let document: Document = serde_json::from_str(current)?;
    let removed = removed_statements(before, after)?;
    let present = statements(document.get("Statement"));
    let kept: Vec<Value> = present
        .iter()
        .filter(|statement| !removed.contains(statement))
        .cloned()
        .collect();
    if kept.len() == present.len() {
        return Ok(Some(current.to_owned()));
    }
    Ok(with_statements(document, kept))
}

/// Adds to the policy `current`, or to none, the statements that were removed from `before` to get `after`. Other changes
/// since then stay.
///
/// # Errors
/// When a policy is not a JSON object.
pub(crate) fn restore(current: Option<&str>, before: &str, after: Option<&str>) -> Result<String, serde_json::Error> {
    let parse = |text: Option<&str>| text.map(serde_json::from_str::<Document>).transpose();
    let current_document = parse(current)?;
    if current_document == parse(after)? {
        return Ok(before.to_owned());
    }
    let (mut document, mut present) = match current_document {
        Some(document) => {
            let present = statements(document.get("Statement"));
            (document, present)
        }
        None => (serde_json::from_str(before)?, Vec::new()),
    };
    for statement in removed_statements(before, after)? {
        if !present.contains(&statement) {
            present.push(statement);
        }
    }
    document.insert("Statement".to_owned(), Value::Array(present));
    Ok(Value::Object(document).to_string())
}

/// The statements of `before` that `after` does not have.
fn removed_statements(before: &str, after: Option<&str>) -> Result<Vec<Value>, serde_json::Error> {
    let before: Document = serde_json::from_str(before)?;
    let after: Document = after.map(serde_json::from_str).transpose()?.unwrap_or_default();
    let kept = statements(after.get("Statement"));
    let mut removed = statements(before.get("Statement"));
    removed.retain(|statement| !kept.contains(statement));
    Ok(removed)
}

/// The text of a policy with these statements; `None` without any.
fn with_statements(mut document: Document, statements: Vec<Value>) -> Option<String> {
    if statements.is_empty() {
        return None;
    }
    document.insert("Statement".to_owned(), Value::Array(statements));
    Some(Value::Object(document).to_string())
}

fn statements(value: Option<&Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(all)) => all.clone(),
        Some(statement) => vec![statement.clone()],
    }
}

/// The principals to which a statement allows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grantees {
    /// The statement allows only the delegate.
    OnlyDelegate,
    /// The statement allows the delegate, and may allow other principals.
    DelegateAndOthers,
    /// The statement does not allow the delegate.
    NotDelegate,
}

fn grantees(statement: &Value, delegate: &AccountId) -> Grantees {
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Grantees::NotDelegate;
    }
    let Some(principal) = statement.get("Principal") else {
        // `NotPrincipal`, which SES rejects, names the principals that are not allowed.
        return Grantees::DelegateAndOthers;
    };
    let accounts = match principal {
        Value::Object(kinds) if kinds.len() == 1 => kinds.get("AWS"),
        Value::String(text) if text == "*" => return Grantees::DelegateAndOthers,
        _ => principal.get("AWS"),
    };
    let only_accounts = principal.as_object().is_some_and(|kinds| kinds.len() == 1);
    let named: Vec<&str> = match accounts {
        Some(Value::String(account)) => vec![account],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => return Grantees::NotDelegate,
    };
    let is_delegate = |text: &&str| account_of(text) == Some(delegate.as_str());
    if !named.is_empty() && named.iter().all(is_delegate) && only_accounts {
        Grantees::OnlyDelegate
    } else if named.iter().any(|text| is_delegate(text) || *text == "*") {
        Grantees::DelegateAndOthers
    } else {
        Grantees::NotDelegate
    }
}

/// The account of a principal: 12 digits, or the ARN of an account, user or role (`arn:aws:iam::111122223333:root`).
fn account_of(principal: &str) -> Option<&str> {
    if principal.parse::<AccountId>().is_ok() {
        return Some(principal);
    }
    let parts: Vec<&str> = principal.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", _, account, _] => Some(account),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{remove, restore, revoke};

    const A: &str = "444455556666";
    const B: &str = "777788889999";

    fn allow(sid: &str, principal: &Value) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "ses:SendEmail",
               "Resource": "arn:aws:ses:us-east-1:111122223333:identity/shop.example"})
    }

    fn policy(statements: &[Value]) -> String {
        json!({"Version": "2012-10-17", "Id": "given", "Statement": statements}).to_string()
    }

    fn sids(policy: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(policy).unwrap();
        let statements = document["Statement"].as_array().unwrap().iter();
        statements
            .map(|statement| statement["Sid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The Sids that are left, or `None` when the policy is unchanged, and whether the delegate is still allowed something.
    fn revoked(policy: &str) -> (Option<Vec<String>>, bool) {
        let revocation = revoke(policy, &A.parse().unwrap()).unwrap();
        let left = revocation
            .after
            .map(|after| after.map_or(Vec::new(), |text| sids(&text)));
        (left, revocation.still_allowed)
    }

    #[test]
    fn statements_of_the_delegate_alone_are_removed() {
        let root = format!("arn:aws:iam::{A}:root");
        let delegate_alone = [
            json!({"AWS": A}),
            json!({"AWS": [A]}),
            json!({"AWS": root}),
            json!({"AWS": [A, format!("arn:aws:iam::{A}:role/mailer")]}),
        ];
        let b = allow("b", &json!({"AWS": B}));
        for principal in delegate_alone {
            let a = allow("a", &principal);
            let both = policy(&[a.clone(), b.clone()]);
            assert_eq!(revoked(&both), (Some(vec!["b".to_owned()]), false), "{principal}");
            assert_eq!(revoked(&policy(&[a])), (Some(vec![]), false), "{principal}");
        }
        let others = [
            (json!({"AWS": [A, B]}), true),
            (json!("*"), true),
            (json!({"AWS": "*"}), true),
            (json!({"AWS": A, "Service": "ses.amazonaws.com"}), true),
            (json!({"Service": "ses.amazonaws.com"}), false),
            (json!({"AWS": format!("{A}1")}), false),
            (json!({"AWS": []}), false),
        ];
        for (principal, still_allowed) in others {
            let text = policy(&[allow("x", &principal)]);
            assert_eq!(revoked(&text), (None, still_allowed), "{principal}");
        }
    }

    #[test]
    fn statements_that_deny_stay() {
        let mut deny = allow("no", &json!({"AWS": A}));
        deny["Effect"] = json!("Deny");
        let text = policy(&[deny.clone(), allow("a", &json!({"AWS": A}))]);
        assert_eq!(revoked(&text).0, Some(vec!["no".to_owned()]));
        assert_eq!(revoked(&policy(&[deny])).0, None);
    }

    #[test]
    fn a_single_statement_without_a_list_is_accepted_and_invalid_json_is_an_error() {
        let text = json!({"Version": "2012-10-17", "Statement": allow("a", &json!({"AWS": A}))}).to_string();
        assert_eq!(revoked(&text).0, Some(vec![]));
        assert!(revoke("not a policy", &A.parse().unwrap()).is_err());
    }

    #[test]
    fn removing_again_keeps_what_changed_since() {
        let (a, b, c) = (
            allow("a", &json!({"AWS": A})),
            allow("b", &json!({"AWS": B})),
            allow("c", &json!({"AWS": A})),
        );
        let before = policy(&[a.clone(), b.clone()]);
        let after = policy(std::slice::from_ref(&b));
        assert_eq!(remove(&before, &before, Some(&after)).unwrap(), Some(after.clone()));
        assert_eq!(
            remove(&after, &before, Some(&after)).unwrap(),
            Some(after.clone()),
            "removed already"
        );
        let changed = policy(&[a.clone(), b, c.clone()]);
        let left = remove(&changed, &before, Some(&after)).unwrap();
        assert_eq!(
            sids(&left.unwrap()),
            ["b", "c"],
            "a statement that was added since stays"
        );
        let only_delegate = policy(std::slice::from_ref(&a));
        assert_eq!(remove(&only_delegate, &only_delegate, None).unwrap(), None);
        let left = remove(&policy(&[a, c]), &only_delegate, None).unwrap();
        assert_eq!(sids(&left.unwrap()), ["c"]);
    }

    #[test]
    fn restoring_adds_the_removed_statements_and_keeps_what_changed_since() {
        let (a, b, c) = (
            allow("a", &json!({"AWS": A})),
            allow("b", &json!({"AWS": B})),
            allow("c", &json!({"AWS": "123456789012"})),
        );
        let before = policy(&[a, b.clone()]);
        let after = policy(std::slice::from_ref(&b));
        let changed = policy(&[b, c]);
        let cases = [
            (
                "the policy is as it was left",
                Some(&after),
                Some(&after),
                vec!["a", "b"],
            ),
            (
                "it was changed since",
                Some(&changed),
                Some(&after),
                vec!["b", "c", "a"],
            ),
            ("it was restored before", Some(&before), Some(&after), vec!["a", "b"]),
            ("it was deleted since", None, Some(&after), vec!["a"]),
        ];
        for (name, current, after, expected) in cases {
            let restored = restore(current.map(String::as_str), &before, after.map(String::as_str)).unwrap();
            assert_eq!(sids(&restored), expected, "{name}");
        }
        assert_eq!(
            restore(Some(&after), &before, Some(&after)).unwrap(),
            before,
            "verbatim"
        );
        assert_eq!(
            restore(None, &before, None).unwrap(),
            before,
            "a deleted policy, verbatim"
        );
    }
}

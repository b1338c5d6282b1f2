//! Sending authorization policies: what a delegate's part of one is, without it, and with it again.
//!
//! The documents are [IAM's](https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html).

use notification_model::AccountId;
use serde_json::{Map, Value};

/// A policy without a delegate's statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Withdrawal {
    /// What is left; `None` when nothing is. Missing when the policy gives the delegate nothing of its own.
    pub(crate) after: Option<Option<String>>,
    /// Whether a statement that names others too, or everyone, still gives the delegate something.
    pub(crate) still_allowed: bool,
}

/// Takes out the statements that allow this account, and nobody else, something. What denies stays: without it the
/// policy would allow more.
pub(crate) fn withdraw(policy: &str, delegate: &AccountId) -> Result<Withdrawal, serde_json::Error> {
    let mut document: Map<String, Value> = serde_json::from_str(policy)?;
    let all = statements(document.get("Statement"));
    let whose = |statement: &&Value| grants(statement, delegate);
    let still_allowed = all.iter().any(|statement| whose(&statement) == Grants::Others);
    let kept: Vec<Value> = all
        .iter()
        .filter(|one| whose(one) != Grants::Delegate)
        .cloned()
        .collect();
    let after = if kept.len() == all.len() {
        None
    } else if kept.is_empty() {
        Some(None)
    } else {
        document.insert("Statement".to_owned(), Value::Array(kept));
        Some(Some(Value::Object(document).to_string()))
    };
    Ok(Withdrawal { after, still_allowed })
}

/// The policy with everything that was taken out of `before` to make `after`. Whatever else changed since stays.
pub(crate) fn restore(current: Option<&str>, before: &str, after: Option<&str>) -> Result<String, serde_json::Error> {
    let parse = |text: Option<&str>| text.map(serde_json::from_str::<Value>).transpose();
    let (now, then) = (parse(current)?, parse(after)?);
    let whole: Map<String, Value> = serde_json::from_str(before)?;
    if now == then {
        return Ok(before.to_owned());
    }
    let left = statements(then.as_ref().and_then(|document| document.get("Statement")));
    let mut document = match now {
        Some(Value::Object(document)) => document,
        _ => whole.clone(),
    };
    let mut present = match current {
        Some(_) => statements(document.get("Statement")),
        None => Vec::new(),
    };
    for statement in statements(whole.get("Statement")) {
        if !left.contains(&statement) && !present.contains(&statement) {
            present.push(statement);
        }
    }
    document.insert("Statement".to_owned(), Value::Array(present));
    Ok(Value::Object(document).to_string())
}

fn statements(value: Option<&Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grants {
    /// Something to the delegate and to nobody else.
    Delegate,
    /// Something to the delegate and perhaps others.
    Others,
    /// Nothing to the delegate.
    Nothing,
}

fn grants(statement: &Value, delegate: &AccountId) -> Grants {
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Grants::Nothing;
    }
    let Some(principal) = statement.get("Principal") else {
        // `NotPrincipal`, which SES refuses, would name those who are not allowed.
        return Grants::Others;
    };
    let accounts = match principal {
        Value::Object(kinds) if kinds.len() == 1 => kinds.get("AWS"),
        Value::String(everyone) if everyone == "*" => return Grants::Others,
        _ => principal.get("AWS"),
    };
    let only_accounts = principal.as_object().is_some_and(|kinds| kinds.len() == 1);
    let named: Vec<&str> = match accounts {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => return Grants::Nothing,
    };
    let is_delegate = |text: &&str| account_of(text) == Some(delegate.as_str());
    if !named.is_empty() && named.iter().all(is_delegate) && only_accounts {
        Grants::Delegate
    } else if named.iter().any(|text| is_delegate(text) || *text == "*") {
        Grants::Others
    } else {
        Grants::Nothing
    }
}

/// The account of a principal: twelve digits, or an IAM ARN (`arn:aws:iam::111122223333:root`, a user, a role).
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

    use super::{restore, withdraw};

    const A: &str = "444455556666";
    const B: &str = "777788889999";

    fn allow(sid: &str, principal: &Value) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "ses:SendEmail",
               "Resource": "arn:aws:ses:us-east-1:111122223333:identity/shop.example"})
    }

    fn policy(statements: &[Value]) -> String {
        json!({"Version": "2012-10-17", "Id": "given", "Statement": statements}).to_string()
    }

    /// The Sids left; `None` when the policy stays as it is.
    fn left(policy: &str) -> (Option<Vec<String>>, bool) {
        let done = withdraw(policy, &A.parse().unwrap()).unwrap();
        let sids = done.after.map(|after| match after {
            None => Vec::new(),
            Some(text) => {
                let document: Value = serde_json::from_str(&text).unwrap();
                let all = document["Statement"].as_array().unwrap().clone();
                all.iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect()
            }
        });
        (sids, done.still_allowed)
    }

    #[test]
    fn only_what_is_the_delegates_alone_is_taken() {
        let root = format!("arn:aws:iam::{A}:root");
        let mine = [
            json!({"AWS": A}),
            json!({"AWS": [A]}),
            json!({"AWS": root}),
            json!({"AWS": [A, format!("arn:aws:iam::{A}:role/mailer")]}),
        ];
        let b = allow("b", &json!({"AWS": B}));
        for principal in mine {
            let text = policy(&[allow("a", &principal), b.clone()]);
            assert_eq!(left(&text), (Some(vec!["b".to_owned()]), false), "{principal}");
            assert_eq!(
                left(&policy(&[allow("a", &principal)])),
                (Some(vec![]), false),
                "{principal}"
            );
        }
        let shared = [
            (json!({"AWS": [A, B]}), true),
            (json!("*"), true),
            (json!({"AWS": "*"}), true),
            (json!({"AWS": A, "Service": "ses.amazonaws.com"}), true),
            (json!({"Service": "ses.amazonaws.com"}), false),
            (json!({"AWS": format!("{A}1")}), false),
            (json!({"AWS": []}), false),
        ];
        for (principal, still) in shared {
            assert_eq!(left(&policy(&[allow("x", &principal)])), (None, still), "{principal}");
        }
    }

    #[test]
    fn what_denies_stays() {
        let mut deny = allow("no", &json!({"AWS": A}));
        deny["Effect"] = json!("Deny");
        let text = policy(&[deny.clone(), allow("a", &json!({"AWS": A}))]);
        assert_eq!(left(&text).0, Some(vec!["no".to_owned()]));
        assert_eq!(left(&policy(&[deny])).0, None);
    }

    #[test]
    fn a_single_statement_needs_no_list_and_nonsense_is_an_error() {
        let text = json!({"Version": "2012-10-17", "Statement": allow("a", &json!({"AWS": A}))}).to_string();
        assert_eq!(left(&text).0, Some(vec![]));
        assert!(withdraw("not a policy", &A.parse().unwrap()).is_err());
    }

    #[test]
    fn restoring_gives_back_the_statements_and_keeps_what_changed_since() {
        let (a, b, c) = (
            allow("a", &json!({"AWS": A})),
            allow("b", &json!({"AWS": B})),
            allow("c", &json!({"AWS": "123456789012"})),
        );
        let before = policy(&[a.clone(), b.clone()]);
        let after = policy(std::slice::from_ref(&b));
        let sids = |text: &str| -> Vec<String> {
            let document: Value = serde_json::from_str(text).unwrap();
            let all = document["Statement"].as_array().unwrap();
            all.iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            restore(Some(&after), &before, Some(&after)).unwrap(),
            before,
            "to the letter"
        );
        assert_eq!(restore(None, &before, None).unwrap(), before, "deleted");
        let changed = policy(&[b, c]);
        assert_eq!(
            sids(&restore(Some(&changed), &before, Some(&after)).unwrap()),
            ["b", "c", "a"]
        );
        assert_eq!(
            sids(&restore(Some(&before), &before, Some(&after)).unwrap()),
            ["a", "b"],
            "again"
        );
        assert_eq!(
            sids(&restore(None, &before, Some(&after)).unwrap()),
            ["a"],
            "the rest was deleted since"
        );
    }
}

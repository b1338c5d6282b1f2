//! The canonical form of policies, in which policies with the same meaning are equal.

use notification_model::AccountId;
use serde_json::{Map, Value as Json};

use super::send_action::SendAction;

/// The elements whose lists are sets of values.
const SETS: [&str; 6] = ["Action", "NotAction", "Resource", "NotResource", "AWS", "Service"];

/// Returns a policy or a statement in canonical form: sets are sorted and without duplicates, a list of one value is that
/// value, the ARN of an account (`arn:aws:iam::111122223333:root`) is its id, and actions have one spelling, because
/// their case has no meaning. The keys of objects are sorted.
#[must_use]
pub fn canonical(document: &Json) -> Json {
    let Json::Object(members) = document else {
        return document.clone();
    };
    object(members, |name, value| match name {
        "Statement" => single(match value {
            Json::Array(statements) => statements.iter().map(canonical).collect(),
            statement => vec![canonical(statement)],
        }),
        "Principal" | "NotPrincipal" => canonical(value),
        "Condition" => condition(value),
        name if SETS.contains(&name) => set(name, value),
        _ => value.clone(),
    })
}

fn object(members: &Map<String, Json>, convert: impl Fn(&str, &Json) -> Json) -> Json {
    let mut members: Vec<_> = members
        .iter()
        .map(|(name, value)| (name.clone(), convert(name, value)))
        .collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    Json::Object(members.into_iter().collect())
}

fn condition(value: &Json) -> Json {
    let Json::Object(operators) = value else {
        return value.clone();
    };
    object(operators, |_, keys| match keys {
        Json::Object(keys) => object(keys, set),
        other => other.clone(),
    })
}

fn set(name: &str, value: &Json) -> Json {
    let values = match value {
        Json::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let mut values: Vec<Json> = values.into_iter().map(|value| element(name, value)).collect();
    values.sort_by_key(ToString::to_string);
    values.dedup();
    single(values)
}

fn single(mut values: Vec<Json>) -> Json {
    match values.pop() {
        Some(only) if values.is_empty() => only,
        Some(last) => {
            values.push(last);
            Json::Array(values)
        }
        None => Json::Array(values),
    }
}

fn element(name: &str, value: Json) -> Json {
    match (name, value.as_str()) {
        ("AWS", Some(principal)) => root_account(principal).map_or(value, Json::from),
        ("Action" | "NotAction", Some(action)) => Json::from(action_name(action)),
        _ => value,
    }
}

/// The account of `arn:PARTITION:iam::ACCOUNT:root`.
fn root_account(principal: &str) -> Option<String> {
    let parts: Vec<&str> = principal.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] => account.parse::<AccountId>().ok().map(|account| account.to_string()),
        _ => None,
    }
}

/// The usual spelling of the actions that SES and Postroom use; other actions in lower case.
fn action_name(action: &str) -> String {
    let sending = SendAction::ALL.iter().map(|known| known.iam_name());
    sending
        .chain(["sns:Publish".to_owned()])
        .find(|known| known.eq_ignore_ascii_case(action))
        .unwrap_or_else(|| action.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::canonical;

    #[test]
    fn policies_with_the_same_meaning_are_equal() {
        let one = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::222233334444:root"]},
            "Action": ["SES:SendRawEmail", "ses:SendEmail", "ses:sendemail"], "Resource": ["r"],
            "Condition": {"StringLike": {"ses:FromAddress": ["b", "a"]}},
        }]});
        let other = json!({"Statement": {
            "Condition": {"StringLike": {"ses:FromAddress": ["a", "b"]}}, "Resource": "r",
            "Action": ["ses:SendEmail", "ses:SendRawEmail"], "Principal": {"AWS": "222233334444"}, "Effect": "Allow",
        }, "Version": "2012-10-17"});
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one).to_string(), canonical(&other).to_string());
        assert_eq!(canonical(&canonical(&one)), canonical(&one));
    }

    #[test]
    fn a_different_account_action_or_address_is_a_difference() {
        let policy = |account: &str, action: &str, from: &str| {
            canonical(
                &json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": action,
                "Condition": {"StringLike": {"ses:FromAddress": from}}}]}),
            )
        };
        let usual = policy("222233334444", "ses:SendEmail", "a@shop.example");
        for other in [
            policy("222233334445", "ses:SendEmail", "a@shop.example"),
            policy(
                "arn:aws:iam::222233334444:role/mailer",
                "ses:SendEmail",
                "a@shop.example",
            ),
            policy("222233334444", "ses:SendRawEmail", "a@shop.example"),
            policy("222233334444", "ses:SendEmail", "A@shop.example"),
        ] {
            assert_ne!(usual, other);
        }
    }
}

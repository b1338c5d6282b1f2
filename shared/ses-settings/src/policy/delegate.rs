//! A delegate: an account that may send from an identity, and the policy that allows it.

use std::collections::BTreeSet;

use notification_model::AccountId;
use serde_json::{Map, Value as Json, json};

use super::canonical::canonical;
use super::send_action::SendAction;
use super::statement::texts;
use crate::field::OWN_PREFIX;

/// An account that may send from an identity. Empty sets allow everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// The name, which is that of the policy without [`OWN_PREFIX`].
    pub name: String,
    /// The account.
    pub account: AccountId,
    /// What the account may call.
    pub actions: BTreeSet<SendAction>,
    /// From addresses, where `*` matches any text. Case matters.
    pub from: BTreeSet<String>,
    /// Recipients, where `*` matches any text. Every recipient of a message must match one of them.
    pub recipients: BTreeSet<String>,
    /// Display names of the From address, where `*` matches any text. Case matters.
    pub display_names: BTreeSet<String>,
}

impl Delegate {
    /// The actions of a delegate without `actions`: `SendEmail` and `SendRawEmail`, which cover both APIs and SMTP.
    pub const DEFAULT_ACTIONS: [SendAction; 2] = [SendAction::SendEmail, SendAction::SendRawEmail];

    /// The name of the policy.
    #[must_use]
    pub fn policy_name(&self) -> String {
        format!("{OWN_PREFIX}{}", self.name)
    }

    /// The policy for an identity, in [canonical] form.
    #[must_use]
    pub fn policy(&self, identity_arn: &str) -> Json {
        let actions: Vec<String> = self.actions.iter().map(|action| action.iam_name()).collect();
        let mut statement = json!({
            "Effect": "Allow", "Principal": {"AWS": self.account.as_str()}, "Action": actions, "Resource": identity_arn,
        });
        let condition = self.condition();
        if let Some(members) = statement.as_object_mut().filter(|_| !condition.is_empty()) {
            members.insert("Condition".to_owned(), Json::Object(condition));
        }
        canonical(&json!({"Version": "2012-10-17", "Statement": [statement]}))
    }

    fn condition(&self) -> Map<String, Json> {
        let (mut like, mut condition) = (Map::new(), Map::new());
        for (key, values) in [
            ("ses:FromAddress", &self.from),
            ("ses:FromDisplayName", &self.display_names),
        ] {
            if !values.is_empty() {
                like.insert(key.to_owned(), json!(values));
            }
        }
        if !like.is_empty() {
            condition.insert("StringLike".to_owned(), Json::Object(like));
        }
        if !self.recipients.is_empty() {
            condition.insert(
                "ForAllValues:StringLike".to_owned(),
                json!({"ses:Recipients": self.recipients}),
            );
        }
        condition
    }

    /// The delegate of a policy that [`policy`](Self::policy) generated; `None` for any other policy.
    #[must_use]
    pub fn of_policy(policy_name: &str, policy: &Json, identity_arn: &str) -> Option<Self> {
        let policy = canonical(policy);
        let statement = policy.get("Statement")?;
        let values = |operator: &str, key: &str| -> BTreeSet<String> {
            let keys = statement.get("Condition").and_then(|condition| condition.get(operator));
            let values = texts(keys.and_then(|keys| keys.get(key)));
            values.into_iter().map(str::to_owned).collect()
        };
        let actions = texts(statement.get("Action"));
        let delegate = Self {
            name: policy_name.strip_prefix(OWN_PREFIX)?.to_owned(),
            account: statement.get("Principal")?.get("AWS")?.as_str()?.parse().ok()?,
            actions: actions
                .iter()
                .map(|action| action.parse().ok())
                .collect::<Option<_>>()?,
            from: values("StringLike", "ses:FromAddress"),
            recipients: values("ForAllValues:StringLike", "ses:Recipients"),
            display_names: values("StringLike", "ses:FromDisplayName"),
        };
        (!delegate.actions.is_empty() && delegate.policy(identity_arn) == policy).then_some(delegate)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Delegate;

    const ARN: &str = "arn:aws:ses:us-east-1:111122223333:identity/shop.example";

    fn delegate() -> Delegate {
        Delegate {
            name: "agency".to_owned(),
            account: "222233334444".parse().unwrap(),
            actions: Delegate::DEFAULT_ACTIONS.into(),
            from: ["news@shop.example".to_owned()].into(),
            recipients: ["*@example.net".to_owned()].into(),
            display_names: ["Shop*".to_owned()].into(),
        }
    }

    #[test]
    fn the_policy_has_one_statement_one_resource_and_the_conditions() {
        let expected = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Resource": ARN, "Condition": {
                "StringLike": {"ses:FromAddress": "news@shop.example", "ses:FromDisplayName": "Shop*"},
                "ForAllValues:StringLike": {"ses:Recipients": "*@example.net"},
            },
        }});
        assert_eq!(delegate().policy(ARN), expected);
        assert_eq!(delegate().policy_name(), "postroom-agency");
    }

    #[test]
    fn a_generated_policy_is_read_back_and_others_are_not() {
        let unlimited = Delegate {
            from: [].into(),
            recipients: [].into(),
            display_names: [].into(),
            ..delegate()
        };
        for delegate in [delegate(), unlimited] {
            let policy = delegate.policy(ARN);
            assert_eq!(Delegate::of_policy("postroom-agency", &policy, ARN), Some(delegate));
            assert_eq!(Delegate::of_policy("agency", &policy, ARN), None, "another name");
            assert_eq!(Delegate::of_policy("postroom-agency", &policy, "arn:other"), None);
            for (member, value) in [("Sid", json!("x")), ("Effect", json!("Deny")), ("Action", json!([]))] {
                let mut changed = policy.clone();
                changed["Statement"][member] = value;
                assert_eq!(Delegate::of_policy("postroom-agency", &changed, ARN), None, "{member}");
            }
        }
    }
}

//! Whether SES can publish to a topic and the message arrives, as far as SNS tells.

use serde_json::Value as Json;

use crate::client::SesSettings;
use crate::context::Context;
use crate::error::SettingsError;
use crate::policy::{as_list, like};

impl SesSettings {
    /// Why SES cannot publish to a topic, or why nothing receives what it publishes; empty when nothing is known to be wrong.
    ///
    /// Looked at: that the topic exists, that its policy lets SES publish for the account, that its key is not the AWS managed
    /// one, and that it has a confirmed subscription. Not looked at: the policy of a customer managed key. SES itself refuses
    /// to set a topic to which it cannot publish.
    ///
    /// # Errors
    /// When a call fails for another reason than that the topic does not exist.
    pub async fn topic_obstacles(&self, arn: &str, context: &Context) -> Result<Vec<String>, SettingsError> {
        let attributes = match self.sns.get_topic_attributes().topic_arn(arn).send().await {
            Ok(output) => output.attributes.unwrap_or_default(),
            Err(error) => {
                let error = SettingsError::of_sdk("GetTopicAttributes", &error);
                return if error.is_not_found() {
                    Ok(vec!["the topic does not exist".to_owned()])
                } else {
                    Err(error)
                };
            }
        };
        let mut obstacles = Vec::new();
        let policy = attributes.get("Policy").map(String::as_str).unwrap_or_default();
        if !lets_ses_publish(policy, context) {
            obstacles.push(format!(
                "the policy of the topic does not let ses.amazonaws.com publish for account {}",
                context.account
            ));
        }
        let key = attributes.get("KmsMasterKeyId").map(String::as_str).unwrap_or_default();
        if key.ends_with("alias/aws/sns") {
            obstacles.push("the topic is encrypted with the AWS managed key, which SES cannot use".to_owned());
        }
        if attributes
            .get("SubscriptionsConfirmed")
            .is_none_or(|count| count == "0")
        {
            obstacles.push("the topic has no confirmed subscription".to_owned());
        }
        Ok(obstacles)
    }
}

/// Whether a statement allows SES to publish for the account, and none denies it.
fn lets_ses_publish(policy: &str, context: &Context) -> bool {
    let policy: Json = serde_json::from_str(policy).unwrap_or_default();
    let applies = |statement: &&Json| {
        let principal = statement.get("Principal");
        let services = as_list(principal.and_then(|principal| principal.get("Service")));
        let is_ses = principal.and_then(Json::as_str) == Some("*")
            || services
                .iter()
                .any(|service| matches!(service.as_str(), Some("ses.amazonaws.com" | "*")))
            || as_list(principal.and_then(|principal| principal.get("AWS")))
                .iter()
                .any(|account| account.as_str() == Some("*"));
        let actions = as_list(statement.get("Action"));
        let is_publish = actions.iter().filter_map(|action| action.as_str()).any(|action| {
            let action = action.to_lowercase();
            like(&action, "sns:publish") || action == "*"
        });
        is_ses && is_publish && is_for_account(statement.get("Condition"), context)
    };
    let statements = as_list(policy.get("Statement"));
    let mut matching = statements.into_iter().filter(applies).peekable();
    matching.peek().is_some()
        && matching.all(|statement| statement.get("Effect").and_then(Json::as_str) == Some("Allow"))
}

/// Whether the conditions hold for SES acting for the account. A condition on something else, such as TLS, is that of a
/// statement about something else, so it does not hold.
fn is_for_account(condition: Option<&Json>, context: &Context) -> bool {
    let operators = condition.and_then(Json::as_object).into_iter().flatten();
    let mut keys = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    keys.all(|(key, values)| {
        let values = as_list(Some(values));
        let mut values = values.iter().filter_map(|value| value.as_str());
        match key.to_lowercase().as_str() {
            "aws:sourceaccount" => values.any(|account| account == context.account.as_str()),
            "aws:sourcearn" => values.any(|arn| arn.split(':').nth(4) == Some(context.account.as_str()) || arn == "*"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::lets_ses_publish;
    use crate::context::Context;

    fn context() -> Context {
        Context {
            partition: "aws".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "111122223333".parse().unwrap(),
            own_topic: None,
        }
    }

    fn statement(effect: &str, principal: &Value, account: &str) -> Value {
        json!({
            "Effect": effect, "Principal": principal, "Action": "sns:Publish", "Resource": "*",
            "Condition": {"StringEquals": {"AWS:SourceAccount": account}},
        })
    }

    #[test]
    fn ses_needs_a_statement_for_the_account_and_no_denial() {
        let ses = json!({"Service": "ses.amazonaws.com"});
        let tls = json!({
            "Effect": "Deny", "Principal": "*", "Action": "sns:Publish",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        });
        let allowed = statement("Allow", &ses, "111122223333");
        let cases = [
            (vec![allowed.clone(), tls], true),
            (vec![statement("Allow", &ses, "222233334444")], false),
            (
                vec![statement(
                    "Allow",
                    &json!({"Service": "events.amazonaws.com"}),
                    "111122223333",
                )],
                false,
            ),
            (
                vec![allowed.clone(), statement("Deny", &json!("*"), "111122223333")],
                false,
            ),
            (vec![], false),
        ];
        for (statements, expected) in cases {
            let policy = json!({"Statement": statements}).to_string();
            assert_eq!(lets_ses_publish(&policy, &context()), expected, "{policy}");
        }
        let generated = context().topic_statement("arn:aws:sns:eu-west-1:111122223333:t", &[context().account]);
        assert!(lets_ses_publish(
            &json!({"Statement": generated}).to_string(),
            &context()
        ));
        assert!(!lets_ses_publish("no JSON", &context()));
    }
}

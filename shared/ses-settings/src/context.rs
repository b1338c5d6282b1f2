//! The account and Region that the settings belong to.

use notification_model::AccountId;
use serde_json::{Value as Json, json};

use crate::field::TOPIC_STATEMENT_SID;

/// The account and Region whose SES is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The partition, for example `aws`.
    pub partition: String,
    /// The Region, for example `eu-west-1`.
    pub region: String,
    /// The account.
    pub account: AccountId,
    /// The topic of the stack (output `TopicArn`), which the configuration calls `postroom`.
    pub own_topic: Option<String>,
}

impl Context {
    /// The partition of a Region.
    #[must_use]
    pub fn partition_of(region: &str) -> &'static str {
        match region.split('-').next().unwrap_or_default() {
            "cn" => "aws-cn",
            "eusc" => "aws-eusc",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The ARN of an identity of the account; an ARN stays as it is.
    #[must_use]
    pub fn identity_arn(&self, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let Self {
            partition,
            region,
            account,
            ..
        } = self;
        format!("arn:{partition}:ses:{region}:{account}:identity/{name}")
    }

    /// The statement in the policy of a topic that lets SES publish for identities and configuration sets of accounts.
    #[must_use]
    pub fn topic_statement(&self, topic: &str, accounts: &[AccountId]) -> Json {
        let Self { partition, region, .. } = self;
        let arns = accounts
            .iter()
            .map(|account| format!("arn:{partition}:ses:{region}:{account}:*"));
        json!({
            "Sid": TOPIC_STATEMENT_SID, "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sns:Publish", "Resource": topic,
            "Condition": {
                "StringEquals": {"AWS:SourceAccount": accounts},
                "StringLike": {"AWS:SourceArn": arns.collect::<Vec<_>>()},
            },
        })
    }
}

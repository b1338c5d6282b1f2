//! The settings of SES in `postroom.toml` as they are written. The doc comments are the descriptions in the JSON schema.
//! `postroomctl pull` writes them with the same types.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of identities in SES. Keys that are not written are not changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct Identity {
    /// Domains, mail addresses, patterns such as `*.shop.example` or `*`, or ARNs of identities of other accounts (legacy
    /// cross-account notifications). The most specific entry applies, key by key: an exact name before a pattern, a longer
    /// pattern before a shorter one, a later entry before an earlier one.
    pub(crate) names: Vec<String>,
    /// Whether SES mails bounces and complaints to the sender. false needs topics for bounce and complaint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feedback_forwarding: Option<bool>,
    /// The default configuration set, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) configuration_set: Option<String>,
    /// The topics of notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topics: Option<Topics>,
    /// Whether notifications contain the original headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) original_headers: Option<OriginalHeaders>,
    /// Accounts that may send from the identity. Each is a policy `postroom-NAME`, which is removed when it is not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) delegate: Vec<Delegate>,
    /// Other sending authorization policies: the name, and the policy as JSON text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) policies: BTreeMap<String, String>,
}

/// For each type: `postroom` for the topic of the stack, the ARN of a standard topic in this Region, or `none`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct Topics {
    /// Bounces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bounce: Option<String>,
    /// Complaints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complaint: Option<String>,
    /// Deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery: Option<String>,
}

/// For each type: whether its notifications contain the original headers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct OriginalHeaders {
    /// Bounces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bounce: Option<bool>,
    /// Complaints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complaint: Option<bool>,
    /// Deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery: Option<bool>,
}

/// An account that may send from an identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct Delegate {
    /// The name, which is that of the policy without `postroom-`.
    pub(crate) name: String,
    /// The account: its id, or the name of an `[[account]]`.
    pub(crate) account: String,
    /// What the account may call: SendEmail, SendRawEmail, SendTemplatedEmail, SendBulkTemplatedEmail. Default: SendEmail and
    /// SendRawEmail, which cover both APIs and SMTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actions: Option<BTreeSet<String>>,
    /// The From addresses it may use. `*` matches any text, and case matters. Default: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) from: BTreeSet<String>,
    /// The recipients it may mail. `*` matches any text, and case matters. Default: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) recipients: BTreeSet<String>,
    /// The display names of the From address it may use. `*` matches any text, and case matters. Default: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) display_names: BTreeSet<String>,
}

/// A configuration set in SES. It is created when it does not exist. Keys that are not written are not changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct ConfigurationSet {
    /// The name.
    pub(crate) name: String,
    /// Whether SES publishes reputation metrics of the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reputation_metrics: Option<bool>,
    /// Whether mail may be sent with the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sending: Option<bool>,
    /// The reasons for which SES's own suppression list applies: BOUNCE, COMPLAINT, both or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suppressed_reasons: Option<BTreeSet<String>>,
    /// Where SES publishes events, by name. One whose name begins with `postroom-` is removed when it is not written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) event_destinations: BTreeMap<String, EventDestination>,
}

/// Where SES publishes events of a configuration set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct EventDestination {
    /// `postroom` for the topic of the stack, or the ARN of a topic, of the event bus default or of a delivery stream.
    pub(crate) target: String,
    /// The types: SEND, REJECT, BOUNCE, COMPLAINT, DELIVERY, OPEN, CLICK, RENDERING_FAILURE, DELIVERY_DELAY, SUBSCRIPTION.
    pub(crate) events: BTreeSet<String>,
    /// The ARN of the role that SES uses, for a delivery stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// Whether SES publishes to it. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) enabled: bool,
}

/// A topic to which SES publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(crate) struct Topic {
    /// `postroom` for the topic of the stack, or an ARN.
    pub(crate) topic: String,
    /// The accounts whose identities and configuration sets may publish: ids, or names of `[[account]]`. They become the
    /// statement `PostroomAllowSes` of the topic's policy; other statements stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_ses: Option<Vec<String>>,
    /// The ARNs of SQS queues and Lambda functions that are subscribed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) subscriptions: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

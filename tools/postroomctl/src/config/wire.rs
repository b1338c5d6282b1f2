//! `postroom.toml` as it is written. The doc comments are the descriptions in the JSON schema, which editors show.

use std::num::{NonZeroU32, NonZeroU64};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ses_wire;

/// Postroom's configuration. Accounts and their identities, routes of notifications, reputation thresholds, and mailboxes for
/// inbound mail are written into the stack's table; identities, configuration sets and topics are settings of SES and SNS.
/// `postroomctl plan` shows what differs, `postroomctl apply` makes it so. A section that is not written is not changed.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
#[schemars(rename = "postroom.toml")]
pub(super) struct File {
    /// The accounts that send, and the identities they send from.
    pub(super) account: Option<Vec<Account>>,
    /// Which notifications are sent to which target.
    pub(super) route: Option<Vec<Route>>,
    /// The rates at which senders are warned and restricted.
    pub(super) thresholds: Option<Thresholds>,
    /// What is done with inbound mail.
    pub(super) mailbox: Option<Vec<Mailbox>>,
    /// Settings of identities in SES.
    pub(super) identity: Option<Vec<ses_wire::Identity>>,
    /// Configuration sets in SES.
    pub(super) configuration_set: Option<Vec<ses_wire::ConfigurationSet>>,
    /// Topics to which SES publishes.
    pub(super) topic: Option<Vec<ses_wire::Topic>>,
}

/// An account that sends.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Account {
    /// The 12-digit AWS account id.
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub(super) account: String,
    /// A name that the rest of this file can use instead of the account id.
    pub(super) name: Option<String>,
    /// The identities the account sends from. The owner of a notification without sourceArn is looked up among these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) identities: Vec<AccountIdentity>,
}

/// An identity that an account sends from.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct AccountIdentity {
    /// A domain or a mail address.
    pub(super) identity: String,
    /// The identity owner: the id or name of an account. Default: the account itself.
    pub(super) owner: Option<String>,
}

/// Which notifications are sent to a target. An owner or an account is required.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Route {
    /// The name of the route in lists, reasons and logs.
    pub(super) name: String,
    /// The identity owner: the id or name of an account.
    pub(super) owner: Option<String>,
    /// The sending account: its id or name.
    pub(super) account: Option<String>,
    /// The identity, or the domain of several identities: a domain or a mail address. Requires an owner.
    pub(super) identity: Option<String>,
    /// Only messages sent with one of these configuration sets. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) configuration_sets: Vec<String>,
    /// Only messages sent for one of these tenants. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tenants: Vec<String>,
    /// Only these events: Bounce, Complaint, Delivery, Send, Reject, Open, Click, Rendering Failure, DeliveryDelay,
    /// Subscription; and Alert, the reputation alerts of Postroom. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<String>,
    /// The ARN of an SNS topic, SQS queue or EventBridge bus, or a mail address that receives digests.
    pub(super) target: String,
    /// What is removed from the notifications. Default: standard.
    #[serde(default, skip_serializing_if = "Redaction::is_default")]
    pub(super) redaction: Redaction,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Redaction {
    /// Nothing: the notification as SES sends it.
    None,
    /// Headers, other recipients, the sender's tags and IP addresses.
    #[default]
    Standard,
}

/// Thresholds for all senders, and overrides for some.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Thresholds {
    /// The enforcements that are allowed when a rate reaches `enforce`. Default: none.
    pub(super) enforcements: Option<Vec<Enforcement>>,
    /// The thresholds for hard bounces.
    pub(super) bounces: Option<Threshold>,
    /// The thresholds for complaints.
    pub(super) complaints: Option<Threshold>,
    /// Thresholds for some senders. The most specific override applies; keys that it omits have their general value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) r#override: Vec<Override>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Enforcement {
    /// Disable sending of the configuration set with the most bounces or complaints, when it belongs to this account.
    PauseConfigurationSet,
    /// Disable sending of the tenant with the most bounces or complaints, when it belongs to this account.
    DisableTenant,
    /// Remove the delegate's statements from the sending authorization policies of the identity, when the identity belongs
    /// to this account.
    RevokeAuthorization,
}

/// The rates of a measure, and the volume from which they apply.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Threshold {
    /// The rate at which the identity owner and the sending account are alerted, as a percentage such as "2.5 %".
    pub(super) warn: Option<String>,
    /// The rate at which enforcements apply, as a percentage such as "5 %".
    pub(super) enforce: Option<String>,
    /// The number of recipients within an hour from which its rate applies.
    pub(super) min_hour_recipients: Option<NonZeroU64>,
    /// The number of recipients within 24 hours from which their rate applies.
    pub(super) min_day_recipients: Option<NonZeroU64>,
    /// The number of bounces or complaints from which a rate applies.
    pub(super) min_events: Option<NonZeroU64>,
}

/// Thresholds for the senders that match. An owner, an account or an identity is required.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Override {
    /// The identity owner: the id or name of an account.
    pub(super) owner: Option<String>,
    /// The sending account: its id or name.
    pub(super) account: Option<String>,
    /// The identity, or the domain of several identities: a domain or a mail address.
    pub(super) identity: Option<String>,
    /// The enforcements that are allowed for these senders; `[]` allows none.
    pub(super) enforcements: Option<Vec<Enforcement>>,
    /// The thresholds for hard bounces.
    pub(super) bounces: Option<Threshold>,
    /// The thresholds for complaints.
    pub(super) complaints: Option<Threshold>,
}

/// What is done with inbound mail for an address, a domain or all others. The most specific mailbox applies: the address,
/// the address without its +tag, the domain, `*`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Mailbox {
    /// A mail address, a domain, or `*` for all others.
    pub(super) address: String,
    /// The actions, in this order.
    pub(super) actions: Vec<MailboxAction>,
    /// Rules for SES's verdicts that differ from the defaults.
    #[serde(default, skip_serializing_if = "Verdicts::is_default")]
    pub(super) verdicts: Verdicts,
    /// Who is notified when a forward target complains or its mail bounces: a mail address, or the ARN of an SNS topic or SQS
    /// queue. Default: none, so that only the alarm goes off.
    pub(super) owner: Option<String>,
    /// Domains of forwarders and mailing lists. Their mail is tagged instead of bounced if DMARC fails with the policy reject
    /// and their own SPF or DKIM passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) trusted_forwarders: Vec<String>,
}

/// What is done for each verdict of SES.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct Verdicts {
    /// The mail contains a virus. Default: stop-rule-set.
    pub(super) virus_fail: Option<VerdictAction>,
    /// The mail is spam. Default: stop-rule-set.
    pub(super) spam_fail: Option<VerdictAction>,
    /// SPF fails: the sending server is not authorized for the domain of the envelope sender. Default: tag.
    pub(super) spf_fail: Option<VerdictAction>,
    /// No DKIM signature is valid. Default: tag.
    pub(super) dkim_fail: Option<VerdictAction>,
    /// DMARC fails, and the policy of the domain is none. Default: tag.
    pub(super) dmarc_none: Option<VerdictAction>,
    /// DMARC fails, and the policy of the domain is quarantine. Default: tag.
    pub(super) dmarc_quarantine: Option<VerdictAction>,
    /// DMARC fails, and the policy of the domain is reject. Default: bounce.
    pub(super) dmarc_reject: Option<VerdictAction>,
    /// SES did not complete the check (GRAY, PROCESSING_FAILED, DISABLED). Default: tag.
    pub(super) unchecked: Option<VerdictAction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VerdictAction {
    /// Run the actions, as if the verdict were PASS.
    Continue,
    /// Run the actions, and mark what is forwarded, stored and notified.
    Tag,
    /// Run no action, and skip the remaining actions of this receipt rule.
    StopRule,
    /// Run no action, and skip the remaining receipt rules.
    StopRuleSet,
    /// Bounce the mail when its sender is authenticated and it is not automatic mail, else stop-rule-set.
    Bounce,
}

/// An action on inbound mail.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
pub(super) struct MailboxAction {
    /// The kind of action.
    pub(super) action: ActionName,
    /// For forward: the mail addresses. For notify: the ARNs of SNS topics or SQS queues.
    pub(super) to: Option<Vec<String>>,
    /// For forward, auto-reply and bounce: the verified address to send from.
    pub(super) from: Option<String>,
    /// For auto-reply: the subject. Default: `Auto: ` and the subject of the mail.
    pub(super) subject: Option<String>,
    /// For auto-reply: the text of the reply.
    pub(super) text: Option<String>,
    /// For auto-reply: the number of days in which a sender receives at most one reply. Default: 7.
    pub(super) every_days: Option<NonZeroU32>,
    /// For bounce: the message to the sender. For drop: the reason in the log.
    pub(super) reason: Option<String>,
    /// For bounce: the enhanced status code. Default: 5.1.1 (no such mailbox).
    pub(super) status_code: Option<String>,
    /// For store: what the index keeps of the subject. Default: none.
    pub(super) keep_subject: Option<KeepSubject>,
    /// For store: the number of days the index keeps the mail. Default: the function's INDEX_DAYS.
    pub(super) days: Option<NonZeroU32>,
    /// For forward: what happens to mail for a target that complained, or whose mail bounces or is not sent by SES. Default:
    /// continue.
    pub(super) when_suppressed: Option<WhenSuppressed>,
    /// For forward: where mail is marked that fails DMARC with the policy quarantine or reject. Default: name.
    pub(super) quarantine_mark: Option<QuarantineMark>,
    /// For notify: what is sent. Default: summary.
    pub(super) content: Option<NotifyContent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WhenSuppressed {
    /// The mail is forwarded.
    Continue,
    /// The mail is kept and not forwarded.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum QuarantineMark {
    /// In the display name of From.
    Name,
    /// At the beginning of the subject.
    Subject,
    /// Nowhere.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NotifyContent {
    /// Author, recipients, verdicts, size, location and reasons.
    Summary,
    /// Also the text, the HTML, the headers and the attachments of the mail.
    Parsed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KeepSubject {
    /// Nothing.
    None,
    /// A hash, which shows whether two subjects are equal.
    Hash,
    /// The whole subject.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ActionName {
    /// Add the mail to the index.
    Store,
    /// Forward the mail to other addresses.
    Forward,
    /// Unsubscribe the recipient that the signed token in the mail names.
    Unsubscribe,
    /// Reply, once per sender and period.
    AutoReply,
    /// Bounce the mail when its sender is authenticated and it is not automatic mail.
    Bounce,
    /// Send a notification to SNS topics or SQS queues.
    Notify,
    /// Discard the mail.
    Drop,
}

impl Redaction {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Verdicts {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl MailboxAction {
    /// An action without settings.
    pub(super) fn new(action: ActionName) -> Self {
        Self {
            action,
            to: None,
            from: None,
            subject: None,
            text: None,
            every_days: None,
            reason: None,
            status_code: None,
            keep_subject: None,
            days: None,
            when_suppressed: None,
            quarantine_mark: None,
            content: None,
        }
    }
}

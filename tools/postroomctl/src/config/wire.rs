//! `postroom.toml` as it is written. Its comments are what editors show, through the schema.

use schemars::JsonSchema;
use serde::Deserialize;

/// Postroom's configuration: who the parties are, who hears of what, where the watch draws its lines, and what happens
/// to mail that arrives. `postroomctl apply` makes the table agree with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "postroom.toml")]
pub(super) struct File {
    /// The accounts that send, and the identities they send from.
    #[serde(default)]
    pub(super) account: Vec<Account>,
    /// Who hears of what.
    #[serde(default)]
    pub(super) route: Vec<Route>,
    /// Where both parties are warned and where the watch acts.
    #[serde(default)]
    pub(super) thresholds: Thresholds,
    /// What happens to mail that arrives.
    #[serde(default)]
    pub(super) mailbox: Vec<Mailbox>,
}

/// An account that sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Account {
    /// Its 12-digit account id.
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub(super) account: String,
    /// What the rest of this file may call it.
    pub(super) name: Option<String>,
    /// The identities it sends from. Only among these may a notification without sourceArn find its owner.
    #[serde(default)]
    pub(super) identities: Vec<AccountIdentity>,
}

/// An identity an account sends from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AccountIdentity {
    /// A domain or a mail address.
    pub(super) identity: String,
    /// The account that verified it, by id or by the name of a party; the party itself, unless given.
    pub(super) owner: Option<String>,
}

/// Who hears of which notifications. At least one of owner and account is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Route {
    /// Its name in lists, reasons and the log.
    pub(super) name: String,
    /// The identity owner, by account id or by the name of a party.
    pub(super) owner: Option<String>,
    /// The sending account, by id or by the name of a party.
    pub(super) account: Option<String>,
    /// The identity, or the domain of the identities: a domain or a mail address. Needs owner.
    pub(super) identity: Option<String>,
    /// Only what was sent with one of these configuration sets.
    #[serde(default)]
    pub(super) configuration_sets: Vec<String>,
    /// Only what was sent for one of these tenants.
    #[serde(default)]
    pub(super) tenants: Vec<String>,
    /// Only these events: Bounce, Complaint, Delivery, Send, Reject, Open, Click, Rendering Failure, DeliveryDelay,
    /// Subscription; and Alert, which the watch tells of a sender. None given, all of them.
    #[serde(default)]
    pub(super) events: Vec<String>,
    /// The ARN of an SNS topic, SQS queue or EventBridge bus, or a mail address, which gets digests.
    pub(super) target: String,
    /// What the target may see; redacted, unless given.
    #[serde(default)]
    pub(super) redaction: Redaction,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Redaction {
    /// Everything, as SES sent it.
    None,
    /// What happened and to whom: no headers, no other recipients, no tags of the sender, no IP addresses.
    #[default]
    Standard,
}

/// The lines that hold for everyone, and exceptions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Thresholds {
    /// What the watch may do at the act line. Nothing, unless given.
    pub(super) enforcements: Option<Vec<Enforcement>>,
    /// The lines for hard bounces.
    pub(super) bounces: Option<Threshold>,
    /// The lines for complaints.
    pub(super) complaints: Option<Threshold>,
    /// Other lines for single senders. The most specific one holds; what it leaves out is as for everyone.
    #[serde(default)]
    pub(super) r#override: Vec<Override>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Enforcement {
    /// Switch off the sending of the configuration set the trouble comes from, when it is this account's.
    PauseConfigurationSet,
    /// Switch off the sending of the tenant the trouble comes from, when it is this account's.
    DisableTenant,
    /// Take the delegate's statements out of the identity's sending authorization policies, when the identity is this
    /// account's.
    RevokeAuthorization,
}

/// Two lines and the least mail from which they can be judged.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Threshold {
    /// From here on both parties are told: a percentage such as "2.5 %".
    pub(super) warn: Option<String>,
    /// From here on the watch acts: a percentage such as "5 %".
    pub(super) enforce: Option<String>,
    /// Recipients within an hour below which its rate says nothing.
    #[schemars(range(min = 1))]
    pub(super) min_hour_recipients: Option<u64>,
    /// Recipients within 24 hours below which their rate says nothing.
    #[schemars(range(min = 1))]
    pub(super) min_day_recipients: Option<u64>,
    /// Bounces or complaints below which no rate says anything.
    #[schemars(range(min = 1))]
    pub(super) min_events: Option<u64>,
}

/// Lines for the senders that match. At least one of owner, account and identity is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Override {
    /// The identity owner, by account id or by the name of a party.
    pub(super) owner: Option<String>,
    /// The sending account, by id or by the name of a party.
    pub(super) account: Option<String>,
    /// The identity, or the domain of the identities: a domain or a mail address.
    pub(super) identity: Option<String>,
    /// What the watch may do at the act line; `[]` is nothing.
    pub(super) enforcements: Option<Vec<Enforcement>>,
    /// The lines for hard bounces.
    pub(super) bounces: Option<Threshold>,
    /// The lines for complaints.
    pub(super) complaints: Option<Threshold>,
}

/// What happens to mail that arrives for an address, a domain or anyone. The most specific one takes a mail: the address
/// itself, the address without its +tag, the domain, `*`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Mailbox {
    /// A mail address, a domain, or `*` for all others.
    pub(super) address: String,
    /// What is done, in this order.
    pub(super) actions: Vec<MailboxAction>,
    /// What this mailbox does differently with the verdicts of SES.
    #[serde(default)]
    pub(super) verdicts: Verdicts,
}

/// What follows from a verdict. What is left out is as Postroom has it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Verdicts {
    /// A virus was found; stop-rule-set, unless given.
    pub(super) virus_fail: Option<VerdictAction>,
    /// SES takes it for spam; stop-rule-set, unless given.
    pub(super) spam_fail: Option<VerdictAction>,
    /// The sending server is none of the envelope sender's domain; tag, unless given.
    pub(super) spf_fail: Option<VerdictAction>,
    /// No DKIM signature holds; tag, unless given.
    pub(super) dkim_fail: Option<VerdictAction>,
    /// DMARC fails and the domain asks for nothing; tag, unless given.
    pub(super) dmarc_none: Option<VerdictAction>,
    /// DMARC fails and the domain asks to quarantine; tag, unless given.
    pub(super) dmarc_quarantine: Option<VerdictAction>,
    /// DMARC fails and the domain asks to reject; bounce, unless given.
    pub(super) dmarc_reject: Option<VerdictAction>,
    /// SES could not or did not check (GRAY, PROCESSING_FAILED, DISABLED); tag, unless given.
    pub(super) unchecked: Option<VerdictAction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VerdictAction {
    /// As if the verdict were good.
    Continue,
    /// Go on, and say it in what is forwarded, stored and notified.
    Tag,
    /// No action, and none of the later actions of this receipt rule.
    StopRule,
    /// No action, and none of the receipt rules that follow.
    StopRuleSet,
    /// Send it back when that cannot harm anyone else; else as stop-rule-set.
    Bounce,
}

/// One thing that is done with a mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MailboxAction {
    /// What is done.
    pub(super) action: ActionName,
    /// For forward: the mail addresses. For notify: the ARNs of SNS topics or SQS queues.
    pub(super) to: Option<Vec<String>>,
    /// For forward, auto-reply and bounce: the verified address it is sent from.
    pub(super) from: Option<String>,
    /// For auto-reply: the subject; that of the mail with Auto: before it, unless given.
    pub(super) subject: Option<String>,
    /// For auto-reply: what to answer, as plain text.
    pub(super) text: Option<String>,
    /// For auto-reply: a sender gets one answer within so many days; 7, unless given.
    #[schemars(range(min = 1))]
    pub(super) every_days: Option<u32>,
    /// For bounce: what the sender of the mail is told. For drop: why, for the log.
    pub(super) reason: Option<String>,
    /// For bounce: the enhanced status code; 5.1.1 (there is no such mailbox), unless given.
    pub(super) status_code: Option<String>,
    /// For store: what the index keeps of the subject; none, unless given.
    pub(super) keep_subject: Option<KeepSubject>,
    /// For store: for how many days; as long as the function's INDEX_DAYS, unless given.
    #[schemars(range(min = 1))]
    pub(super) days: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KeepSubject {
    /// Nothing.
    None,
    /// A hash: enough to see that two are the same.
    Hash,
    /// All of it.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ActionName {
    /// Keep it in the index.
    Store,
    /// Send it on to other addresses.
    Forward,
    /// Take it as a recipient's wish to be left alone.
    Unsubscribe,
    /// Answer it, once per sender and period.
    AutoReply,
    /// Send it back, when that cannot harm anyone else.
    Bounce,
    /// Tell a topic or a queue.
    Notify,
    /// Do nothing with it.
    Drop,
}

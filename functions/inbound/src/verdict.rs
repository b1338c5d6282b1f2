//! Evaluates SES's verdicts. It needs only the receipt, so its result is known even if everything else fails.

use std::fmt;

use notification_model::{DmarcPolicy, Receipt, Verdict, VerdictStatus};
use serde::{Serialize, Serializer};
use store::{VerdictAction, VerdictRules};

/// What SES does next with a mail, from mild to severe. It affects later actions and rules of SES, not this function.
/// See [Lambda action](https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// SES continues with the next action of the rule.
    Continue,
    /// SES continues with the next rule.
    StopRule,
    /// SES stops.
    StopRuleSet,
}

impl Disposition {
    /// The value that SES expects. SES treats any other value as `CONTINUE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::StopRule => "STOP_RULE",
            Self::StopRuleSet => "STOP_RULE_SET",
        }
    }

    /// The disposition for a verdict action.
    #[must_use]
    pub fn of(action: VerdictAction) -> Self {
        match action {
            VerdictAction::Continue | VerdictAction::Tag => Self::Continue,
            VerdictAction::StopRule => Self::StopRule,
            VerdictAction::StopRuleSet | VerdictAction::Bounce => Self::StopRuleSet,
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Disposition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The verdicts of a mail, evaluated by the rules of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictEvaluation {
    /// The severest action of all verdicts.
    pub action: VerdictAction,
    /// Whether a virus stops the mail. Such a mail is not read.
    pub virus: bool,
    /// The verdicts that are not PASS, such as `spf FAIL`.
    pub tags: Vec<String>,
    /// The action of each verdict that is not PASS.
    pub reasons: Vec<String>,
}

impl VerdictEvaluation {
    /// Whether the mailbox takes none of its actions, except `store` and `unsubscribe`.
    #[must_use]
    pub fn stops(&self) -> bool {
        !matches!(self.action, VerdictAction::Continue | VerdictAction::Tag)
    }
}

/// Evaluates the verdicts of a receipt by the rules of a mailbox, and by the default for each rule that it lacks.
#[must_use]
pub fn evaluate_verdicts(receipt: &Receipt, rules: &VerdictRules) -> VerdictEvaluation {
    let mut evaluation = VerdictEvaluation {
        action: VerdictAction::Continue,
        virus: false,
        tags: Vec::new(),
        reasons: Vec::new(),
    };
    let checks = [
        (
            "virus",
            &receipt.virus_verdict,
            rules.virus_fail,
            VerdictAction::StopRuleSet,
        ),
        (
            "spam",
            &receipt.spam_verdict,
            rules.spam_fail,
            VerdictAction::StopRuleSet,
        ),
        ("spf", &receipt.spf_verdict, rules.spf_fail, VerdictAction::Tag),
        ("dkim", &receipt.dkim_verdict, rules.dkim_fail, VerdictAction::Tag),
    ];
    for (name, verdict, rule, default) in checks {
        if failed(verdict) {
            let action = evaluation.add(format!("{name} FAIL"), rule, default);
            evaluation.virus |= name == "virus" && !matches!(action, VerdictAction::Continue | VerdictAction::Tag);
        } else {
            evaluation.add_unless_passed(name, verdict, rules);
        }
    }
    if failed(&receipt.dmarc_verdict) {
        evaluation.add_dmarc_failure(receipt.dmarc_policy.as_ref(), rules);
    } else {
        evaluation.add_unless_passed("dmarc", &receipt.dmarc_verdict, rules);
    }
    evaluation
}

/// The disposition by the default rules: the response while the mailboxes are not known.
#[must_use]
pub fn default_disposition(receipt: &Receipt) -> Disposition {
    Disposition::of(evaluate_verdicts(receipt, &VerdictRules::default()).action)
}

impl VerdictEvaluation {
    fn add_unless_passed(&mut self, name: &str, verdict: &Option<Verdict>, rules: &VerdictRules) {
        let status = match status(verdict) {
            Some(VerdictStatus::Pass) => return,
            Some(VerdictStatus::Other(_)) => "UNKNOWN",
            Some(status) => status.as_str(),
            None => "MISSING",
        };
        self.add(format!("{name} {status}"), rules.unchecked, VerdictAction::Tag);
    }

    fn add_dmarc_failure(&mut self, policy: Option<&DmarcPolicy>, rules: &VerdictRules) {
        let (policy, rule, default) = match policy {
            Some(DmarcPolicy::Reject) => ("reject", rules.dmarc_reject, VerdictAction::Bounce),
            Some(DmarcPolicy::Quarantine) => ("quarantine", rules.dmarc_quarantine, VerdictAction::Tag),
            Some(DmarcPolicy::None) | None => ("none", rules.dmarc_none, VerdictAction::Tag),
            Some(DmarcPolicy::Other(_)) => ("unknown", rules.unchecked, VerdictAction::Tag),
        };
        self.add(format!("dmarc FAIL, policy {policy}"), rule, default);
    }

    fn add(&mut self, tag: String, rule: Option<VerdictAction>, default: VerdictAction) -> VerdictAction {
        let action = rule.unwrap_or(default);
        let origin = if rule.is_some() { "mailbox rule" } else { "default" };
        self.reasons.push(format!("{tag}: {} ({origin})", action.as_str()));
        if action != VerdictAction::Continue {
            self.tags.push(tag);
        }
        if severity(action) > severity(self.action) {
            self.action = action;
        }
        action
    }
}

/// Whether a verdict is PASS.
pub(crate) fn passed(verdict: &Option<Verdict>) -> bool {
    status(verdict) == Some(&VerdictStatus::Pass)
}

/// Whether a verdict is FAIL.
pub(crate) fn failed(verdict: &Option<Verdict>) -> bool {
    status(verdict) == Some(&VerdictStatus::Fail)
}

fn status(verdict: &Option<Verdict>) -> Option<&VerdictStatus> {
    verdict.as_ref().map(|verdict| &verdict.status)
}

/// The order of the actions. `stop-rule-set` outranks `bounce`, because spam is not bounced.
fn severity(action: VerdictAction) -> u8 {
    match action {
        VerdictAction::Continue => 0,
        VerdictAction::Tag => 1,
        VerdictAction::StopRule => 2,
        VerdictAction::Bounce => 3,
        VerdictAction::StopRuleSet => 4,
    }
}

//! What SES's verdicts mean for a mail. Needs the receipt and nothing else, so it holds whatever else fails.

use std::fmt;

use notification_model::{DmarcPolicy, Receipt, Verdict, VerdictStatus};
use serde::{Serialize, Serializer};
use store::{VerdictAction, VerdictRules};

/// What SES does next with a mail, from mild to severe. It concerns later actions and rules only: never what this
/// function does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// The next action of the rule.
    Continue,
    /// The next rule.
    StopRule,
    /// Nothing.
    StopRuleSet,
}

impl Disposition {
    /// As SES wants to hear it. Anything else SES takes for `CONTINUE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::StopRule => "STOP_RULE",
            Self::StopRuleSet => "STOP_RULE_SET",
        }
    }

    /// What a treatment means for the rest of the receipt rules.
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

/// What a mailbox makes of the verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictEvaluation {
    /// What follows.
    pub action: VerdictAction,
    /// Whether the mail is to be left alone because of a virus: then it is not even read.
    pub virus: bool,
    /// What is not as it should be, for what is stored, forwarded and notified: `spf FAIL`.
    pub tags: Vec<String>,
    /// Why, verdict by verdict.
    pub reasons: Vec<String>,
}

impl VerdictEvaluation {
    /// Whether the mailbox's actions are not taken.
    #[must_use]
    pub fn stops(&self) -> bool {
        !matches!(self.action, VerdictAction::Continue | VerdictAction::Tag)
    }
}

/// Judges a receipt by a mailbox's rules, and by the defaults where it has none. The severest verdict decides.
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
        if status(verdict) == Some(&VerdictStatus::Fail) {
            let action = evaluation.add(format!("{name} FAIL"), rule, default);
            evaluation.virus |= name == "virus" && !matches!(action, VerdictAction::Continue | VerdictAction::Tag);
        } else {
            evaluation.add_unless_passed(name, verdict, rules);
        }
    }
    if status(&receipt.dmarc_verdict) == Some(&VerdictStatus::Fail) {
        evaluation.add_dmarc_failure(receipt.dmarc_policy.as_ref(), rules);
    } else {
        evaluation.add_unless_passed("dmarc", &receipt.dmarc_verdict, rules);
    }
    evaluation
}

/// The disposition that follows from the receipt alone, by the defaults: the answer when nothing else is known.
#[must_use]
pub fn default_disposition(receipt: &Receipt) -> Disposition {
    Disposition::of(evaluate_verdicts(receipt, &VerdictRules::default()).action)
}

impl VerdictEvaluation {
    fn add_unless_passed(&mut self, name: &str, verdict: &Option<Verdict>, rules: &VerdictRules) {
        let word = match status(verdict) {
            Some(VerdictStatus::Pass) => return,
            Some(VerdictStatus::Other(_)) => "UNKNOWN",
            Some(status) => status.as_str(),
            None => "MISSING",
        };
        self.add(format!("{name} {word}"), rules.unchecked, VerdictAction::Tag);
    }

    fn add_dmarc_failure(&mut self, policy: Option<&DmarcPolicy>, rules: &VerdictRules) {
        let (word, rule, default) = match policy {
            Some(DmarcPolicy::Reject) => ("reject", rules.dmarc_reject, VerdictAction::Bounce),
            Some(DmarcPolicy::Quarantine) => ("quarantine", rules.dmarc_quarantine, VerdictAction::Tag),
            Some(DmarcPolicy::None) | None => ("none", rules.dmarc_none, VerdictAction::Tag),
            Some(DmarcPolicy::Other(_)) => ("unknown", rules.unchecked, VerdictAction::Tag),
        };
        self.add(format!("dmarc FAIL, policy {word}"), rule, default);
    }

    fn add(&mut self, tag: String, rule: Option<VerdictAction>, default: VerdictAction) -> VerdictAction {
        let action = rule.unwrap_or(default);
        let whose = if rule.is_some() {
            "the mailbox's rule"
        } else {
            "the default"
        };
        self.reasons.push(format!("{tag}: {}, {whose}", action.as_str()));
        if action != VerdictAction::Continue {
            self.tags.push(tag);
        }
        if severity(action) > severity(self.action) {
            self.action = action;
        }
        action
    }
}

fn status(verdict: &Option<Verdict>) -> Option<&VerdictStatus> {
    verdict.as_ref().map(|verdict| &verdict.status)
}

/// A mail that is to be stopped for another reason is not bounced as well: nobody answers spam.
fn severity(action: VerdictAction) -> u8 {
    match action {
        VerdictAction::Continue => 0,
        VerdictAction::Tag => 1,
        VerdictAction::StopRule => 2,
        VerdictAction::Bounce => 3,
        VerdictAction::StopRuleSet => 4,
    }
}

//! What SES's verdicts mean for a mail. Needs the receipt and nothing else, so it holds whatever else fails.

use std::fmt;

use ledger::{Treatment, VerdictRules};
use notification_model::{DmarcPolicy, Receipt, Verdict, VerdictStatus};
use serde::{Serialize, Serializer};

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
    pub fn of(treatment: Treatment) -> Self {
        match treatment {
            Treatment::Continue | Treatment::Tag => Self::Continue,
            Treatment::StopRule => Self::StopRule,
            Treatment::StopRuleSet | Treatment::Bounce => Self::StopRuleSet,
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
pub struct Judgement {
    /// What follows.
    pub treatment: Treatment,
    /// Whether the mail is to be left alone because of a virus: then it is not even read.
    pub virus: bool,
    /// What is not as it should be, for what is stored, forwarded and notified: `spf FAIL`.
    pub tags: Vec<String>,
    /// Why, verdict by verdict.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Whether the mailbox's actions are not taken.
    #[must_use]
    pub fn stops(&self) -> bool {
        !matches!(self.treatment, Treatment::Continue | Treatment::Tag)
    }
}

/// Judges a receipt by a mailbox's rules, and by the defaults where it has none. The severest verdict decides.
#[must_use]
pub fn judge(receipt: &Receipt, rules: &VerdictRules) -> Judgement {
    let mut judgement = Judgement {
        treatment: Treatment::Continue,
        virus: false,
        tags: Vec::new(),
        reasons: Vec::new(),
    };
    let checks = [
        (
            "virus",
            &receipt.virus_verdict,
            rules.virus_fail,
            Treatment::StopRuleSet,
        ),
        ("spam", &receipt.spam_verdict, rules.spam_fail, Treatment::StopRuleSet),
        ("spf", &receipt.spf_verdict, rules.spf_fail, Treatment::Tag),
        ("dkim", &receipt.dkim_verdict, rules.dkim_fail, Treatment::Tag),
    ];
    for (name, verdict, rule, default) in checks {
        if status(verdict) == Some(&VerdictStatus::Fail) {
            let treatment = judgement.add(format!("{name} FAIL"), rule, default);
            judgement.virus |= name == "virus" && !matches!(treatment, Treatment::Continue | Treatment::Tag);
        } else {
            judgement.add_unless_passed(name, verdict, rules);
        }
    }
    if status(&receipt.dmarc_verdict) == Some(&VerdictStatus::Fail) {
        judgement.add_dmarc_failure(receipt.dmarc_policy.as_ref(), rules);
    } else {
        judgement.add_unless_passed("dmarc", &receipt.dmarc_verdict, rules);
    }
    judgement
}

/// The disposition that follows from the receipt alone, by the defaults: the answer when nothing else is known.
#[must_use]
pub fn floor(receipt: &Receipt) -> Disposition {
    Disposition::of(judge(receipt, &VerdictRules::default()).treatment)
}

impl Judgement {
    fn add_unless_passed(&mut self, name: &str, verdict: &Option<Verdict>, rules: &VerdictRules) {
        let word = match status(verdict) {
            Some(VerdictStatus::Pass) => return,
            Some(VerdictStatus::Other(_)) => "UNKNOWN",
            Some(status) => status.as_str(),
            None => "MISSING",
        };
        self.add(format!("{name} {word}"), rules.unchecked, Treatment::Tag);
    }

    fn add_dmarc_failure(&mut self, policy: Option<&DmarcPolicy>, rules: &VerdictRules) {
        let (word, rule, default) = match policy {
            Some(DmarcPolicy::Reject) => ("reject", rules.dmarc_reject, Treatment::Bounce),
            Some(DmarcPolicy::Quarantine) => ("quarantine", rules.dmarc_quarantine, Treatment::Tag),
            Some(DmarcPolicy::None) | None => ("none", rules.dmarc_none, Treatment::Tag),
            Some(DmarcPolicy::Other(_)) => ("unknown", rules.unchecked, Treatment::Tag),
        };
        self.add(format!("dmarc FAIL, policy {word}"), rule, default);
    }

    fn add(&mut self, tag: String, rule: Option<Treatment>, default: Treatment) -> Treatment {
        let treatment = rule.unwrap_or(default);
        let whose = if rule.is_some() {
            "the mailbox's rule"
        } else {
            "the default"
        };
        self.reasons.push(format!("{tag}: {}, {whose}", treatment.as_str()));
        if treatment != Treatment::Continue {
            self.tags.push(tag);
        }
        if severity(treatment) > severity(self.treatment) {
            self.treatment = treatment;
        }
        treatment
    }
}

fn status(verdict: &Option<Verdict>) -> Option<&VerdictStatus> {
    verdict.as_ref().map(|verdict| &verdict.status)
}

/// A mail that is to be stopped for another reason is not bounced as well: nobody answers spam.
fn severity(treatment: Treatment) -> u8 {
    match treatment {
        Treatment::Continue => 0,
        Treatment::Tag => 1,
        Treatment::StopRule => 2,
        Treatment::Bounce => 3,
        Treatment::StopRuleSet => 4,
    }
}

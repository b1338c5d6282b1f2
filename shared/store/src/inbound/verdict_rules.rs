//! The rules of a mailbox for SES's verdicts.

/// The actions of a mailbox for SES's verdicts. `None` is the default of Postroom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct VerdictRules {
    /// SES found a virus.
    pub virus_fail: Option<VerdictAction>,
    /// SES classified the mail as spam.
    pub spam_fail: Option<VerdictAction>,
    /// SPF: the domain of the envelope sender does not authorise the sending server.
    pub spf_fail: Option<VerdictAction>,
    /// DKIM: the mail has no valid signature.
    pub dkim_fail: Option<VerdictAction>,
    /// DMARC fails, and the policy of the domain in `From` is `none`.
    pub dmarc_none: Option<VerdictAction>,
    /// DMARC fails, and the policy is `quarantine`.
    pub dmarc_quarantine: Option<VerdictAction>,
    /// DMARC fails, and the policy is `reject`.
    pub dmarc_reject: Option<VerdictAction>,
    /// The verdict is neither PASS nor FAIL: GRAY, PROCESSING_FAILED, DISABLED, missing, or unknown to this version.
    pub unchecked: Option<VerdictAction>,
}

/// The action for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VerdictAction {
    /// Process the mail as if the verdict were PASS.
    Continue,
    /// Process the mail, and add the verdict to forwards, the index and notifications.
    Tag,
    /// Take no action, and stop this receipt rule.
    StopRule,
    /// Take no action, and stop the receipt rule set.
    StopRuleSet,
    /// Bounce the mail if the return path is proven, and stop the receipt rule set.
    Bounce,
}

impl VerdictRules {
    /// Every rule by its name in the row. Reading and writing use the same list.
    pub(super) fn named(&mut self) -> [(&'static str, &mut Option<VerdictAction>); 8] {
        [
            ("virusFail", &mut self.virus_fail),
            ("spamFail", &mut self.spam_fail),
            ("spfFail", &mut self.spf_fail),
            ("dkimFail", &mut self.dkim_fail),
            ("dmarcNone", &mut self.dmarc_none),
            ("dmarcQuarantine", &mut self.dmarc_quarantine),
            ("dmarcReject", &mut self.dmarc_reject),
            ("unchecked", &mut self.unchecked),
        ]
    }
}

impl VerdictAction {
    /// The name in `postroom.toml` and in the row, such as `stop-rule-set`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Tag => "tag",
            Self::StopRule => "stop-rule",
            Self::StopRuleSet => "stop-rule-set",
            Self::Bounce => "bounce",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        [
            Self::Continue,
            Self::Tag,
            Self::StopRule,
            Self::StopRuleSet,
            Self::Bounce,
        ]
        .into_iter()
        .find(|action| action.as_str() == text)
    }
}

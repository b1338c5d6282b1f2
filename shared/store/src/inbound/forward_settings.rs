//! Settings of the actions `forward` and `notify`.

/// The settings of a `forward` action, beside its addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ForwardSettings {
    /// What happens to mail for a target that complained, or whose mail bounces repeatedly or is not sent by SES.
    pub when_suppressed: WhenSuppressed,
    /// Where a forward shows that DMARC fails.
    pub quarantine_mark: QuarantineMark,
}

/// What happens to mail for a forward target with a suppression in the scope `forward:MAILBOX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhenSuppressed {
    /// The mail is forwarded.
    #[default]
    Continue,
    /// The mail stays in the index and in the bucket.
    Stop,
}

/// Where a forward shows that DMARC fails with the policy quarantine or reject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuarantineMark {
    /// In the display name of `From`.
    #[default]
    Name,
    /// At the beginning of the subject.
    Subject,
    /// Nowhere, except in `X-Postroom-Verdicts`.
    None,
}

/// What a `notify` action sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotifyContent {
    /// The summary.
    #[default]
    Summary,
    /// The summary and the parsed mail.
    Parsed,
}

macro_rules! named {
    ($kind:ident, $($variant:ident = $name:literal),+) => {
        impl $kind {
            /// The name in `postroom.toml` and in the row.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            pub(super) fn read(text: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|value| value.as_str() == text)
            }
        }
    };
}

named!(WhenSuppressed, Continue = "continue", Stop = "stop");
named!(QuarantineMark, Name = "name", Subject = "subject", None = "none");
named!(NotifyContent, Summary = "summary", Parsed = "parsed");

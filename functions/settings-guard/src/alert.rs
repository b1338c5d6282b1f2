//! What people receive about settings that differ. Pure.

use jiff::Timestamp;
use ses_settings::{Context, Object};

use crate::differences::Differences;

/// Why an alert is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertKind {
    /// Settings differ, and a person or a program changed them.
    Drift,
    /// SES removed the topics of an identity, because it could not publish to one of them.
    RemovedBySes,
    /// What SES removed was set again.
    Repaired,
    /// The settings are as applied again.
    AllClear,
}

impl AlertKind {
    /// The name in metrics and message attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::RemovedBySes => "removed-by-ses",
            Self::Repaired => "repaired",
            Self::AllClear => "all-clear",
        }
    }
}

/// A message to the alarm topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The same when the alert is sent again.
    pub id: String,
    /// Why it is sent.
    pub kind: AlertKind,
    /// The subject of an e-mail.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl Alert {
    /// The alert about an object. `since` is when the differences were found; `note` says what came of a repair.
    #[must_use]
    pub fn new(
        kind: AlertKind,
        object: &Object,
        context: &Context,
        since: Timestamp,
        differences: &Differences,
        note: Option<&str>,
    ) -> Self {
        let subject = match kind {
            AlertKind::Drift => format!("SES settings differ: {object}"),
            AlertKind::RemovedBySes => format!("SES removed the topics of {object}"),
            AlertKind::Repaired => format!("Repaired: {object}"),
            AlertKind::AllClear => format!("All clear: {object}"),
        };
        let place = format!("account {}, {}", context.account, context.region);
        let mut lines = vec![match kind {
            AlertKind::Drift => format!("The settings of {object} ({place}) differ from the applied ones:"),
            AlertKind::RemovedBySes => format!(
                "SES removed the topics for bounces and complaints of {object} ({place}), because it could not publish to one \
                 of them. It sends bounces and complaints by e-mail now. SES also sent the account an e-mail about it."
            ),
            AlertKind::Repaired => {
                format!(
                    "SES had removed the topics of {object} ({place}). They are set again, and SES published to them."
                )
            }
            AlertKind::AllClear => format!("The settings of {object} ({place}) are as applied again."),
        }];
        lines.extend(differences.iter().map(|(field, difference)| {
            let (found, applied) = (&difference.found, &difference.applied);
            format!("  {field}: {found} instead of {applied}")
        }));
        lines.extend(note.map(str::to_owned));
        if matches!(kind, AlertKind::Drift | AlertKind::RemovedBySes) {
            lines.push(
                "To see the difference, run postroomctl plan postroom.toml. To set it again, run postroomctl apply \
                 postroom.toml. To keep it, change the file and apply it."
                    .to_owned(),
            );
        }
        Self {
            id: format!("{}/{object}/{since}", kind.as_str()),
            kind,
            subject,
            text: lines.join("\n"),
        }
    }
}

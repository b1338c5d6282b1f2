//! Alerts: what the accounts concerned receive about a crossing, for machines and for people.

use notification_model::AccountId;
use serde_json::{Map, Value, json};
use store::{Figures, Level, Measure, Rate, ReputationState, Sender, Thresholds, Window, stamp};

use crate::levels::threshold;

/// Maximum number of enforcements in the text and in the JSON of an alert, so that it fits into a message of SNS or SQS.
const MAX_ENFORCEMENTS: usize = 100;

/// The crossing of a threshold, or the all-clear after one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Identifies the crossing. Every message about the same crossing has the same id, so it is the idempotency key.
    pub id: String,
    /// The sender that crossed the threshold.
    pub sender: Sender,
    /// The accounts concerned: the identity owner and the sending account, as far as SES reported them. The alert must not
    /// reach a target of any other account.
    pub accounts: Vec<AccountId>,
    /// The threshold that was crossed. For an all-clear the warning threshold.
    pub threshold: Rate,
    /// The enforcements of the crossing, and the configured ones that were not applied.
    pub enforcements: Vec<EnforcementReport>,
    /// The state, as it is in the table.
    pub state: ReputationState,
}

/// The result of one configured enforcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnforcementReport {
    /// The id for undoing it. `None` when nothing was applied.
    pub id: Option<String>,
    /// What was applied, or why nothing was.
    pub description: String,
}

impl Alert {
    pub(crate) fn new(
        sender: &Sender,
        state: ReputationState,
        thresholds: &Thresholds,
        enforcements: Vec<EnforcementReport>,
    ) -> Self {
        let threshold = threshold(thresholds, state.measure);
        let mut accounts: Vec<AccountId> = [&sender.owner, &sender.account]
            .into_iter()
            .filter_map(|account| account.parse().ok())
            .collect();
        accounts.dedup();
        Self {
            id: format!(
                "{}/{}/{}/{}/{}",
                sender,
                state.window.as_str(),
                state.measure.as_str(),
                state.level.as_str(),
                stamp(state.since)
            ),
            sender: sender.clone(),
            accounts,
            threshold: if state.level == Level::Enforce {
                threshold.enforce
            } else {
                threshold.warn
            },
            enforcements,
            state,
        }
    }

    /// The kind: `Warning`, `Enforcement` or `AllClear`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.state.level {
            Level::Normal => "AllClear",
            Level::Warn => "Warning",
            Level::Enforce => "Enforcement",
        }
    }

    /// The subject of a mail or an SNS message.
    #[must_use]
    pub fn subject(&self) -> String {
        let measure = measure_text(self.state.measure);
        let Sender { account, identity, .. } = &self.sender;
        let subject = format!("{measure} of {identity}, sent by {account}");
        match self.state.level {
            Level::Normal => format!("All clear: {subject}"),
            Level::Warn => format!("Warning: {subject}, at {}", self.percent()),
            Level::Enforce => format!("Enforcement: {subject}, at {}", self.percent()),
        }
    }

    /// The text for people: the figures, what to do, the enforcements and how to undo them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.figures_text();
        for enforcement in self.listed_enforcements() {
            text.push_str(&format!("- {}\n", enforcement.description));
            if let Some(id) = &enforcement.id {
                text.push_str(&format!("  to undo it: postroomctl reputation undo {id}\n"));
            }
        }
        let more = self.enforcements.len().saturating_sub(MAX_ENFORCEMENTS);
        if more > 0 {
            text.push_str(&format!("- and {more} more: postroomctl reputation enforcements\n"));
        }
        text
    }

    /// The alert in JSON. The only address it can contain is that of the identity.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let enforcements: Vec<Value> = self
            .listed_enforcements()
            .map(|enforcement| json!({"id": enforcement.id, "description": enforcement.description}))
            .collect();
        json!({
            "alertType": self.kind(),
            "alertId": self.id,
            "timestamp": stamp(self.state.since),
            "owner": self.sender.owner,
            "account": self.sender.account,
            "identity": self.sender.identity,
            "accounts": self.accounts,
            "window": self.state.window.as_str(),
            "measure": self.state.measure.as_str(),
            "count": self.state.figures.count,
            "recipients": self.state.figures.volume,
            "threshold": self.threshold.to_string(),
            "enforcements": enforcements,
            "subject": self.subject(),
            "text": self.text(),
        })
    }

    /// The message for the router's delivery queue: [`to_json`](Self::to_json) with `"postroom": "alert"` as first field.
    #[must_use]
    pub fn to_message(&self) -> String {
        let mut message = Map::from_iter([("postroom".to_owned(), json!("alert"))]);
        if let Value::Object(alert) = self.to_json() {
            message.extend(alert);
        }
        Value::Object(message).to_string()
    }

    fn figures_text(&self) -> String {
        let Sender {
            owner,
            account,
            identity,
        } = &self.sender;
        let Figures { count, volume } = self.state.figures;
        let (measure, window) = (measure_text(self.state.measure), window_text(self.state.window));
        let sender = if owner == account || owner == "-" {
            format!("{identity}, sent by {account}")
        } else {
            format!("{identity} of {owner}, sent by delegate {account}")
        };
        let threshold = self.threshold;
        match self.state.level {
            Level::Normal => format!(
                "{sender}: {measure} have stayed below {threshold} for {window}; now {count} of {volume} recipients.\n\
                 Enforcements stay in force until an operator undoes them.\n",
            ),
            Level::Warn | Level::Enforce => format!(
                "{sender}: {count} {measure} among {volume} recipients within {window}, {}. The threshold is {threshold}.\n\
                 {}\n",
                self.percent(),
                advice(self.state.measure)
            ),
        }
    }

    fn listed_enforcements(&self) -> impl Iterator<Item = &EnforcementReport> {
        self.enforcements.iter().take(MAX_ENFORCEMENTS)
    }

    fn percent(&self) -> String {
        let Figures { count, volume } = self.state.figures;
        format!("{:.2} %", 100.0 * count as f64 / volume.max(1) as f64)
    }
}

fn measure_text(measure: Measure) -> &'static str {
    match measure {
        Measure::Bounces => "hard bounces",
        Measure::Complaints => "complaints",
    }
}

fn window_text(window: Window) -> &'static str {
    match window {
        Window::Hour => "1 hour",
        Window::Day => "24 hours",
    }
}

fn advice(measure: Measure) -> &'static str {
    match measure {
        Measure::Bounces => {
            "Stop the campaign and remove addresses that were never confirmed. AWS reviews an account at 5 % and can pause \
             it at 10 %. Bounces count against the sending account."
        }
        Measure::Complaints => {
            "Stop the campaign: its recipients did not ask for it or cannot unsubscribe. AWS reviews an account at 0.1 % and \
             can pause it at 0.5 %. Complaints count against the sending account."
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use store::{Level, Measure, ReputationState, Sender, Thresholds, Window};

    use super::{Alert, EnforcementReport};

    fn alert(enforcements: usize) -> Alert {
        let sender: Sender = "111122223333/222233334444/shop.example".parse().unwrap();
        let state = ReputationState {
            level: Level::Enforce,
            ..ReputationState::unknown(Window::Hour, Measure::Bounces)
        };
        let report = |number| EnforcementReport {
            id: Some(format!("id-{number}")),
            description: "pause configuration set x".to_owned(),
        };
        Alert::new(
            &sender,
            state,
            &Thresholds::default(),
            (0..enforcements).map(report).collect(),
        )
    }

    #[test]
    fn the_message_is_the_json_with_its_format_name_first() {
        let alert = alert(1);
        let message = alert.to_message();
        assert!(
            message.starts_with(r#"{"postroom":"alert","alertType":"Enforcement","#),
            "{message}"
        );
        let mut fields: Value = serde_json::from_str(&message).unwrap();
        fields.as_object_mut().unwrap().remove("postroom");
        assert_eq!(fields, alert.to_json());
    }

    #[test]
    fn the_number_of_enforcements_in_an_alert_is_limited() {
        let alert = alert(5000);
        assert!(
            alert
                .text()
                .ends_with("- and 4900 more: postroomctl reputation enforcements\n")
        );
        assert_eq!(alert.to_json()["enforcements"].as_array().unwrap().len(), 100);
        assert!(alert.to_message().len() < 100_000);
    }
}

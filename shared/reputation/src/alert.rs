//! What the parties are told: one value, for machines and for people.

use notification_model::AccountId;
use serde_json::{Map, Value, json};
use store::{Figures, Level, Measure, Rate, ReputationState, Sender, Thresholds, Window, stamp};

use crate::decide::threshold;

/// A crossing, or the all-clear after one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The same for every telling of the same crossing: the idempotency key.
    pub id: String,
    /// Who crossed.
    pub sender: Sender,
    /// Who hears of it: the identity owner and the sending account, as far as SES told. No target of anyone else may.
    pub accounts: Vec<AccountId>,
    /// The line that was crossed; the warn line for an all-clear.
    pub line: Rate,
    /// What was done, and what was not although it was asked for.
    pub enforcements: Vec<EnforcementReport>,
    /// The state, as it is in the table.
    pub state: ReputationState,
}

/// What became of one act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnforcementReport {
    /// The act's id, for undoing it; `None` when nothing was done.
    pub enforcement: Option<String>,
    /// What was done, or why not.
    pub says: String,
}

impl Alert {
    pub(crate) fn new(
        sender: &Sender,
        state: ReputationState,
        lines: &Thresholds,
        enforcements: Vec<EnforcementReport>,
    ) -> Self {
        let threshold = threshold(lines, state.measure);
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
            line: if state.level == Level::Enforce {
                threshold.enforce
            } else {
                threshold.warn
            },
            enforcements,
            state,
        }
    }

    /// One word: `Warning`, `Enforcement` or `AllClear`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.state.level {
            Level::Normal => "AllClear",
            Level::Warn => "Warning",
            Level::Enforce => "Enforcement",
        }
    }

    /// One line for a subject.
    #[must_use]
    pub fn subject(&self) -> String {
        let what = measure_words(self.state.measure);
        let Sender { account, identity, .. } = &self.sender;
        match self.state.level {
            Level::Normal => format!("All clear: {what} of {identity}, sent by {account}"),
            Level::Warn => format!(
                "Warning: {what} of {identity}, sent by {account}, at {}",
                self.percent()
            ),
            Level::Enforce => format!(
                "Enforcement now: {what} of {identity}, sent by {account}, at {}",
                self.percent()
            ),
        }
    }

    /// The whole of it for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let Sender {
            owner,
            account,
            identity,
        } = &self.sender;
        let Figures { count, volume } = self.state.figures;
        let (what, span) = (measure_words(self.state.measure), span_words(self.state.window));
        let who = if owner == account || owner == "-" {
            format!("{identity}, sent by {account}")
        } else {
            format!("{identity} of {owner}, sent by delegate {account}")
        };
        let mut text = match self.state.level {
            Level::Normal => format!(
                "{who}: {what} have stayed under {} for {span}; now {count} of {volume} recipients.\n\
                 What was switched off stays off until a person undoes it.\n",
                self.line
            ),
            Level::Warn | Level::Enforce => format!(
                "{who}: {count} {what} among {volume} recipients within {span}, {}. The line is {}.\n{}\n",
                self.percent(),
                self.line,
                advice(self.state.measure)
            ),
        };
        for enforcement in &self.enforcements {
            text.push_str(&format!("- {}\n", enforcement.says));
            if let Some(id) = &enforcement.enforcement {
                text.push_str(&format!("  to undo it: postroomctl watch undo {id}\n"));
            }
        }
        text
    }

    /// The whole of it for a machine. Holds no address but an identity's.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let enforcements: Vec<Value> = self
            .enforcements
            .iter()
            .map(|enforcement| json!({"enforcement": enforcement.enforcement, "says": enforcement.says}))
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
            "line": self.line.to_string(),
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

    fn percent(&self) -> String {
        let Figures { count, volume } = self.state.figures;
        format!("{:.2} %", 100.0 * count as f64 / volume.max(1) as f64)
    }
}

fn measure_words(measure: Measure) -> &'static str {
    match measure {
        Measure::Bounces => "hard bounces",
        Measure::Complaints => "complaints",
    }
}

fn span_words(window: Window) -> &'static str {
    match window {
        Window::Hour => "1 hour",
        Window::Day => "24 hours",
    }
}

fn advice(measure: Measure) -> &'static str {
    match measure {
        Measure::Bounces => {
            "Stop the mailing, and take out the addresses that were never confirmed. AWS reviews an account at 5 % and \
             pauses it at 10 %; bounces count against the sending account."
        }
        Measure::Complaints => {
            "Stop the mailing: its recipients did not ask for it, or cannot leave it. AWS reviews an account at 0.1 % and \
             pauses it at 0.5 %; complaints count against the sending account."
        }
    }
}

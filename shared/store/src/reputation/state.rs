//! The reputation state of each sender: its level per window and measure.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text, time};
use crate::statistics::Sender;

/// The number of events and the number of recipients they are compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    /// Hard bounces or complaints.
    pub count: u64,
    /// Recipients mailed.
    pub volume: u64,
}

named_enum! {
    /// The period over which a rate is computed.
    pub enum Window {
        /// One hour.
        Hour = "hour",
        /// 24 hours.
        Day = "day",
    }
}

named_enum! {
    /// The events that a rate counts.
    pub enum Measure {
        /// Hard bounces, without the mail that SES did not send because of a suppression list.
        Bounces = "bounces",
        /// Complaints.
        Complaints = "complaints",
    }
}

named_enum! {
    /// The level of a sender in one window and measure.
    pub enum Level {
        /// Below the warning threshold.
        Normal = "normal",
        /// The warning threshold was reached. Lasts until the all-clear.
        Warn = "warn",
        /// The enforcement threshold was reached. Lasts until the all-clear.
        Enforce = "enforce",
    }
}

/// The reputation state of a sender in one window and measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReputationState {
    /// The period of the rate.
    pub window: Window,
    /// The events that the rate counts.
    pub measure: Measure,
    /// The current level.
    pub level: Level,
    /// When the level was reached. With window and measure it identifies the crossing.
    pub since: Timestamp,
    /// The figures at that time.
    pub figures: Figures,
    /// Since when the rate has been below the warning threshold. `None` while it is above it or the level is normal.
    pub below_since: Option<Timestamp>,
    /// When an invocation claimed the alert about this level. `None` after the alert was sent.
    pub claimed_at: Option<Timestamp>,
    /// When the enforcement of this crossing was last attempted. `None` when none is configured or it is complete.
    pub enforcement_attempted_at: Option<Timestamp>,
    /// Incremented by each write. Of two invocations that read the same version only one can write.
    pub version: u64,
}

impl ReputationState {
    /// The state of a sender without a row.
    #[must_use]
    pub fn unknown(window: Window, measure: Measure) -> Self {
        Self {
            window,
            measure,
            level: Level::Normal,
            since: Timestamp::UNIX_EPOCH,
            figures: Figures::default(),
            below_since: None,
            claimed_at: None,
            enforcement_attempted_at: None,
            version: 0,
        }
    }

    fn sk(&self) -> String {
        format!("STATE#{}#{}", self.window.as_str(), self.measure.as_str())
    }

    fn read(item: &Item) -> Option<Self> {
        let (window, measure) = text(item, "sk")?.strip_prefix("STATE#")?.split_once('#')?;
        Some(Self {
            window: Window::parse(window)?,
            measure: Measure::parse(measure)?,
            level: Level::parse(text(item, "level")?)?,
            since: time(item, "since")?,
            figures: figures(item),
            below_since: time(item, "belowSince"),
            claimed_at: time(item, "claimedAt"),
            enforcement_attempted_at: time(item, "enforcementAttemptedAt"),
            version: number(item, "version"),
        })
    }

    /// The row after this state was written, with the next version.
    fn write(&self, sender: &Sender) -> Item {
        let mut item = key(&pk(sender), &self.sk());
        let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        set("level", s(self.level.as_str()));
        set("since", s(stamp(self.since)));
        set("count", n(self.figures.count));
        set("volume", n(self.figures.volume));
        set("version", n(self.version + 1));
        let times = [
            ("belowSince", self.below_since),
            ("claimedAt", self.claimed_at),
            ("enforcementAttemptedAt", self.enforcement_attempted_at),
        ];
        for (name, at) in times {
            at.map(|at| set(name, s(stamp(at))));
        }
        // Listed senders are checked even when they send no mail: until the all-clear, and until its alert was sent.
        if self.level != Level::Normal || self.claimed_at.is_some() {
            set("listKey", s("REPUTATION"));
            set("listSort", s(sender.to_string()));
        }
        item
    }
}

impl Store {
    /// Returns the states of a sender. A window and measure whose threshold was never reached has none.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn reputation_states(&self, sender: &Sender) -> Result<Vec<ReputationState>, StoreError> {
        let rows = self.rows_between(&pk(sender), "STATE#", "STATE#~").await?;
        Ok(rows.iter().filter_map(ReputationState::read).collect())
    }

    /// Writes a state on condition that its version is unchanged. Returns whether it was written, also when an earlier
    /// attempt of the same write succeeded and its response was lost.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_reputation_state(&self, sender: &Sender, state: &ReputationState) -> Result<bool, StoreError> {
        let item = state.write(sender);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(pk) OR #version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", n(state.version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("PutItem", put)? {
            Conditional::Written(_) => true,
            Conditional::ConditionFailed(row) => row.as_ref() == Some(&item),
        })
    }

    /// Returns the senders whose level is not normal or whose last alert was not sent.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn senders_with_alerts(&self) -> Result<BTreeSet<Sender>, StoreError> {
        let rows = self.listed_under("REPUTATION", None).await?;
        Ok(rows.iter().filter_map(|row| sender_of(text(row, "pk")?)).collect())
    }
}

pub(super) fn pk(sender: &Sender) -> String {
    format!("REPUTATION#{sender}")
}

pub(super) fn sender_of(pk: &str) -> Option<Sender> {
    pk.strip_prefix("REPUTATION#")?.parse().ok()
}

pub(super) fn figures(item: &Item) -> Figures {
    Figures {
        count: number(item, "count"),
        volume: number(item, "volume"),
    }
}

pub(super) fn number(item: &Item, name: &str) -> u64 {
    let number = item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
    number.unwrap_or_default()
}

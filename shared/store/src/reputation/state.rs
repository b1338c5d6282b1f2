//! What the watch knows: the lines senders are measured against, how each stands, and what was done to it.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text, time};
use crate::statistics::Sender;

/// Events among recipients mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    /// Hard bounces or complaints.
    pub count: u64,
    /// Recipients mailed.
    pub volume: u64,
}

named_enum! {
    /// How far a rate looks back.
    pub enum Window {
        /// One hour.
        Hour = "hour",
        /// 24 hours.
        Day = "day",
    }
}

named_enum! {
    /// What a rate is of.
    pub enum Measure {
        /// Hard bounces; SES's echoes of a suppression list are none.
        Bounces = "bounces",
        /// Complaints.
        Complaints = "complaints",
    }
}

named_enum! {
    /// How a sender stands in one window.
    pub enum Level {
        /// Under the warn line.
        Normal = "normal",
        /// The warn line was crossed and there was no all-clear since.
        Warn = "warn",
        /// The act line was crossed and there was no all-clear since.
        Enforce = "enforce",
    }
}

/// How a sender stands in one window and measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReputationState {
    /// How far it looks back.
    pub window: Window,
    /// What is measured.
    pub measure: Measure,
    /// How it stands.
    pub level: Level,
    /// Since when; with window and measure the name of the crossing.
    pub since: Timestamp,
    /// The figures at that time.
    pub figures: Figures,
    /// Since when the rate has been under the warn line, while the level is not calm.
    pub below_since: Option<Timestamp>,
    /// When an invocation took it upon itself to tell of the level; `None` when the parties have been told.
    pub claimed_at: Option<Timestamp>,
    /// Counts the writes; two invocations that saw the same version cannot both write.
    pub version: u64,
}

impl ReputationState {
    /// A sender of whom nothing is known.
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
            version: 0,
        }
    }

    fn sk(&self) -> String {
        format!("STATE#{}#{}", self.window.as_str(), self.measure.as_str())
    }

    fn read(item: &Item) -> Option<Self> {
        let (window, measure) = text(item, "sk")?.strip_prefix("STATE#")?.split_once('#')?;
        Some(Self {
            window: Window::read(window)?,
            measure: Measure::read(measure)?,
            level: Level::read(text(item, "level")?)?,
            since: time(item, "since")?,
            figures: figures(item),
            below_since: time(item, "belowSince"),
            claimed_at: time(item, "claimedAt"),
            version: number(item, "version"),
        })
    }
}

impl Store {
    /// How a sender stands, in every window and measure; what was never crossed is missing.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn reputation_states(&self, sender: &Sender) -> Result<Vec<ReputationState>, StoreError> {
        let rows = self.rows_between(&pk(sender), "STATE#", "STATE#~").await?;
        Ok(rows.iter().filter_map(ReputationState::read).collect())
    }

    /// Writes how a sender stands unless another has written since `state.version` was read. Whether it was written, also
    /// by an attempt whose answer got lost.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_reputation_state(&self, sender: &Sender, state: &ReputationState) -> Result<bool, StoreError> {
        let mut item = key(&pk(sender), &state.sk());
        let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        set("level", s(state.level.as_str()));
        set("since", s(stamp(state.since)));
        set("count", n(state.figures.count));
        set("volume", n(state.figures.volume));
        set("version", n(state.version + 1));
        state.below_since.map(|at| set("belowSince", s(stamp(at))));
        state.claimed_at.map(|at| set("claimedAt", s(stamp(at))));
        // Whoever is not calm, or has not been told so, is looked at again even when no mail is sent.
        if state.level != Level::Normal || state.claimed_at.is_some() {
            set("listKey", s("REPUTATION"));
            set("listSort", s(sender.to_string()));
        }
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

    /// Every sender that is not calm.
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

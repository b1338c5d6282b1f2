//! What the watch knows: the lines senders are measured against, how each stands, and what was done to it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use notification_model::{AccountId, Identity};

use crate::client::{Ledger, LedgerError, key};
use crate::item::{Item, hash, n, s, stamp, text, time};
use crate::route::PartyMatch;
use crate::sender::Sender;

/// A share of mail in parts per million: exact, so that five of a hundred are on the line of 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(u32);

/// The text is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a percentage above 0 % and up to 100 %, with at most four decimals, such as \"2.5 %\"")]
pub struct InvalidRate;

impl Rate {
    /// So many parts per million.
    #[must_use]
    pub const fn parts_per_million(parts: u32) -> Self {
        Self(parts)
    }

    /// Whether `count` of `volume` is this share or more.
    #[must_use]
    pub fn is_reached_by(self, figures: Figures) -> bool {
        u128::from(figures.count) * 1_000_000 >= u128::from(figures.volume) * u128::from(self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:04}", self.0 % 10_000);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{} %", self.0 / 10_000),
            decimals => write!(f, "{}.{decimals} %", self.0 / 10_000),
        }
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().strip_suffix('%').ok_or(InvalidRate)?.trim();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(decimals, 4) {
            return Err(InvalidRate);
        }
        let parts: u32 = format!("{whole}{decimals:0<4}").parse().map_err(|_| InvalidRate)?;
        if (1..=1_000_000).contains(&parts) {
            Ok(Self(parts))
        } else {
            Err(InvalidRate)
        }
    }
}

/// Events among recipients mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    /// Hard bounces or complaints.
    pub count: u64,
    /// Recipients mailed.
    pub volume: u64,
}

/// Two lines and the least mail from which they can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// From here on both parties are told.
    pub warn: Rate,
    /// From here on the watch acts, as far as it was asked to.
    pub act: Rate,
    /// Recipients within the hour below which its rate says nothing.
    pub hour_recipients: u64,
    /// Recipients within the day below which its rate says nothing.
    pub day_recipients: u64,
    /// Bounces or complaints below which no rate says anything: one complaint in fifty mails is chance.
    pub events: u64,
}

/// What a sender is measured against, and what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Hard bounces.
    pub bounces: Threshold,
    /// Complaints.
    pub complaints: Threshold,
    /// What to do at the act line; nothing, unless asked for.
    pub acts: BTreeSet<ActKind>,
}

impl Default for Lines {
    /// Act where [AWS reviews an account](https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html),
    /// warn at half of it.
    fn default() -> Self {
        Self {
            bounces: Threshold {
                warn: Rate::parts_per_million(25_000),
                act: Rate::parts_per_million(50_000),
                hour_recipients: 50,
                day_recipients: 200,
                events: 5,
            },
            complaints: Threshold {
                warn: Rate::parts_per_million(500),
                act: Rate::parts_per_million(1_000),
                hour_recipients: 100,
                day_recipients: 200,
                events: 3,
            },
            acts: BTreeSet::new(),
        }
    }
}

/// The lines for everyone and for single senders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinesTable {
    /// For everyone else; `None` means [`Lines::default`].
    pub default: Option<Lines>,
    /// For the senders that match.
    pub overrides: Vec<(PartyMatch, Lines)>,
}

impl LinesTable {
    /// The lines of a sender: of the most specific override that matches, as a whole, else the default.
    #[must_use]
    pub fn of(&self, sender: &Sender) -> Lines {
        let matching = self
            .overrides
            .iter()
            .filter_map(|(parties, lines)| Some((closeness(parties, sender)?, lines)));
        let closest = matching.max_by_key(|(closeness, _)| *closeness).map(|(_, lines)| lines);
        closest.or(self.default.as_ref()).cloned().unwrap_or_default()
    }
}

/// How closely a match names a sender; the identity tells more than the account, the account more than the owner.
fn closeness(parties: &PartyMatch, sender: &Sender) -> Option<u32> {
    let owner = parties
        .owner
        .as_ref()
        .map_or(Some(0), |owner| (owner.as_str() == sender.owner).then_some(1));
    let account = parties
        .account
        .as_ref()
        .map_or(Some(0), |account| (account.as_str() == sender.account).then_some(2));
    let identity = parties.identity.as_ref().map_or(Some(0), |identity| {
        let domain = sender
            .identity
            .rsplit_once('@')
            .map_or(sender.identity.as_str(), |(_, domain)| domain);
        match identity {
            exact if exact.as_str() == sender.identity => Some(8),
            Identity::Domain(wanted) if wanted == domain => Some(4),
            _ => None,
        }
    });
    Some(owner? + account? + identity?)
}

macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( $(#[$variant_meta])* $variant, )+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The word the rows and the configuration file use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }

            /// Reads the word back.
            #[must_use]
            pub fn read(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What the watch can do to a sender. It only ever takes away.
    pub enum ActKind {
        /// Switch a configuration set's sending off.
        PauseConfigurationSet = "pause-configuration-set",
        /// Switch a tenant's sending off.
        SuspendTenant = "suspend-tenant",
        /// Take the delegate's statements out of the identity's sending authorization policies.
        WithdrawPolicy = "withdraw-policy",
    }
}

words! {
    /// How far a rate looks back.
    pub enum Window {
        /// One hour.
        Hour = "hour",
        /// 24 hours.
        Day = "day",
    }
}

words! {
    /// What a rate is of.
    pub enum Measure {
        /// Hard bounces; SES's echoes of a suppression list are none.
        Bounces = "bounces",
        /// Complaints.
        Complaints = "complaints",
    }
}

words! {
    /// How a sender stands in one window.
    pub enum Level {
        /// Under the warn line.
        Calm = "calm",
        /// The warn line was crossed and there was no all-clear since.
        Warn = "warn",
        /// The act line was crossed and there was no all-clear since.
        Act = "act",
    }
}

/// How a sender stands in one window and measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchState {
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

impl WatchState {
    /// A sender of whom nothing is known.
    #[must_use]
    pub fn unknown(window: Window, measure: Measure) -> Self {
        Self {
            window,
            measure,
            level: Level::Calm,
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

/// What exactly was done, with all that undoing it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A configuration set's sending was switched off.
    ConfigurationSet {
        /// Its name.
        name: String,
    },
    /// A tenant's sending was switched off.
    Tenant {
        /// Its name.
        name: String,
        /// Its ARN.
        arn: String,
        /// The customer-managed status it had, as SES spells it.
        before: String,
    },
    /// A delegate's statements were taken out of a sending authorization policy.
    Policy {
        /// The identity.
        identity: String,
        /// The policy's name.
        name: String,
        /// The policy's text, as it was.
        before: String,
        /// The text it got; `None` when nothing was left and the policy was deleted.
        after: Option<String>,
    },
}

impl Deed {
    /// The kind of act.
    #[must_use]
    pub fn kind(&self) -> ActKind {
        match self {
            Self::ConfigurationSet { .. } => ActKind::PauseConfigurationSet,
            Self::Tenant { .. } => ActKind::SuspendTenant,
            Self::Policy { .. } => ActKind::WithdrawPolicy,
        }
    }

    /// What it was done to: the configuration set, the tenant, or `IDENTITY POLICY`.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::ConfigurationSet { name } | Self::Tenant { name, .. } => name.clone(),
            Self::Policy { identity, name, .. } => format!("{identity} {name}"),
        }
    }
}

/// How far an act has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActStatus {
    /// About to be done, or under way.
    Planned,
    /// Done and in force.
    Done {
        /// When.
        at: Timestamp,
    },
    /// SES refused.
    Failed {
        /// When.
        at: Timestamp,
        /// What SES said.
        error: String,
    },
    /// Taken back by a person.
    Undone {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

/// One act against one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its name for people; sorts by time.
    pub id: String,
    /// Whom it was done to.
    pub sender: Sender,
    /// The window that was crossed.
    pub window: Window,
    /// The measure that was crossed.
    pub measure: Measure,
    /// When it was crossed.
    pub crossed_at: Timestamp,
    /// The figures at that time.
    pub figures: Figures,
    /// What was done.
    pub deed: Deed,
    /// How far it has come.
    pub status: ActStatus,
}

impl Act {
    /// An act about to be done. The same crossing and object make the same id, so that planning twice is planning once.
    #[must_use]
    pub fn plan(sender: &Sender, crossing: &WatchState, deed: Deed) -> Self {
        let name = hash(&[
            &sender.to_string(),
            crossing.window.as_str(),
            crossing.measure.as_str(),
            &stamp(crossing.since),
            deed.kind().as_str(),
            &deed.object(),
        ]);
        Self {
            id: format!("{}-{:08x}", crossing.since.strftime("%Y%m%dT%H%M%SZ"), name >> 32),
            sender: sender.clone(),
            window: crossing.window,
            measure: crossing.measure,
            crossed_at: crossing.since,
            figures: crossing.figures,
            deed,
            status: ActStatus::Planned,
        }
    }

    /// Whether the act belongs to this crossing.
    #[must_use]
    pub fn is_of(&self, crossing: &WatchState) -> bool {
        // A row knows milliseconds.
        (self.window, self.measure, stamp(self.crossed_at))
            == (crossing.window, crossing.measure, stamp(crossing.since))
    }

    fn key(&self) -> Item {
        key(&pk(&self.sender), &format!("ACT#{}", self.id))
    }

    fn write(&self) -> Item {
        let mut item = self.key();
        let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        set("listKey", s("ACTS"));
        set("listSort", s(&self.id));
        set("window", s(self.window.as_str()));
        set("measure", s(self.measure.as_str()));
        set("crossedAt", s(stamp(self.crossed_at)));
        set("count", n(self.figures.count));
        set("volume", n(self.figures.volume));
        set("kind", s(self.deed.kind().as_str()));
        set("status", s("planned"));
        match &self.deed {
            Deed::ConfigurationSet { name } => {
                set("name", s(name));
            }
            Deed::Tenant { name, arn, before } => {
                set("name", s(name));
                set("arn", s(arn));
                set("before", s(before));
            }
            Deed::Policy {
                identity,
                name,
                before,
                after,
            } => {
                set("identity", s(identity));
                set("name", s(name));
                set("before", s(before));
                after.as_ref().map(|after| set("after", s(after)));
            }
        }
        item
    }

    fn read(item: &Item) -> Option<Self> {
        let owned = |name: &str| text(item, name).map(str::to_owned);
        let name = owned("name")?;
        let deed = match ActKind::read(text(item, "kind")?)? {
            ActKind::PauseConfigurationSet => Deed::ConfigurationSet { name },
            ActKind::SuspendTenant => Deed::Tenant {
                name,
                arn: owned("arn")?,
                before: owned("before")?,
            },
            ActKind::WithdrawPolicy => Deed::Policy {
                identity: owned("identity")?,
                name,
                before: owned("before")?,
                after: owned("after"),
            },
        };
        let at = time(item, "statusAt");
        let status = match text(item, "status")? {
            "planned" => ActStatus::Planned,
            "done" => ActStatus::Done { at: at? },
            "failed" => ActStatus::Failed {
                at: at?,
                error: owned("error")?,
            },
            "undone" => ActStatus::Undone {
                at: at?,
                by: owned("by")?,
            },
            _ => return None,
        };
        Some(Self {
            id: text(item, "sk")?.strip_prefix("ACT#")?.to_owned(),
            sender: sender_of(text(item, "pk")?)?,
            window: Window::read(text(item, "window")?)?,
            measure: Measure::read(text(item, "measure")?)?,
            crossed_at: time(item, "crossedAt")?,
            figures: figures(item),
            deed,
            status,
        })
    }
}

impl Ledger {
    /// How a sender stands, in every window and measure; what was never crossed is missing.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn watch_states(&self, sender: &Sender) -> Result<Vec<WatchState>, LedgerError> {
        let rows = self.rows_between(&pk(sender), "STATE#", "STATE#~").await?;
        Ok(rows.iter().filter_map(WatchState::read).collect())
    }

    /// Writes how a sender stands unless another has written since `state.version` was read. Whether it was written.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_watch_state(&self, sender: &Sender, state: &WatchState) -> Result<bool, LedgerError> {
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
        if state.level != Level::Calm || state.claimed_at.is_some() {
            set("listKey", s("WATCHED"));
            set("listSort", s(sender.to_string()));
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", n(state.version))
            .send()
            .await;
        self.won("PutItem", put)
    }

    /// Every sender that is not calm.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn watched(&self) -> Result<BTreeSet<Sender>, LedgerError> {
        let rows = self.listed_under("WATCHED", None).await?;
        Ok(rows.iter().filter_map(|row| sender_of(text(row, "pk")?)).collect())
    }

    /// Writes an act that is about to be done; one that is known already stays as it is.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn plan_act(&self, act: &Act) -> Result<(), LedgerError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(act.write()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        self.won("PutItem", put).map(|_| ())
    }

    /// Moves an act on from the status it was read with. Whether it was still there.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn move_act(&self, act: &Act, to: &ActStatus) -> Result<bool, LedgerError> {
        let (at, extra) = match to {
            ActStatus::Planned => return Ok(false),
            ActStatus::Done { at } => (at, None),
            ActStatus::Failed { at, error } => (at, Some(("error", error))),
            ActStatus::Undone { at, by } => (at, Some(("by", by))),
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(act.key()))
            .condition_expression("#status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", s(act.status.word()))
            .expression_attribute_values(":to", s(to.word()))
            .expression_attribute_values(":at", s(stamp(*at)));
        let mut expression = "SET #status = :to, statusAt = :at".to_owned();
        if let Some((name, value)) = extra {
            expression.push_str(", #extra = :extra");
            update = update
                .expression_attribute_names("#extra", name)
                .expression_attribute_values(":extra", s(value));
        }
        let updated = update.update_expression(expression).send().await;
        self.won("UpdateItem", updated)
    }

    /// Everything that was done to a sender, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn acts_of(&self, sender: &Sender) -> Result<Vec<Act>, LedgerError> {
        let rows = self.rows_between(&pk(sender), "ACT#", "ACT#~").await?;
        Ok(rows.iter().filter_map(Act::read).collect())
    }

    /// Everything that was done to anyone, oldest first.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn acts(&self) -> Result<Vec<Act>, LedgerError> {
        self.acts_listed(None).await
    }

    /// One act by its id.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn act(&self, id: &str) -> Result<Option<Act>, LedgerError> {
        Ok(self.acts_listed(Some(id)).await?.pop())
    }

    async fn acts_listed(&self, id: Option<&str>) -> Result<Vec<Act>, LedgerError> {
        let keys = self.listed_under("ACTS", id).await?;
        let ids: BTreeSet<&str> = keys.iter().filter_map(|row| text(row, "listSort")).collect();
        let senders: BTreeSet<Sender> = keys.iter().filter_map(|row| sender_of(text(row, "pk")?)).collect();
        let mut acts = Vec::new();
        for sender in &senders {
            acts.extend(
                self.acts_of(sender)
                    .await?
                    .into_iter()
                    .filter(|act| ids.contains(act.id.as_str())),
            );
        }
        acts.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(acts)
    }

    /// The lines for everyone and for single senders.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn lines(&self) -> Result<LinesTable, LedgerError> {
        let mut table = LinesTable::default();
        for row in self.rows_between("LINES", " ", "~").await? {
            let (Some(sk), Some(lines)) = (text(&row, "sk"), read_lines(&row)) else {
                return Err(self.broken("Query", "a row of LINES cannot be read"));
            };
            if sk == "DEFAULT" {
                table.default = Some(lines);
            } else if let Some(parties) = read_parties(sk) {
                table.overrides.push((parties, lines));
            }
        }
        Ok(table)
    }

    /// Writes the lines of the senders that match, or with `None` the default.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_lines(&self, parties: Option<&PartyMatch>, lines: &Lines) -> Result<(), LedgerError> {
        let mut item = key("LINES", &lines_sk(parties));
        for (name, threshold) in [("bounces", &lines.bounces), ("complaints", &lines.complaints)] {
            let numbers = [
                ("warn", u64::from(threshold.warn.0)),
                ("act", u64::from(threshold.act.0)),
                ("hourRecipients", threshold.hour_recipients),
                ("dayRecipients", threshold.day_recipients),
                ("events", threshold.events),
            ];
            let numbers = numbers.map(|(name, number)| (name.to_owned(), n(number)));
            item.insert(name.to_owned(), AttributeValue::M(numbers.into_iter().collect()));
        }
        if !lines.acts.is_empty() {
            let acts = lines.acts.iter().map(|act| act.as_str().to_owned()).collect();
            item.insert("acts".to_owned(), AttributeValue::Ss(acts));
        }
        self.put(item).await
    }

    /// Forgets the lines of the senders that match, or with `None` the default.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_lines(&self, parties: Option<&PartyMatch>) -> Result<(), LedgerError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key("LINES", &lines_sk(parties))));
        delete.send().await.map_err(|error| self.failed("DeleteItem", error))?;
        Ok(())
    }

    /// The keys of everything listed under a key, or of the one that is sorted there.
    async fn listed_under(&self, list_key: &str, sort: Option<&str>) -> Result<Vec<Item>, LedgerError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listing")
            .expression_attribute_values(":key", s(list_key));
        query = match sort {
            None => query.key_condition_expression("listKey = :key"),
            Some(sort) => query
                .key_condition_expression("listKey = :key AND listSort = :sort")
                .expression_attribute_values(":sort", s(sort)),
        };
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(row) = pages.next().await {
            rows.push(row.map_err(|error| self.failed("Query", error))?);
        }
        Ok(rows)
    }

    /// Whether a conditional write was the first.
    fn won<T, E, R>(&self, operation: &'static str, written: Result<T, SdkError<E, R>>) -> Result<bool, LedgerError>
    where
        SdkError<E, R>: std::error::Error,
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
    {
        match written {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refused)) if refused.err().code() == Some("ConditionalCheckFailedException") => {
                Ok(false)
            }
            Err(error) => Err(self.failed(operation, error)),
        }
    }
}

impl ActStatus {
    /// The word the row uses.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Undone { .. } => "undone",
        }
    }
}

fn pk(sender: &Sender) -> String {
    format!("WATCH#{sender}")
}

fn sender_of(pk: &str) -> Option<Sender> {
    pk.strip_prefix("WATCH#")?.parse().ok()
}

fn figures(item: &Item) -> Figures {
    Figures {
        count: number(item, "count"),
        volume: number(item, "volume"),
    }
}

fn number(item: &Item, name: &str) -> u64 {
    let number = item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
    number.unwrap_or_default()
}

fn lines_sk(parties: Option<&PartyMatch>) -> String {
    let Some(parties) = parties else {
        return "DEFAULT".to_owned();
    };
    format!(
        "FOR#{}/{}/{}",
        parties.owner.as_ref().map_or("*", AccountId::as_str),
        parties.account.as_ref().map_or("*", AccountId::as_str),
        parties.identity.as_ref().map_or("*", Identity::as_str),
    )
}

fn read_parties(sk: &str) -> Option<PartyMatch> {
    let sender: Sender = sk.strip_prefix("FOR#")?.parse().ok()?;
    let account = |text: &str| match text {
        "*" => Some(None),
        text => text.parse().ok().map(Some),
    };
    Some(PartyMatch {
        owner: account(&sender.owner)?,
        account: account(&sender.account)?,
        identity: (sender.identity != "*").then(|| Identity::from(sender.identity.as_str())),
    })
}

fn read_lines(item: &Item) -> Option<Lines> {
    let threshold = |name: &str| {
        let map = item.get(name)?.as_m().ok()?;
        let rate = |name: &str| {
            u32::try_from(number(map, name))
                .ok()
                .filter(|parts| *parts > 0)
                .map(Rate)
        };
        Some(Threshold {
            warn: rate("warn")?,
            act: rate("act")?,
            hour_recipients: number(map, "hourRecipients"),
            day_recipients: number(map, "dayRecipients"),
            events: number(map, "events"),
        })
    };
    let acts = item.get("acts").and_then(|value| value.as_ss().ok());
    Some(Lines {
        bounces: threshold("bounces")?,
        complaints: threshold("complaints")?,
        acts: acts
            .into_iter()
            .flatten()
            .filter_map(|word| ActKind::read(word))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Figures, Lines, LinesTable, PartyMatch, Rate};
    use crate::sender::Sender;

    #[test]
    fn rates_are_exact_and_read_as_written() {
        for (text, parts) in [
            ("5 %", 50_000),
            ("0.1%", 1_000),
            ("2.5 %", 25_000),
            ("100 %", 1_000_000),
            ("0.0001 %", 1),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate, Rate::parts_per_million(parts), "{text}");
            assert_eq!(rate.to_string().parse(), Ok(rate), "{text}");
        }
        for text in ["5", "0 %", "-1 %", "100.1 %", "%", ". %", "1.00001 %", "1,5 %", "NaN %"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        let five = Rate::parts_per_million(50_000);
        assert!(five.is_reached_by(Figures { count: 5, volume: 100 }));
        assert!(!five.is_reached_by(Figures { count: 4, volume: 81 }));
    }

    #[test]
    fn the_most_specific_override_holds() {
        let account = |text: &str| Some(text.parse().unwrap());
        let lines = |events| {
            let mut lines = Lines::default();
            lines.bounces.events = events;
            lines
        };
        let parties = |owner: &str, sender: &str, identity: &str| PartyMatch {
            owner: account(owner).filter(|_| owner != "000000000000"),
            account: account(sender).filter(|_| sender != "000000000000"),
            identity: (!identity.is_empty()).then(|| identity.into()),
        };
        let table = LinesTable {
            default: Some(lines(1)),
            overrides: vec![
                (parties("111122223333", "000000000000", ""), lines(2)),
                (parties("000000000000", "444455556666", ""), lines(3)),
                (parties("111122223333", "000000000000", "shop.example"), lines(4)),
                (parties("111122223333", "000000000000", "news@shop.example"), lines(5)),
            ],
        };
        let cases = [
            ("111122223333/777788889999/other.example", 2),
            ("111122223333/444455556666/other.example", 3),
            ("111122223333/444455556666/shop.example", 4),
            ("111122223333/444455556666/info@shop.example", 4),
            ("111122223333/444455556666/news@shop.example", 5),
            ("-/-/-", 1),
        ];
        for (sender, events) in cases {
            let sender: Sender = sender.parse().unwrap();
            assert_eq!(table.of(&sender).bounces.events, events, "{sender}");
        }
    }
}

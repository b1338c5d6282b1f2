//! How each sender is doing: what it sent, and what came of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use notification_model::{EmailAddress, Mail};

use crate::client::{Ledger, LedgerError, key};
use crate::item::{Item, b, bytes, hash, hour, n, s, stamp, text};

/// Who sent: the identity owner, the sending account (another one when sending is delegated) and the identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sender {
    /// The identity owner's account id, `-` when SES did not tell.
    pub owner: String,
    /// The sending account's id, `-` when SES did not tell.
    pub account: String,
    /// The identity; `unverified:DOMAIN` when only the sender's own words tell it, `-` when nothing does.
    pub identity: String,
}

impl Sender {
    /// The sender of a message.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        let unknown = || "-".to_owned();
        let arn = mail.source_arn.as_ref();
        let claimed = || mail.sending_domain().map(|domain| format!("unverified:{domain}"));
        Self {
            owner: arn.map_or_else(unknown, |arn| arn.owner().to_string()),
            account: mail
                .sending_account_id
                .as_ref()
                .map_or_else(unknown, ToString::to_string),
            identity: arn
                .map(|arn| arn.identity().to_string())
                .or_else(claimed)
                .unwrap_or_else(unknown),
        }
    }

    fn pk(&self) -> String {
        format!("SENDER#{}#{}#{}", self.owner, self.account, self.identity)
    }

    fn read(pk: &str) -> Option<Self> {
        let mut parts = pk.strip_prefix("SENDER#")?.splitn(3, '#').map(str::to_owned);
        Some(Self {
            owner: parts.next()?,
            account: parts.next()?,
            identity: parts.next()?,
        })
    }
}

/// The text is not three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a sender: OWNER/ACCOUNT/IDENTITY")]
pub struct InvalidSender;

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.owner, self.account, self.identity)
    }
}

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        match parts.as_slice() {
            [owner, account, identity] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                owner: (*owner).to_owned(),
                account: (*account).to_owned(),
                identity: (*identity).to_owned(),
            }),
            _ => Err(InvalidSender),
        }
    }
}

/// Within a sender: which configuration set and tenant, as far as the notification told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
}

impl Line {
    /// The line of a message.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        Self {
            configuration_set: mail.configuration_set().map(str::to_owned),
            tenant: mail.tenant().map(str::to_owned),
        }
    }

    fn read(item: &Item) -> Self {
        Self {
            configuration_set: text(item, "configurationSet").map(str::to_owned),
            tenant: text(item, "tenant").map(str::to_owned),
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// Recipients SES accepted a message for.
    Send,
    /// Recipients whose server accepted it.
    Delivery,
    /// Hard bounces, those on SES's global suppression list included.
    Hard,
    /// Soft bounces.
    Soft,
    /// Complaints: one for each message, however many recipients the provider names.
    Complaint,
    /// Recipients of a message with a virus.
    Reject,
    /// Recipients of a message whose template failed.
    RenderingFailure,
    /// Recipients whose delivery is delayed.
    Delay,
}

impl Count {
    const BATCHED: [Self; 5] = [
        Self::Send,
        Self::Delivery,
        Self::Reject,
        Self::RenderingFailure,
        Self::Delay,
    ];

    /// The word the rows use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Delivery => "delivery",
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
            Self::Reject => "reject",
            Self::RenderingFailure => "renderingFailure",
            Self::Delay => "delay",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Complaint]
            .into_iter()
            .find(|count| count.as_str() == word)
    }
}

/// One bounce or complaint to count. The same event told twice, by whichever topic, is the same row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// Who sent.
    pub sender: Sender,
    /// Configuration set and tenant.
    pub line: Line,
    /// `Hard`, `Soft` or `Complaint`.
    pub count: Count,
    /// When.
    pub at: Timestamp,
    /// The SES message id.
    pub message_id: String,
    /// Which recipient; `None` counts the message once.
    pub recipient: Option<EmailAddress>,
}

/// What one batch of notifications adds to one sender, line and ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderBatch {
    sender: Sender,
    line: Line,
    at: Timestamp,
    ids: BTreeMap<Count, BTreeSet<u64>>,
}

/// 8 bytes an id: well below DynamoDB's 400 KB.
const IDS_PER_ROW: usize = 40_000;

/// The ten minutes a time falls in: `2026-01-27T14:5`.
fn bucket(at: Timestamp) -> String {
    stamp(at).chars().take(15).collect()
}

impl SenderBatch {
    /// An empty batch for the ten minutes that `at` falls in.
    #[must_use]
    pub fn new(sender: Sender, line: Line, at: Timestamp) -> Self {
        Self {
            sender,
            line,
            at,
            ids: BTreeMap::new(),
        }
    }

    /// Whether a count belongs into this batch.
    #[must_use]
    pub fn takes(&self, sender: &Sender, line: &Line, at: Timestamp) -> bool {
        self.sender == *sender && self.line == *line && bucket(self.at) == bucket(at)
    }

    /// Counts one recipient of a message; counting it again changes nothing.
    pub fn add(&mut self, count: Count, message_id: &str, recipient: &str) {
        self.ids
            .entry(count)
            .or_default()
            .insert(hash(&[message_id, recipient]));
    }
}

/// Counts over a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<Count, u64>,
}

impl Tally {
    /// How many.
    #[must_use]
    pub fn get(&self, count: Count) -> u64 {
        self.counts.get(&count).copied().unwrap_or_default()
    }

    /// How many recipients were mailed, from Send events or, where those are not switched on, from the outcomes. `None`
    /// when neither sends nor deliveries were reported: bounces alone tell no volume.
    #[must_use]
    pub fn volume(&self) -> Option<u64> {
        let (sends, deliveries) = (self.get(Count::Send), self.get(Count::Delivery));
        (sends + deliveries > 0).then(|| sends.max(deliveries + self.get(Count::Hard) + self.get(Count::Soft)))
    }

    /// Hard bounces per recipient mailed, 0 to 1; `None` without a volume.
    #[must_use]
    pub fn bounce_rate(&self) -> Option<f64> {
        self.rate(Count::Hard)
    }

    /// Complaints per recipient mailed, 0 to 1; `None` without a volume.
    #[must_use]
    pub fn complaint_rate(&self) -> Option<f64> {
        self.rate(Count::Complaint)
    }

    fn rate(&self, count: Count) -> Option<f64> {
        self.volume().map(|volume| self.get(count) as f64 / volume as f64)
    }
}

/// Figures that come from elsewhere than the table.
impl FromIterator<(Count, u64)> for Tally {
    fn from_iter<T: IntoIterator<Item = (Count, u64)>>(counts: T) -> Self {
        Self {
            counts: counts.into_iter().collect(),
        }
    }
}

/// A sender's counts over the last hour and the last 24 (to the ten minutes), in all and by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRates {
    /// Who.
    pub sender: Sender,
    /// The last hour.
    pub hour: Tally,
    /// The last 24 hours.
    pub day: Tally,
    /// The last 24 hours by configuration set and tenant.
    pub day_by_line: BTreeMap<Line, Tally>,
}

impl Ledger {
    /// Counts a bounce or complaint. One write request, however often it runs. The row is listed in the index only if this
    /// ledger has not yet listed one of its sender and hour: an entry costs as much as the row.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn count_event(&self, event: &EventCount, expires_at: Timestamp) -> Result<(), LedgerError> {
        let recipient = event.recipient.as_ref().map_or("", EmailAddress::key);
        let id = hash(&[recipient]);
        let sk = format!(
            "{}#{}#{}#{id:016x}",
            bucket(event.at),
            event.count.as_str(),
            event.message_id
        );
        let pk = event.sender.pk();
        let mut expression = "SET expiresAt = :expiresAt".to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&pk, &sk)))
            .expression_attribute_values(":expiresAt", n(expires_at.as_second()));
        let list_key = list_key(event.at);
        let entry = hash(&[&list_key, &pk]);
        let lists = !self.listed.has(entry);
        if lists {
            expression.push_str(", listKey = :listKey, listSort = :listSort");
            update = update
                .expression_attribute_values(":listKey", s(list_key))
                .expression_attribute_values(":listSort", s(pk));
        }
        // The identity's notification knows neither, and must not erase what the configuration set's event told.
        let line = [
            ("configurationSet", &event.line.configuration_set),
            ("tenant", &event.line.tenant),
        ];
        for (name, value) in line {
            if let Some(value) = value {
                expression.push_str(&format!(", {name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), s(value));
            }
        }
        update
            .update_expression(expression)
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        if lists {
            // Only now: a sender must be found by a row that is there.
            self.listed.add(entry);
        }
        Ok(())
    }

    /// Counts a batch's sends, deliveries, rejects, rendering failures and delays. One write request a batch.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn count_batch(&self, batch: &SenderBatch, expires_at: Timestamp) -> Result<(), LedgerError> {
        let all: Vec<(Count, u64)> = batch
            .ids
            .iter()
            .flat_map(|(count, ids)| ids.iter().map(|id| (*count, *id)))
            .collect();
        for chunk in all.chunks(IDS_PER_ROW) {
            let mut packed: BTreeMap<Count, Vec<u8>> = BTreeMap::new();
            let mut name = hash(&[&format!("{:?}", batch.line)]);
            for (count, id) in chunk {
                packed.entry(*count).or_default().extend(id.to_be_bytes());
                name = name.rotate_left(5) ^ id ^ hash(&[count.as_str()]);
            }
            let mut item = Item::from([
                ("pk".to_owned(), s(batch.sender.pk())),
                ("sk".to_owned(), s(format!("{}#batch#{name:016x}", bucket(batch.at)))),
                ("listKey".to_owned(), s(list_key(batch.at))),
                ("listSort".to_owned(), s(batch.sender.pk())),
                ("expiresAt".to_owned(), n(expires_at.as_second())),
            ]);
            item.extend(
                packed
                    .into_iter()
                    .map(|(count, ids)| (count.as_str().to_owned(), b(ids))),
            );
            item.extend(
                batch
                    .line
                    .configuration_set
                    .as_ref()
                    .map(|name| ("configurationSet".to_owned(), s(name))),
            );
            item.extend(batch.line.tenant.as_ref().map(|name| ("tenant".to_owned(), s(name))));
            self.put(item).await?;
        }
        Ok(())
    }

    /// How a sender did over the last hour and the last 24.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn sender_rates(&self, sender: &Sender, now: Timestamp) -> Result<SenderRates, LedgerError> {
        let day_ago = now - SignedDuration::from_hours(24);
        let hour_ago = bucket(now - SignedDuration::from_hours(1));
        let rows = self
            .rows_between(&sender.pk(), &bucket(day_ago), &format!("{}~", bucket(now)))
            .await?;
        let mut hour = Counted::default();
        let mut day = Counted::default();
        for row in &rows {
            day.add(row);
            if text(row, "sk").is_some_and(|sk| sk >= hour_ago.as_str()) {
                hour.add(row);
            }
        }
        let day_by_line = day.by_line();
        Ok(SenderRates {
            sender: sender.clone(),
            hour: hour.total(),
            day: day.total(),
            day_by_line,
        })
    }

    /// Everyone who sent within the last 24 hours.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, LedgerError> {
        let mut found = BTreeSet::new();
        for hours in 0..=24 {
            let list_key = list_key(now - SignedDuration::from_hours(hours));
            let mut last: Option<String> = None;
            // Rows are sorted by sender, so one short query finds the next sender, whatever the number of rows.
            loop {
                let from = last.as_deref().unwrap_or("SENDER#");
                let output = self
                    .client
                    .query()
                    .table_name(&self.table)
                    .index_name("listing")
                    .key_condition_expression("listKey = :hour AND listSort > :from")
                    .expression_attribute_values(":hour", s(&list_key))
                    .expression_attribute_values(":from", s(from))
                    .limit(1)
                    .send()
                    .await
                    .map_err(|error| self.failed("Query", error))?;
                let next = output.items().first().and_then(|row| text(row, "listSort"));
                let Some(next) = next else { break };
                found.extend(Sender::read(next));
                last = Some(next.to_owned());
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// Entries of the index that this process has made, as hashes of sender and hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listed(Arc<Mutex<HashSet<u64>>>);

impl Listed {
    /// More than the senders of some hours. Whatever is forgotten is listed once more.
    const MOST: usize = 10_000;

    fn has(&self, entry: u64) -> bool {
        self.entries().contains(&entry)
    }

    fn add(&self, entry: u64) {
        let mut entries = self.entries();
        if entries.len() >= Self::MOST {
            entries.clear();
        }
        entries.insert(entry);
    }

    fn entries(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn list_key(at: Timestamp) -> String {
    format!("HOUR#{}", hour(at))
}

/// Distinct ids, each under the most telling line that named it.
#[derive(Default)]
struct Counted {
    ids: BTreeMap<(Count, u64), Line>,
}

impl Counted {
    fn add(&mut self, row: &Item) {
        let line = Line::read(row);
        let mut note = |count: Count, id: u64| {
            let known = self.ids.entry((count, id)).or_default();
            if line > *known {
                known.clone_from(&line);
            }
        };
        for count in Count::BATCHED {
            for id in bytes(row, count.as_str()).as_chunks::<8>().0 {
                note(count, u64::from_be_bytes(*id));
            }
        }
        let sk = text(row, "sk").unwrap_or_default();
        if let Some((_, event)) = sk.split_once('#')
            && let Some((kind, id)) = event.split_once('#')
            && let Some(count) = Count::read(kind)
        {
            note(count, hash(&[id]));
        }
    }

    fn total(&self) -> Tally {
        let mut tally = Tally::default();
        for (count, _) in self.ids.keys() {
            *tally.counts.entry(*count).or_default() += 1;
        }
        tally
    }

    fn by_line(&self) -> BTreeMap<Line, Tally> {
        let mut lines: BTreeMap<Line, Tally> = BTreeMap::new();
        for ((count, _), line) in &self.ids {
            *lines.entry(line.clone()).or_default().counts.entry(*count).or_default() += 1;
        }
        lines
    }
}

//! The ends of suppressions. DynamoDB writes nothing when a time in a row passes, and its TTL deletes days late, so each end
//! has a row that a schedule reads.

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;

use super::scope::Scope;
use crate::client::{Store, StoreError};
use crate::item::{Item, hash, hash_id, hour, n, s, stamp, text, time};

/// Partitions of an hour, so that none is hot.
const SHARDS: u64 = 4;

/// How long a row is kept after the end it records, in case the schedule does not run.
const GRACE_SECONDS: i64 = 30 * 86_400;

const CURSOR: &str = "ENDS#CURSOR";

/// The time at which a suppression ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionEnd {
    /// The recipient.
    pub address: EmailAddress,
    /// The scope of the suppression.
    pub scope: Scope,
    /// The contact list, or its topic, whose mail alone is affected.
    pub list: Option<String>,
    /// When the suppression ends.
    pub until: Timestamp,
}

/// A row of an end that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEnd {
    /// The end.
    pub end: SuppressionEnd,
    pk: String,
    sk: String,
}

impl SuppressionEnd {
    fn sk(&self) -> String {
        let scope = self.scope.to_string();
        let list = self.list.as_deref().unwrap_or_default();
        format!("{}#{}", stamp(self.until), hash_id(&[self.address.key(), &scope, list]))
    }

    fn read(row: &Item) -> Option<Self> {
        Some(Self {
            address: EmailAddress::parse(text(row, "address")?)?,
            scope: text(row, "scope")?.parse().ok()?,
            list: text(row, "list").map(str::to_owned),
            until: time(row, "until")?,
        })
    }
}

fn partition(at: Timestamp, shard: u64) -> String {
    format!("ENDS#{}#{shard}", hour(at))
}

impl Store {
    /// Stores an end in the hour in which it has to be read: that of the end, or of `now` if it has passed. Writing it again
    /// changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_suppression_end(&self, end: &SuppressionEnd, now: Timestamp) -> Result<(), StoreError> {
        let shard = hash(&[end.address.key()]) % SHARDS;
        let mut row = Item::from([
            ("pk".to_owned(), s(partition(end.until.max(now), shard))),
            ("sk".to_owned(), s(end.sk())),
            ("address".to_owned(), s(end.address.key())),
            ("scope".to_owned(), s(end.scope.to_string())),
            ("until".to_owned(), s(stamp(end.until))),
            (
                "expiresAt".to_owned(),
                n(end.until.max(now).as_second() + GRACE_SECONDS),
            ),
        ]);
        if let Some(list) = &end.list {
            row.insert("list".to_owned(), s(list));
        }
        self.put(row).await
    }

    /// Returns ends of the hour of `hour_at` that have come at `now`, at most `limit`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn due_suppression_ends(
        &self,
        hour_at: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueEnd>, StoreError> {
        let mut due = Vec::new();
        for shard in 0..SHARDS {
            let left = limit - due.len();
            if left == 0 {
                break;
            }
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk < :now")
                .expression_attribute_values(":pk", s(partition(hour_at, shard)))
                .expression_attribute_values(":now", s(format!("{}~", stamp(now))))
                .consistent_read(true)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| self.failed("Query", error))?;
            let read = |row: Item| {
                Some(DueEnd {
                    end: SuppressionEnd::read(&row)?,
                    pk: text(&row, "pk")?.to_owned(),
                    sk: text(&row, "sk")?.to_owned(),
                })
            };
            due.extend(output.items.unwrap_or_default().into_iter().filter_map(read));
        }
        Ok(due)
    }

    /// Deletes the row of an end that was handled.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn delete_suppression_end(&self, due: &DueEnd) -> Result<(), StoreError> {
        self.delete(&due.pk, &due.sk).await
    }

    /// Returns the first hour whose ends are not all handled. `None`: none was handled yet.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn first_hour_of_ends(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.rows_between(CURSOR, "HOUR", "HOUR").await?;
        Ok(rows.first().and_then(|row| time(row, "at")))
    }

    /// Records the first hour whose ends are not all handled.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_first_hour_of_ends(&self, at: Timestamp) -> Result<(), StoreError> {
        self.put(Item::from([
            ("pk".to_owned(), s(CURSOR)),
            ("sk".to_owned(), s("HOUR")),
            ("at".to_owned(), s(stamp(at))),
        ]))
        .await
    }
}

/// The hours of ends to read at `now`, from the first that is not handled. The hour before the current one is still open: a row
/// may be written to it late, by a function that started before the hour ended.
pub fn hours_of_ends(first: Option<Timestamp>, now: Timestamp) -> impl Iterator<Item = (Timestamp, bool)> {
    let hour = SignedDuration::from_hours(1);
    let open = now.checked_sub(hour).unwrap_or(now);
    let is_open = move |at: Timestamp| at.as_second() / 3600 >= open.as_second() / 3600;
    std::iter::successors(Some(first.unwrap_or(open)), move |at| at.checked_add(hour).ok())
        .take_while(move |at| at.as_second() / 3600 <= now.as_second() / 3600)
        .map(move |at| (at, is_open(at)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::hours_of_ends;

    #[test]
    fn hours_are_read_from_the_first_that_is_not_handled_to_the_current_one() {
        let now: Timestamp = "2026-03-02T08:05:00Z".parse().unwrap();
        let hours = |first: Option<&str>| -> Vec<(String, bool)> {
            let hours = hours_of_ends(first.map(|at| at.parse().unwrap()), now);
            hours.map(|(at, is_open)| (super::hour(at), is_open)).collect()
        };
        let open = |hour: &str| (format!("2026-03-02T{hour}"), true);
        assert_eq!(hours(None), [open("07"), open("08")]);
        assert_eq!(
            hours(Some("2026-03-02T06:59:00Z")),
            [("2026-03-02T06".to_owned(), false), open("07"), open("08")]
        );
        assert_eq!(hours(Some("2026-03-02T08:59:00Z")), [open("08")]);
    }
}

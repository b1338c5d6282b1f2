//! Publishing the state of recipients again, after changes of the table were not published.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::recipient::{RECIPIENT_SK, Recipient, recipient_pk};
use crate::client::{Store, StoreError, key};
use crate::item::{Item, s, stamp, text};

/// A page of the rows of all recipients.
#[derive(Debug, Clone, Default)]
pub struct RecipientPage {
    /// The recipients by address.
    pub recipients: Vec<(EmailAddress, Recipient)>,
    /// The number of rows of the table that were read for the page, those of recipients and others.
    pub rows_read: usize,
    /// Where the next page starts. `None`: this is the last one.
    pub next: Option<PageStart>,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq)]
pub struct PageStart(Item);

impl Recipient {
    /// Whether the row shows a change between two times: an entry, an end, a bounce of a series or a delivery.
    #[must_use]
    pub fn changed_between(&self, since: Timestamp, until: Timestamp) -> bool {
        let entries = self.entries.values().flat_map(|entry| [Some(entry.at), entry.until]);
        let bounces = self.bounces.values().flatten().map(|bounce| Some(bounce.at));
        let delivered = self.delivered.values().flatten().map(|delivered| Some(delivered.at));
        let mut times = entries.chain(bounces).chain(delivered).flatten();
        times.any(|at| since <= at && at <= until)
    }
}

impl Store {
    /// Reads rows of recipients in no order, one request a page. Reads the whole table, at half a read unit for 4 KB.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn recipients_page(&self, start: Option<PageStart>) -> Result<RecipientPage, StoreError> {
        let scan = self.client.scan().table_name(&self.table);
        let output = scan
            .filter_expression("sk = :sk")
            .expression_attribute_values(":sk", s(RECIPIENT_SK))
            .set_exclusive_start_key(start.map(|start| start.0))
            .send()
            .await
            .map_err(|error| self.failed("Scan", error))?;
        let rows_read = usize::try_from(output.scanned_count()).unwrap_or_default();
        let read = |row: &Item| {
            let address = EmailAddress::parse(text(row, "pk")?.strip_prefix("RECIPIENT#")?)?;
            Some((address, Recipient::read(row)))
        };
        Ok(RecipientPage {
            recipients: output.items().iter().filter_map(read).collect(),
            rows_read,
            next: output.last_evaluated_key.map(PageStart),
        })
    }

    /// Changes the row of an address so that the table's stream reports it and `suppression-changes` publishes its state. Does
    /// nothing if there is no row.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn republish(&self, address: &EmailAddress, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&recipient_pk(address), RECIPIENT_SK)))
            .update_expression("SET republishedAt = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", AttributeValue::S(stamp(now)));
        self.took_place("UpdateItem", update.send().await).map(|_| ())
    }
}

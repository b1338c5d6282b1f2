//! Reads and writes mailboxes.

use std::collections::BTreeMap;

use super::mailbox::Mailbox;
use super::mailbox_key::MailboxKey;
use super::mailbox_row::{read_mailbox, write_mailbox};
use crate::client::{Store, StoreError};
use crate::item::text;

impl Store {
    /// The mailboxes with these keys. A key without a mailbox is absent. One request for 100 keys.
    ///
    /// # Errors
    /// If DynamoDB fails, or if this version cannot read a row. Skipping the row would give its mail to a less specific
    /// mailbox without notice.
    pub async fn mailboxes(&self, keys: &[MailboxKey]) -> Result<BTreeMap<MailboxKey, Mailbox>, StoreError> {
        let pks: Vec<String> = keys.iter().map(MailboxKey::pk).collect();
        let rows = self.get_rows(&pks, "ACTIONS").await?;
        let mut mailboxes = BTreeMap::new();
        for key in keys {
            let Some(row) = rows.get(&key.pk()) else { continue };
            let mailbox = read_mailbox(key, row)
                .map_err(|problem| self.broken("BatchGetItem", format!("mailbox {}: {problem}", key.redacted())))?;
            mailboxes.insert(key.clone(), mailbox);
        }
        Ok(mailboxes)
    }

    /// Writes a mailbox. An existing mailbox with this key is replaced.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_mailbox(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        self.put(write_mailbox(mailbox)).await
    }

    /// Deletes a mailbox.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn delete_mailbox(&self, key: &MailboxKey) -> Result<(), StoreError> {
        self.delete(&key.pk(), "ACTIONS").await
    }

    /// Every mailbox. Reads the listing index, which is eventually consistent.
    ///
    /// # Errors
    /// As [`mailboxes`](Self::mailboxes).
    pub async fn all_mailboxes(&self) -> Result<BTreeMap<MailboxKey, Mailbox>, StoreError> {
        let listed = self.listed("MAILBOXES", "\u{10ffff}").await?;
        let keys = listed.iter().map(|row| {
            let key = text(row, "listSort").and_then(|text| text.parse().ok());
            key.ok_or_else(|| {
                self.broken(
                    "Query",
                    "mailbox with an invalid listSort: expected an address, a domain or *",
                )
            })
        });
        self.mailboxes(&keys.collect::<Result<Vec<_>, _>>()?).await
    }
}

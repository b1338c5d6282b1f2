//! The index of received mail: one row for each mailbox and mail.
//!
//! A mail is processed more than once: SES invokes the function once for each matching rule, and Lambda and SQS deliver at
//! least once. Writing a row again therefore only adds to it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::mailbox::KeptSubject;
use super::mailbox_key::MailboxKey;
use super::verdict_rules::VerdictAction;
use crate::client::{Store, StoreError, key};
use crate::item::{Item, epoch, hash, n, s, stamp, text, time};

/// A mail in the index of a mailbox. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexedMail {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// SES's id of the mail.
    pub message_id: String,
    /// The time at which SES received the mail.
    pub at: Timestamp,
    /// The recipients that belong to the mailbox, as keys.
    pub recipients: BTreeSet<String>,
    /// The author of the mail, else its envelope sender.
    pub from: Option<String>,
    /// The envelope sender, which a bounce or reply goes to. `None` if null or unknown.
    pub return_path: Option<String>,
    /// What is kept of the subject.
    pub subject: Option<IndexedSubject>,
    /// SES's verdicts by check: `spam`, `virus`, `spf`, `dkim`, `dmarc`, `dmarcPolicy`.
    pub verdicts: BTreeMap<String, String>,
    /// The size of the mail in octets, if known.
    pub size: Option<u64>,
    /// The location of the mail, if it is in a bucket.
    pub location: Option<MailLocation>,
    /// The verdict action of the mailbox.
    pub verdict_action: VerdictAction,
    /// The reasons of the decision. A later write adds to them.
    pub reasons: BTreeSet<String>,
    /// The time after which DynamoDB deletes the row.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for IndexedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexedMail")
            .field("message_id", &self.message_id)
            .field("verdict_action", &self.verdict_action)
            .finish_non_exhaustive()
    }
}

/// What the index keeps of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexedSubject {
    /// A hash of the subject, in hexadecimal.
    Hash(String),
    /// The subject.
    Text(String),
}

impl IndexedSubject {
    /// Applies the setting of a mailbox to a subject.
    #[must_use]
    pub fn of(subject: &str, kept: KeptSubject) -> Option<Self> {
        match kept {
            KeptSubject::None => None,
            KeptSubject::Hash => Some(Self::Hash(format!("{:016x}", hash(&["subject", subject])))),
            KeptSubject::Text => Some(Self::Text(subject.to_owned())),
        }
    }
}

/// An object in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLocation {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

impl IndexedMail {
    fn pk(mailbox: &MailboxKey) -> String {
        format!("MAIL#{mailbox}")
    }

    fn read(item: &Item) -> Option<Self> {
        let string_set = |name: &str| -> BTreeSet<String> {
            let set = item.get(name).and_then(|value| value.as_ss().ok());
            set.map(|set| set.iter().cloned().collect()).unwrap_or_default()
        };
        let verdicts = item
            .get("verdicts")
            .and_then(|value| value.as_m().ok())
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone())));
        let subject = text(item, "subject").map(|subject| IndexedSubject::Text(subject.to_owned()));
        let hashed = text(item, "subjectHash").map(|hash| IndexedSubject::Hash(hash.to_owned()));
        let location = text(item, "bucket").zip(text(item, "objectKey"));
        Some(Self {
            mailbox: text(item, "pk")?.strip_prefix("MAIL#")?.parse().ok()?,
            message_id: text(item, "messageId")?.to_owned(),
            at: time(item, "at")?,
            recipients: string_set("recipients"),
            from: text(item, "from").map(str::to_owned),
            return_path: text(item, "returnPath").map(str::to_owned),
            subject: subject.or(hashed),
            verdicts: verdicts.collect(),
            size: item
                .get("size")
                .and_then(|value| value.as_n().ok())
                .and_then(|size| size.parse().ok()),
            location: location.map(|(bucket, key)| MailLocation {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            verdict_action: text(item, "verdictAction").and_then(VerdictAction::read)?,
            reasons: string_set("reasons"),
            expires_at: epoch(item, "expiresAt")?,
        })
    }
}

impl Store {
    /// Writes a mail into the index of a mailbox. If the row exists, its recipients and reasons are added to, and an optional
    /// attribute that is `None` is kept.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn index_mail(&self, mail: &IndexedMail) -> Result<(), StoreError> {
        let at = stamp(mail.at);
        let verdicts = mail.verdicts.iter().map(|(name, status)| (name.clone(), s(status)));
        let mut set = vec![
            ("messageId", s(&mail.message_id)),
            ("at", s(&at)),
            ("verdictAction", s(mail.verdict_action.as_str())),
            ("verdicts", AttributeValue::M(verdicts.collect())),
            ("expiresAt", n(mail.expires_at.as_second())),
            ("listKey", s(format!("MESSAGE#{}", mail.message_id))),
            ("listSort", s(mail.mailbox.to_string())),
        ];
        match &mail.subject {
            Some(IndexedSubject::Text(subject)) => set.push(("subject", s(subject))),
            Some(IndexedSubject::Hash(hash)) => set.push(("subjectHash", s(hash))),
            None => {}
        }
        set.extend(mail.from.as_ref().map(|from| ("from", s(from))));
        set.extend(mail.return_path.as_ref().map(|path| ("returnPath", s(path))));
        set.extend(mail.size.map(|size| ("size", n(size))));
        if let Some(location) = &mail.location {
            set.push(("bucket", s(&location.bucket)));
            set.push(("objectKey", s(&location.key)));
        }
        let mut add = Vec::new();
        for (name, strings) in [("recipients", &mail.recipients), ("reasons", &mail.reasons)] {
            // DynamoDB has no empty sets.
            if !strings.is_empty() {
                add.push((name, AttributeValue::Ss(strings.iter().cloned().collect())));
            }
        }
        let clause = |attributes: &[(&str, AttributeValue)], separator: &str| -> String {
            let parts: Vec<String> = attributes
                .iter()
                .map(|(name, _)| format!("#{name}{separator}:{name}"))
                .collect();
            parts.join(", ")
        };
        let mut expression = format!("SET {}", clause(&set, " = "));
        if !add.is_empty() {
            expression.push_str(&format!(" ADD {}", clause(&add, " ")));
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(
                &IndexedMail::pk(&mail.mailbox),
                &format!("{at}#{}", mail.message_id),
            )))
            .update_expression(expression);
        for (name, value) in set.into_iter().chain(add) {
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        update.send().await.map_err(|error| self.failed("UpdateItem", error))?;
        Ok(())
    }

    /// The mails of a mailbox, newest first: those before `before`, at most `limit`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn mails(
        &self,
        mailbox: &MailboxKey,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<IndexedMail>, StoreError> {
        let before = before.map_or_else(|| "~".to_owned(), stamp);
        let mut rows = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :before")
            .expression_attribute_values(":pk", s(IndexedMail::pk(mailbox)))
            .expression_attribute_values(":before", s(before))
            .scan_index_forward(false)
            .into_paginator()
            .items()
            .send();
        let mut mails = Vec::new();
        while mails.len() < limit {
            let Some(row) = rows.next().await else { break };
            mails.extend(IndexedMail::read(&row.map_err(|error| self.failed("Query", error))?));
        }
        Ok(mails)
    }

    /// The rows of one mail in all mailboxes. Reads the listing index, which is eventually consistent.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn mail_by_id(&self, message_id: &str) -> Result<Vec<IndexedMail>, StoreError> {
        let listed = self.listed(&format!("MESSAGE#{message_id}"), "\u{10ffff}").await?;
        let mut mails = Vec::new();
        for row in &listed {
            let (Some(pk), Some(sk)) = (text(row, "pk"), text(row, "sk")) else {
                continue;
            };
            let get = self.client.get_item().table_name(&self.table);
            let response = get.set_key(Some(key(pk, sk))).send().await;
            let item = response.map_err(|error| self.failed("GetItem", error))?.item;
            mails.extend(item.as_ref().and_then(IndexedMail::read));
        }
        Ok(mails)
    }
}

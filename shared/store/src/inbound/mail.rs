//! What became of mail that arrived: the index, and what keeps an action from being done twice or too often.
//!
//! Mail comes more than once: SES invokes once per matching rule, Lambda and SQS deliver at least once. So what is
//! written is the same whoever writes it, and what is done for good (a mail is sent, somebody is told) is claimed first
//! and marked as done last. A claim that nobody finished lapses, and the action is tried again: twice is rare and
//! seen, never is not.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use notification_model::EmailAddress;

use super::mailbox::{KeptSubject, MailboxKey, VerdictAction};
use crate::client::{Conditional, Store, StoreError, key};
use crate::item::{Item, epoch, hash, hour, n, s, stamp, text, time};

/// A mail in a mailbox's index, or the note of what was not done with it.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexedMail {
    /// Whose index.
    pub mailbox: MailboxKey,
    /// SES's id of the mail.
    pub message_id: String,
    /// When SES received it.
    pub at: Timestamp,
    /// For whom of the mailbox it was, as keys.
    pub recipients: BTreeSet<String>,
    /// Who wrote it, by its header; else who sent it.
    pub from: Option<String>,
    /// What is kept of its subject.
    pub subject: Option<IndexedSubject>,
    /// SES's words by check: `spam`, `virus`, `spf`, `dkim`, `dmarc`, `dmarcPolicy`.
    pub verdicts: BTreeMap<String, String>,
    /// Its size in octets, when known.
    pub size: Option<u64>,
    /// Where it is, when it is in a bucket.
    pub location: Option<MailLocation>,
    /// What the mailbox made of the verdicts.
    pub action: VerdictAction,
    /// What was decided and why. Union when it is written again.
    pub reasons: BTreeSet<String>,
    /// When DynamoDB may drop it.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for IndexedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexedMail")
            .field("message_id", &self.message_id)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// What is kept of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexedSubject {
    /// A hash in hexadecimal.
    Hash(String),
    /// The subject.
    Text(String),
}

impl IndexedSubject {
    /// What a mailbox keeps of a subject.
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

/// One thing that is to be done once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// SES's id of the mail.
    pub message_id: String,
    /// The mailbox's key, or `-` for what is done once per mail.
    pub mailbox: String,
    /// `forward`, `notify`, ...
    pub action: &'static str,
    /// To whom: an address, an ARN, a URL; or `-`.
    pub target: String,
}

/// Whether the action is ours to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Yes: do it, and then [`finish`](Store::finish_claim) or [`release`](Store::release_claim) it.
    Ours,
    /// It is done.
    Done,
    /// Somebody else began it, and may still be at it.
    Busy,
}

/// Of what a sender gets only so much done in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SenderCap {
    /// Mail forwarded.
    Forwards,
    /// Mail answered or bounced.
    Answers,
}

impl ClaimKey {
    fn key(&self) -> Item {
        key(
            &format!("CLAIM#{}", self.message_id),
            &format!("{}#{}#{}", self.mailbox, self.action, self.target),
        )
    }
}

impl IndexedMail {
    fn pk(mailbox: &MailboxKey) -> String {
        format!("MAIL#{mailbox}")
    }

    fn read(item: &Item) -> Option<Self> {
        let words = |name: &str| -> BTreeSet<String> {
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
            recipients: words("recipients"),
            from: text(item, "from").map(str::to_owned),
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
            action: text(item, "action").and_then(VerdictAction::read)?,
            reasons: words("reasons"),
            expires_at: epoch(item, "expiresAt")?,
        })
    }
}

impl Store {
    /// Writes a mail into a mailbox's index. Written again, what is there stays, and recipients and reasons add up: so
    /// a later note is the same mail with one more reason.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn index_mail(&self, mail: &IndexedMail) -> Result<(), StoreError> {
        let at = stamp(mail.at);
        let verdicts = mail.verdicts.iter().map(|(name, word)| (name.clone(), s(word)));
        let mut set = vec![
            ("messageId", s(&mail.message_id)),
            ("at", s(&at)),
            ("action", s(mail.action.as_str())),
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
        set.extend(mail.size.map(|size| ("size", n(size))));
        if let Some(location) = &mail.location {
            set.push(("bucket", s(&location.bucket)));
            set.push(("objectKey", s(&location.key)));
        }
        let mut add = Vec::new();
        for (name, words) in [("recipients", &mail.recipients), ("reasons", &mail.reasons)] {
            // DynamoDB has no empty sets.
            if !words.is_empty() {
                add.push((name, AttributeValue::Ss(words.iter().cloned().collect())));
            }
        }
        let clause = |parts: &[(&str, AttributeValue)], between: &str| -> String {
            let parts: Vec<String> = parts
                .iter()
                .map(|(name, _)| format!("#{name}{between}:{name}"))
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

    /// A mailbox's mails, newest first: those before `before`, at most `limit`.
    ///
    /// # Errors
    /// When DynamoDB fails.
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

    /// Every mailbox's entry of one mail. Reads the index, which may be a second behind.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mail_by_id(&self, message_id: &str) -> Result<Vec<IndexedMail>, StoreError> {
        let listed = self.listed(&format!("MESSAGE#{message_id}"), "\u{10ffff}").await?;
        let mut mails = Vec::new();
        for row in &listed {
            let (Some(pk), Some(sk)) = (text(row, "pk"), text(row, "sk")) else {
                continue;
            };
            let get = self.client.get_item().table_name(&self.table);
            let answer = get.set_key(Some(key(pk, sk))).send().await;
            let item = answer.map_err(|error| self.failed("GetItem", error))?.item;
            mails.extend(item.as_ref().and_then(IndexedMail::read));
        }
        Ok(mails)
    }

    /// Claims an action. A claim of somebody else counts until `lapsed`. One write request.
    ///
    /// # Errors
    /// When DynamoDB fails. Then the claim may be ours all the same, and lapses.
    pub async fn claim(
        &self,
        claim: &ClaimKey,
        now: Timestamp,
        lapsed: Timestamp,
        expires_at: Timestamp,
    ) -> Result<ClaimOutcome, StoreError> {
        let mut item = claim.key();
        item.insert("claimedAt".to_owned(), s(stamp(now)));
        item.insert("expiresAt".to_owned(), n(expires_at.as_second()));
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR (attribute_not_exists(doneAt) AND claimedAt < :lapsed)")
            .expression_attribute_values(":lapsed", s(stamp(lapsed)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.conditional("PutItem", answer)? {
            Conditional::Written(_) => ClaimOutcome::Ours,
            Conditional::ConditionFailed(Some(row)) if row.contains_key("doneAt") => ClaimOutcome::Done,
            Conditional::ConditionFailed(_) => ClaimOutcome::Busy,
        })
    }

    /// Marks a claimed action as done: it is never done again. `outcome` tells people what became of it.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn finish_claim(&self, claim: &ClaimKey, now: Timestamp, outcome: &str) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        update
            .set_key(Some(claim.key()))
            .update_expression("SET doneAt = :now, outcome = :outcome")
            .expression_attribute_values(":now", s(stamp(now)))
            .expression_attribute_values(":outcome", s(outcome))
            .send()
            .await
            .map_err(|error| self.failed("UpdateItem", error))?;
        Ok(())
    }

    /// Gives a claim back, because the action surely did not take place. `now` is that of [`claim`](Self::claim): a claim
    /// that lapsed and was taken over is left alone.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn release_claim(&self, claim: &ClaimKey, now: Timestamp) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let answer = delete
            .set_key(Some(claim.key()))
            .condition_expression("claimedAt = :now AND attribute_not_exists(doneAt)")
            .expression_attribute_values(":now", s(stamp(now)))
            .send()
            .await;
        self.took_place("DeleteItem", answer).map(drop)
    }

    /// What was done with a mail: mailbox, action and target as one text, with the outcome once it is done.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn claims(&self, message_id: &str) -> Result<BTreeMap<String, Option<String>>, StoreError> {
        let rows = self
            .rows_between(&format!("CLAIM#{message_id}"), " ", "\u{10ffff}")
            .await?;
        let read = |row: &Item| Some((text(row, "sk")?.to_owned(), text(row, "outcome").map(str::to_owned)));
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Whether a mailbox may answer a sender: not when it has answered another mail of theirs since `since`. Asked again
    /// about the same mail the answer is the same.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn may_reply(
        &self,
        mailbox: &MailboxKey,
        sender: &EmailAddress,
        message_id: &str,
        at: Timestamp,
        since: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        let answer = update
            .set_key(Some(key(&format!("REPLY#{mailbox}"), sender.key())))
            .update_expression("SET repliedAt = :at, messageId = :id, expiresAt = :expires")
            .condition_expression("attribute_not_exists(pk) OR repliedAt < :since OR messageId = :id")
            .expression_attribute_values(":at", s(stamp(at)))
            .expression_attribute_values(":since", s(stamp(since)))
            .expression_attribute_values(":id", s(message_id))
            .expression_attribute_values(":expires", n(expires_at.as_second()))
            .send()
            .await;
        self.took_place("UpdateItem", answer)
    }

    /// Counts a mail for its sender, unless that makes more than `cap` in the hour of `at`: then `false`. A mail counts
    /// once, however often it is counted.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn count_for_sender(
        &self,
        what: SenderCap,
        sender: &str,
        message_id: &str,
        at: Timestamp,
        cap: usize,
    ) -> Result<bool, StoreError> {
        let what = match what {
            SenderCap::Forwards => "forwards",
            SenderCap::Answers => "answers",
        };
        let id = Blob::new(hash(&[message_id]).to_be_bytes());
        let expires_at = at.as_second().saturating_add(2 * 3600);
        let update = self.client.update_item().table_name(&self.table);
        let answer = update
            .set_key(Some(key(&format!("MAILER#{sender}"), &format!("{}#{what}", hour(at)))))
            .update_expression("ADD ids :ids SET expiresAt = :expires")
            .condition_expression("attribute_not_exists(ids) OR size(ids) < :cap OR contains(ids, :id)")
            .expression_attribute_values(":ids", AttributeValue::Bs(vec![id.clone()]))
            .expression_attribute_values(":id", AttributeValue::B(id))
            .expression_attribute_values(":cap", n(cap))
            .expression_attribute_values(":expires", n(expires_at))
            .send()
            .await;
        self.took_place("UpdateItem", answer)
    }
}

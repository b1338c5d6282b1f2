//! The mail that the inbound function sends, by SES's message id. The feedback function recognises feedback about it.

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::mailbox_key::MailboxKey;
use crate::client::{Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text};

/// A mail that the inbound function sent. `Debug` shows no address.
#[derive(Clone, PartialEq, Eq)]
pub struct SentMail {
    /// SES's message id of the mail that was sent.
    pub message_id: String,
    /// What was sent.
    pub kind: SentKind,
    /// The mailbox that sent it.
    pub mailbox: MailboxKey,
    /// The recipient.
    pub to: EmailAddress,
    /// SES's message id of the received mail.
    pub received_id: String,
}

/// What the inbound function sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SentKind {
    /// A forward, or the notice that replaces it.
    Forward,
    /// An automatic reply.
    Answer,
}

impl std::fmt::Debug for SentMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentMail")
            .field("message_id", &self.message_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl SentKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Answer => "answer",
        }
    }
}

const SK: &str = "MAIL";

fn pk(message_id: &str) -> String {
    format!("SENT#{message_id}")
}

impl SentMail {
    fn read(message_id: &str, item: &Item) -> Option<Self> {
        let kinds = [SentKind::Forward, SentKind::Answer];
        Some(Self {
            message_id: message_id.to_owned(),
            kind: kinds
                .into_iter()
                .find(|kind| Some(kind.as_str()) == text(item, "kind"))?,
            mailbox: text(item, "mailbox")?.parse().ok()?,
            to: EmailAddress::parse(text(item, "to")?)?,
            received_id: text(item, "receivedId")?.to_owned(),
        })
    }
}

impl Store {
    /// Records a mail that was sent at `now`. Writing it again changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn record_sent(&self, sent: &SentMail, now: Timestamp, expires_at: Timestamp) -> Result<(), StoreError> {
        let mut item = key(&pk(&sent.message_id), SK);
        item.insert("kind".to_owned(), s(sent.kind.as_str()));
        item.insert("mailbox".to_owned(), s(sent.mailbox.to_string()));
        item.insert("to".to_owned(), s(sent.to.as_str()));
        item.insert("receivedId".to_owned(), s(&sent.received_id));
        item.insert("sentAt".to_owned(), s(stamp(now)));
        item.insert("expiresAt".to_owned(), n(expires_at.as_second()));
        self.put(item).await
    }

    /// Returns the mail with this SES message id, if the inbound function sent it. One read request.
    ///
    /// # Errors
    /// If DynamoDB fails or leaves the key unprocessed.
    pub async fn sent_mail(&self, message_id: &str) -> Result<Option<SentMail>, StoreError> {
        let rows = self.get_rows(&[pk(message_id)], SK).await?;
        let row = rows.into_values().next();
        Ok(row.and_then(|row| SentMail::read(message_id, &row)))
    }
}

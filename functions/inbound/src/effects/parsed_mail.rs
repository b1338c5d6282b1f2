//! Adds the parsed mail to a notification. What does not fit into a message is stored in the bucket.

use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};

use super::context::MailContext;
use super::error::ActionError;
use super::mail_source::MailSourceError;
use super::services::Effects;
use crate::mail::parsed::{self, Attachment, ParsedMail};

/// SNS accepts messages of 256 KB. The summary has less than 80 KB.
const MAX_MESSAGE_OCTETS: usize = 250_000;
/// A longer text or HTML is stored in the bucket.
const MAX_INLINE_OCTETS: usize = 40_000;
const MAX_HEADER_OCTETS: usize = 24_000;
/// Further attachments are counted, and neither listed nor stored.
const MAX_ATTACHMENTS: usize = 100;
/// The prefix of the stored parts.
const PREFIX: &str = "parsed/";

impl Effects {
    /// The summary with the field `mail`: the parsed mail, or `null` and the reason in `mailProblem`.
    pub(super) async fn with_parsed_mail(
        &self,
        context: &MailContext<'_>,
        summary: &str,
    ) -> Result<String, ActionError> {
        let limits = &self.settings.limits;
        let whole = context.source.whole(&self.clients.s3, limits.parsed_bytes as u64).await;
        let parsed = match whole {
            Ok(mail) => parsed::parse(&mail, limits).map_err(|error| error.to_string()),
            Err(error @ (MailSourceError::TooLarge { .. } | MailSourceError::Content(_))) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        let mut message: Value = serde_json::from_str(summary).unwrap_or_else(|_| json!({}));
        let mut set = |name: &str, value: Value| {
            if let Some(message) = message.as_object_mut() {
                message.insert(name.to_owned(), value);
            }
        };
        match parsed {
            Ok(mail) => set(
                "mail",
                self.mail_json(context, mail, MAX_MESSAGE_OCTETS - summary.len().min(100_000))
                    .await?,
            ),
            Err(problem) => {
                set("mail", Value::Null);
                set("mailProblem", json!(problem));
            }
        }
        // SQS and SNS reject characters that XML does not allow. In JSON they occur only within strings.
        Ok(message.to_string().replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
    }

    async fn mail_json(
        &self,
        context: &MailContext<'_>,
        mail: ParsedMail,
        budget: usize,
    ) -> Result<Value, ActionError> {
        let ParsedMail {
            headers,
            text,
            html,
            attachments,
        } = mail;
        let omitted = attachments.len().saturating_sub(MAX_ATTACHMENTS);
        let mut listed = Vec::new();
        for (index, attachment) in attachments.iter().take(MAX_ATTACHMENTS).enumerate() {
            listed.push(self.attachment_json(context, index, attachment).await?);
        }
        let (headers, headers_truncated) = bounded_headers(headers);
        let used = json!([headers, listed]).to_string().len();
        let inline = MAX_INLINE_OCTETS.min(budget.saturating_sub(used) / 2);
        Ok(json!({
            "headers": headers,
            "headersTruncated": headers_truncated,
            "text": self.text_json(context, "text", text, inline).await?,
            "html": self.text_json(context, "html", html, inline).await?,
            "attachments": listed,
            "attachmentsOmitted": omitted,
        }))
    }

    /// A text in the message, or else its location.
    async fn text_json(
        &self,
        context: &MailContext<'_>,
        name: &str,
        text: Option<String>,
        inline: usize,
    ) -> Result<Value, ActionError> {
        let Some(text) = text else { return Ok(Value::Null) };
        if json!(text).to_string().len() <= inline {
            return Ok(json!({ "content": text }));
        }
        let size = text.len();
        let location = self.store_part(context, name, text.into_bytes()).await?;
        Ok(json!({ "sizeBytes": size, "location": location }))
    }

    async fn attachment_json(
        &self,
        context: &MailContext<'_>,
        index: usize,
        attachment: &Attachment,
    ) -> Result<Value, ActionError> {
        let name = format!("attachment-{}", index + 1);
        let location = self.store_part(context, &name, attachment.content.clone()).await?;
        Ok(json!({
            "name": attachment.name,
            "type": attachment.media_type,
            "contentId": attachment.content_id,
            "sizeBytes": attachment.content.len(),
            "location": location,
        }))
    }

    /// Stores a part in the bucket for mail. `null` without a bucket. The object has no type of the sender, so that no browser
    /// shows it.
    async fn store_part(&self, context: &MailContext<'_>, name: &str, content: Vec<u8>) -> Result<Value, ActionError> {
        let Some(bucket) = &self.settings.mail_bucket else {
            return Ok(Value::Null);
        };
        let key = format!("{PREFIX}{}/{name}", context.received.mail.message_id);
        let request = self.clients.s3.put_object().bucket(bucket).key(&key);
        let request = request
            .content_type("application/octet-stream")
            .content_disposition("attachment")
            .body(ByteStream::from(content));
        let response = request.send().await;
        response.map_err(|error| ActionError::of_call("PutObject", &error))?;
        Ok(json!({ "bucket": bucket, "key": key }))
    }
}

/// The first fields that fit.
fn bounded_headers(headers: Vec<(String, String)>) -> (Vec<Value>, bool) {
    let (mut kept, mut size) = (Vec::new(), 0);
    let count = headers.len();
    for (name, value) in headers {
        let field = json!({ "name": name, "value": value });
        size += field.to_string().len() + 1;
        if size > MAX_HEADER_OCTETS {
            break;
        }
        kept.push(field);
    }
    let is_truncated = kept.len() < count;
    (kept, is_truncated)
}

//! Reads the mail itself, from the SES event or from a bucket. The header is read at most once, and so is the whole mail.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use lambda_kit::sdk_error_code;
use notification_model::{ContentError, ReceiptAction, Received};
use store::MailLocation;
use tokio::sync::Mutex as AsyncMutex;

use crate::decide::{HeaderFacts, read_header_facts};
use crate::mail::Limits;
use crate::settings::Settings;

/// Why a mail cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailSourceError {
    /// The location of the mail is not known.
    #[error("the location of the mail is not known: add an S3 action to the rule and set MAIL_BUCKET")]
    UnknownLocation,
    /// The object does not exist (yet).
    #[error(
        "the mail is not in the bucket: put the S3 action before the Lambda action in the rule, \
         with the bucket and prefix of MAIL_BUCKET and MAIL_PREFIX"
    )]
    Missing,
    /// The S3 action encrypted the mail before it stored it.
    #[error(
        "the S3 action of SES encrypted the mail: remove the KMS key from the action and use the encryption of the bucket"
    )]
    Encrypted,
    /// The content of the SNS action cannot be decoded.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The mail is larger than the limit.
    #[error("the mail has {size} octets, more than {limit}")]
    TooLarge {
        /// The size of the mail in octets.
        size: u64,
        /// The limit in octets.
        limit: u64,
    },
    /// S3 returned an error or did not respond.
    #[error("GetObject: {0}")]
    S3(String),
}

/// The location of a mail, and the part of it that was read.
#[derive(Debug)]
pub struct MailSource {
    location: Location,
    size: Mutex<Option<u64>>,
    whole: AsyncMutex<Option<Arc<Vec<u8>>>>,
}

#[derive(Debug)]
enum Location {
    Event(Result<Arc<Vec<u8>>, ContentError>),
    Bucket(MailLocation),
    Unknown,
}

impl MailSource {
    pub(super) fn of(received: &Received, settings: &Settings) -> Self {
        let location = match (&received.content, &received.receipt.action) {
            (Some(content), _) => Location::Event(content.bytes().map(Arc::new)),
            (
                None,
                ReceiptAction::S3 {
                    bucket_name,
                    object_key,
                    ..
                },
            ) => Location::Bucket(MailLocation {
                bucket: bucket_name.clone(),
                key: object_key.clone(),
            }),
            (None, _) => settings.mail_bucket.as_ref().map_or(Location::Unknown, |bucket| {
                Location::Bucket(MailLocation {
                    bucket: bucket.clone(),
                    key: format!("{}{}", settings.mail_prefix, received.mail.message_id),
                })
            }),
        };
        let size = match &location {
            Location::Event(Ok(mail)) => Some(mail.len() as u64),
            _ => None,
        };
        Self {
            location,
            size: Mutex::new(size),
            whole: AsyncMutex::default(),
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.location, Location::Unknown)
    }

    /// The size of the mail in octets, once it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        *self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The object, if the mail is in a bucket.
    #[must_use]
    pub fn location(&self) -> Option<MailLocation> {
        match &self.location {
            Location::Bucket(location) => Some(location.clone()),
            Location::Event(_) | Location::Unknown => None,
        }
    }

    /// Reads the header.
    pub(super) async fn header(
        &self,
        s3: &Client,
        received: &Received,
        limits: &Limits,
    ) -> Result<HeaderFacts, MailSourceError> {
        let location = match &self.location {
            Location::Event(mail) => {
                let mail = mail.clone()?;
                return Ok(read_header_facts(&mail, true, received, limits));
            }
            Location::Bucket(location) => location,
            Location::Unknown => return Err(MailSourceError::UnknownLocation),
        };
        // One octet more than the limit shows whether the header block fits.
        let wanted = limits.header_bytes as u64;
        let output = get(s3, location, Some(wanted)).await?;
        let total = total_size(&output);
        let beginning = body(output, wanted + 1).await?;
        let whole = total.is_none_or(|total| total <= beginning.len() as u64);
        *self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = total.or(Some(beginning.len() as u64));
        let header = read_header_facts(&beginning, whole, received, limits);
        if whole {
            *self.whole.lock().await = Some(Arc::new(beginning));
        }
        Ok(header)
    }

    /// Reads the whole mail, unless it is larger than `limit` octets.
    pub(super) async fn whole(&self, s3: &Client, limit: u64) -> Result<Arc<Vec<u8>>, MailSourceError> {
        let too_large = |size: u64| (size > limit).then_some(MailSourceError::TooLarge { size, limit });
        if let Some(error) = self.size().and_then(too_large) {
            return Err(error);
        }
        let location = match &self.location {
            Location::Event(mail) => return Ok(mail.clone()?),
            Location::Bucket(location) => location,
            Location::Unknown => return Err(MailSourceError::UnknownLocation),
        };
        // Concurrent callers wait for the first one that reads.
        let mut whole = self.whole.lock().await;
        if let Some(mail) = whole.as_ref() {
            return Ok(mail.clone());
        }
        let output = get(s3, location, None).await?;
        let size = output.content_length().and_then(|length| u64::try_from(length).ok());
        if let Some(error) = size.and_then(too_large) {
            return Err(error);
        }
        let mail = Arc::new(body(output, limit).await?);
        *whole = Some(mail.clone());
        Ok(mail)
    }

    /// Releases the memory of the mail.
    pub(super) fn release(&self) {
        if let Ok(mut whole) = self.whole.try_lock() {
            *whole = None;
        }
    }
}

async fn get(
    s3: &Client,
    location: &MailLocation,
    last_octet: Option<u64>,
) -> Result<GetObjectOutput, MailSourceError> {
    let request = s3
        .get_object()
        .bucket(&location.bucket)
        .key(&location.key)
        .set_range(last_octet.map(|last| format!("bytes=0-{last}")));
    let output = request.send().await.map_err(|error| s3_error(&error))?;
    let metadata = output.metadata();
    // Metadata of client-side encryption: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-s3.html
    let encryption_metadata = ["x-amz-key-v2", "x-amz-key", "x-amz-cek-alg"];
    if encryption_metadata
        .iter()
        .any(|name| metadata.is_some_and(|metadata| metadata.contains_key(*name)))
    {
        return Err(MailSourceError::Encrypted);
    }
    Ok(output)
}

fn s3_error<R>(error: &SdkError<GetObjectError, R>) -> MailSourceError {
    match sdk_error_code(error).as_str() {
        "NoSuchKey" | "NotFound" => MailSourceError::Missing,
        // Without permission to list the bucket, S3 returns this code for a missing object as well.
        "AccessDenied" => MailSourceError::S3("AccessDenied, or the mail is not in the bucket".to_owned()),
        code => MailSourceError::S3(code.to_owned()),
    }
}

/// The size of the whole object. The response to a range has `bytes 0-524288/40000000`.
fn total_size(output: &GetObjectOutput) -> Option<u64> {
    let range_total = output.content_range().and_then(|range| range.rsplit_once('/'));
    match range_total {
        Some((_, total)) => total.parse().ok(),
        None => u64::try_from(output.content_length()?).ok(),
    }
}

/// Reads the body into one buffer.
async fn body(output: GetObjectOutput, limit: u64) -> Result<Vec<u8>, MailSourceError> {
    let expected = output.content_length().and_then(|length| usize::try_from(length).ok());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = output.body;
    let mut bytes = Vec::with_capacity(expected.unwrap_or_default().min(limit));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| MailSourceError::S3("the body ended early".to_owned()))?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(MailSourceError::TooLarge {
                size: bytes.len().saturating_add(chunk.len()) as u64,
                limit: limit as u64,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

//! Where the mail itself is: in SES's event, or in a bucket. Its beginning is read once, and the rest at most once and only
//! when it is sent or searched.

use std::sync::Mutex;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use notification_model::{ContentError, ReceiptAction, Received};
use std::sync::Arc;
use store::MailLocation;
use tokio::sync::Mutex as AsyncMutex;

use crate::decide::{HeadFacts, read_head};
use crate::mail::Limits;
use crate::settings::Settings;

/// Why a mail cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody said where it is.
    #[error("the mail is nowhere to be read: give the rule an S3 action and the function MAIL_BUCKET")]
    Nowhere,
    /// Not there, or not yet.
    #[error(
        "the mail is not in the bucket: in the rule the S3 action must come before the Lambda action, \
         with the bucket and prefix of MAIL_BUCKET and MAIL_PREFIX"
    )]
    Missing,
    /// The S3 action encrypts before it stores.
    #[error(
        "the mail is encrypted by SES's S3 action: take the key off the action and use the bucket's own encryption"
    )]
    Encrypted,
    /// The SNS action's content is not what it says.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// More than is read at all.
    #[error("the mail has {size} octets, more than {limit}")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// S3.
    #[error("GetObject: {0}")]
    S3(String),
}

/// Where a mail is, and what was read of it.
#[derive(Debug)]
pub struct Source {
    place: Place,
    size: Mutex<Option<u64>>,
    whole: AsyncMutex<Option<Arc<Vec<u8>>>>,
}

#[derive(Debug)]
enum Place {
    Event(Result<Arc<Vec<u8>>, ContentError>),
    Bucket(MailLocation),
    Nowhere,
}

impl Source {
    pub(super) fn of(received: &Received, settings: &Settings) -> Self {
        let place = match (&received.content, &received.receipt.action) {
            (Some(content), _) => Place::Event(content.bytes().map(Arc::new)),
            (
                None,
                ReceiptAction::S3 {
                    bucket_name,
                    object_key,
                    ..
                },
            ) => Place::Bucket(MailLocation {
                bucket: bucket_name.clone(),
                key: object_key.clone(),
            }),
            (None, _) => settings.mail_bucket.as_ref().map_or(Place::Nowhere, |bucket| {
                Place::Bucket(MailLocation {
                    bucket: bucket.clone(),
                    key: format!("{}{}", settings.mail_prefix, received.mail.message_id),
                })
            }),
        };
        let size = match &place {
            Place::Event(Ok(mail)) => Some(mail.len() as u64),
            _ => None,
        };
        Self {
            place,
            size: Mutex::new(size),
            whole: AsyncMutex::default(),
        }
    }

    pub(super) fn is_nowhere(&self) -> bool {
        matches!(self.place, Place::Nowhere)
    }

    /// The mail's size, once it was looked at.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        *self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The object, when the mail is in a bucket.
    #[must_use]
    pub fn location(&self) -> Option<MailLocation> {
        match &self.place {
            Place::Bucket(location) => Some(location.clone()),
            Place::Event(_) | Place::Nowhere => None,
        }
    }

    /// What the header says.
    pub(super) async fn head(
        &self,
        s3: &Client,
        received: &Received,
        limits: &Limits,
    ) -> Result<HeadFacts, SourceError> {
        let location = match &self.place {
            Place::Event(mail) => {
                let mail = mail.clone()?;
                return Ok(read_head(&mail, true, received, limits));
            }
            Place::Bucket(location) => location,
            Place::Nowhere => return Err(SourceError::Nowhere),
        };
        // One octet more tells a block that is too long from one that ends there.
        let wanted = limits.header_bytes as u64;
        let output = get(s3, location, Some(wanted)).await?;
        let total = total_size(&output);
        let beginning = body(output, wanted + 1).await?;
        let whole = total.is_none_or(|total| total <= beginning.len() as u64);
        *self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = total.or(Some(beginning.len() as u64));
        let head = read_head(&beginning, whole, received, limits);
        if whole {
            *self.whole.lock().await = Some(Arc::new(beginning));
        }
        Ok(head)
    }

    /// The whole mail, unless it is larger than `limit`.
    pub(super) async fn whole(&self, s3: &Client, limit: u64) -> Result<Arc<Vec<u8>>, SourceError> {
        let too_large = |size: u64| (size > limit).then_some(SourceError::TooLarge { size, limit });
        if let Some(error) = self.size().and_then(too_large) {
            return Err(error);
        }
        let location = match &self.place {
            Place::Event(mail) => return Ok(mail.clone()?),
            Place::Bucket(location) => location,
            Place::Nowhere => return Err(SourceError::Nowhere),
        };
        // Those who come meanwhile wait for the one that reads.
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

    /// Lets go of the mail's bytes.
    pub(super) fn forget(&self) {
        if let Ok(mut whole) = self.whole.try_lock() {
            *whole = None;
        }
    }
}

async fn get(s3: &Client, location: &MailLocation, first: Option<u64>) -> Result<GetObjectOutput, SourceError> {
    let request = s3
        .get_object()
        .bucket(&location.bucket)
        .key(&location.key)
        .set_range(first.map(|octets| format!("bytes=0-{octets}")));
    let output = request.send().await.map_err(|error| unreadable(&error))?;
    let metadata = output.metadata();
    // https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-s3.html: what comes back is ciphertext.
    let encrypted = ["x-amz-key-v2", "x-amz-key", "x-amz-cek-alg"];
    if encrypted
        .iter()
        .any(|name| metadata.is_some_and(|metadata| metadata.contains_key(*name)))
    {
        return Err(SourceError::Encrypted);
    }
    Ok(output)
}

fn unreadable<R>(error: &SdkError<GetObjectError, R>) -> SourceError {
    match error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some("NoSuchKey" | "NotFound") => SourceError::Missing,
            // S3 says so about an object that is not there as well, to those who may not list the bucket.
            Some("AccessDenied") => SourceError::S3("AccessDenied, or the mail is not in the bucket".to_owned()),
            code => SourceError::S3(code.unwrap_or("no code").to_owned()),
        },
        SdkError::TimeoutError(_) => SourceError::S3("timed out".to_owned()),
        SdkError::DispatchFailure(_) => SourceError::S3("no connection".to_owned()),
        _ => SourceError::S3("no answer".to_owned()),
    }
}

/// The size of the whole object: `bytes 0-524288/40000000` in the answer to a range.
fn total_size(output: &GetObjectOutput) -> Option<u64> {
    let of_range = output.content_range().and_then(|range| range.rsplit_once('/'));
    match of_range {
        Some((_, total)) => total.parse().ok(),
        None => u64::try_from(output.content_length()?).ok(),
    }
}

/// The body in one piece, copied once.
async fn body(output: GetObjectOutput, limit: u64) -> Result<Vec<u8>, SourceError> {
    let expected = output.content_length().and_then(|length| usize::try_from(length).ok());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = output.body;
    let mut bytes = Vec::with_capacity(expected.unwrap_or_default().min(limit));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| SourceError::S3("the body broke off".to_owned()))?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(SourceError::TooLarge {
                size: bytes.len().saturating_add(chunk.len()) as u64,
                limit: limit as u64,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

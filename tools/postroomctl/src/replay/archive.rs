//! The archive: objects that Firehose writes under `notifications/yyyy/MM/dd/`, compressed with gzip, by the day on which
//! Firehose received the first record.

use std::collections::BTreeSet;
use std::io::Read;

use anyhow::{Context, bail};
use aws_sdk_s3::Client;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};

use crate::aws_error::AwsError;

/// A notification may be in an object of the day before, when the object began then, or of the day after, when it
/// arrived late.
const DAY_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);
/// Firehose buffers 5 MB for an object, which cannot unpack to this.
const MAX_UNPACKED_BYTES: u64 = 1024 * 1024 * 1024;

/// Where objects are read from.
pub(super) enum Archive {
    Files,
    Bucket { s3: Client, bucket: String },
}

/// Which objects of a bucket may hold notifications of a period.
pub(super) struct ArchiveQuery<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Archive {
    pub(super) async fn read(&self, object: &str) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Files => std::fs::read(object).with_context(|| object.to_owned()),
            Self::Bucket { s3, bucket } => {
                let response = s3.get_object().bucket(bucket).key(object).send().await;
                let response = response.map_err(|error| AwsError::of_operation("GetObject", &error))?;
                let body = response.body.collect().await;
                let body =
                    body.map_err(|error| AwsError::new(format!("GetObject: {}", lambda_kit::sdk_error_text(&error))))?;
                Ok(body.to_vec())
            }
        }
    }
}

impl ArchiveQuery<'_> {
    pub(super) async fn list_objects(&self) -> anyhow::Result<(Archive, Vec<String>)> {
        let Some(since) = self.since else {
            bail!("expected --since with --bucket");
        };
        let until = self.until.unwrap_or_else(Timestamp::now);
        if until <= since {
            bail!("expected --until after --since");
        }
        let s3 = s3_client().await;
        let mut keys = Vec::new();
        for day in days(since, until) {
            let prefix = format!("{}{day}/", self.prefix);
            let request = s3.list_objects_v2().bucket(self.bucket).prefix(prefix);
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| AwsError::of_operation("ListObjectsV2", &error))?;
                let objects = page.contents.unwrap_or_default();
                keys.extend(objects.into_iter().filter_map(|object| object.key));
            }
        }
        let bucket = self.bucket.to_owned();
        Ok((Archive::Bucket { s3, bucket }, keys))
    }
}

/// The days of a period, with the tolerance at both ends, as `yyyy/MM/dd`.
fn days(since: Timestamp, until: Timestamp) -> BTreeSet<String> {
    let first = since.saturating_sub(DAY_TOLERANCE).unwrap_or(since);
    let last = until.saturating_add(DAY_TOLERANCE).unwrap_or(until);
    let mut days = BTreeSet::new();
    let mut day = first;
    while day < last {
        days.insert(day.strftime("%Y/%m/%d").to_string());
        day = day.saturating_add(SignedDuration::from_hours(24)).unwrap_or(last);
    }
    days.insert(last.strftime("%Y/%m/%d").to_string());
    days
}

async fn s3_client() -> Client {
    let config = crate::sdk_config::load().await;
    let mut settings = aws_sdk_s3::config::Builder::from(&config);
    if std::env::var_os("AWS_ENDPOINT_URL").is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some() {
        // A local S3 has no host name for each bucket.
        settings = settings.force_path_style(true);
    }
    Client::from_conf(settings.build())
}

/// Decompresses gzip; other data is returned as it is.
pub(super) fn unpack(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .take(MAX_UNPACKED_BYTES)
        .read_to_end(&mut unpacked)
        .context("invalid gzip data")?;
    Ok(unpacked)
}

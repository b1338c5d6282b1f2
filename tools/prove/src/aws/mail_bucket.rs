//! The bucket of received mail.

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::response::{response, s3_error};

/// The objects of the bucket, by key.
#[derive(Debug, Default)]
pub(super) struct MailBucket(pub(super) BTreeMap<String, String>);

impl MailBucket {
    /// `GetObject`. Mail is small, so a range from the beginning contains all of it.
    pub(super) fn get(&self, key: &str) -> HttpResponse {
        let Some(object) = self.0.get(key) else {
            return s3_error("NoSuchKey", 404);
        };
        let mut found = response(206, object.clone());
        let last = object.len().saturating_sub(1);
        let headers = found.headers_mut();
        headers.insert("content-length", object.len().to_string());
        headers.insert("content-range", format!("bytes 0-{last}/{}", object.len()));
        found
    }
}

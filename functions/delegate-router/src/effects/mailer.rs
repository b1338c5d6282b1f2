//! Sends mail through SES.

use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use lambda_kit::LazyClient;
use notification_model::EmailAddress;

use crate::effects::target_error::TargetError;
use crate::own_notification::{OWN_HEADER, OWN_TAG};
use crate::rendered_mail::RenderedMail;

/// Sends mail from the sender of digests.
#[derive(Debug, Clone)]
pub(super) struct Mailer {
    ses: LazyClient<aws_sdk_sesv2::Client>,
    from: Option<EmailAddress>,
}

impl Mailer {
    /// Without a sender `from`, no mail can be sent.
    pub(super) fn new(ses: LazyClient<aws_sdk_sesv2::Client>, from: Option<EmailAddress>) -> Self {
        Self { ses, from }
    }

    /// Checks that mail can be sent to an address.
    ///
    /// # Errors
    /// When there is no sender or the address is invalid. The error is permanent.
    pub(super) fn recipient(&self, address: &str) -> Result<EmailAddress, TargetError> {
        self.sender()?;
        EmailAddress::parse(address)
            .filter(|address| address.domain().is_some())
            .ok_or_else(|| TargetError::permanent("InvalidAddress", "expected a mail address"))
    }

    /// Sends a mail. SES has no idempotency key, so a retry after a lost response sends it twice.
    ///
    /// # Errors
    /// When there is no sender or SES does not accept it.
    pub(super) async fn send(&self, address: &str, mail: &RenderedMail) -> Result<(), TargetError> {
        let from = self.sender()?;
        let (name, value) = OWN_TAG;
        let tag = MessageTag::builder().name(name).value(value).build();
        self.ses
            .send_email()
            .from_email_address(from.as_str())
            .destination(Destination::builder().to_addresses(address).build())
            .content(content(mail).map_err(TargetError::temporary)?)
            .email_tags(tag.map_err(TargetError::temporary)?)
            .send()
            .await
            .map(drop)
            .map_err(|error| TargetError::from_sdk(&error))
    }

    fn sender(&self) -> Result<&EmailAddress, TargetError> {
        let message = "DIGEST_FROM is not set: set the template parameter DigestFrom to send mail";
        let from = self.from.as_ref();
        from.ok_or_else(|| TargetError::permanent("NoDigestSender", message))
    }
}

fn content(mail: &RenderedMail) -> Result<EmailContent, BuildError> {
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |name: &str, value: &str| MessageHeader::builder().name(name).value(value).build();
    let body = Body::builder().text(text(&mail.text)?).html(text(&mail.html)?).build();
    let message = Message::builder()
        .subject(text(&mail.subject)?)
        .body(body)
        .headers(header(OWN_HEADER, OWN_TAG.1)?)
        // RFC 3834: automatic responders do not answer.
        .headers(header("Auto-Submitted", "auto-generated")?)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

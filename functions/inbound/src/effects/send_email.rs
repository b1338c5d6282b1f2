//! Sends a mail through the SES API v2.

use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use notification_model::EmailAddress;

use super::error::ActionError;
use super::services::Effects;

impl Effects {
    /// Sends a mail to one address, whatever recipients its header has. Returns SES's id of the mail.
    pub(super) async fn send_email(
        &self,
        from: &EmailAddress,
        to: &EmailAddress,
        mail: Vec<u8>,
    ) -> Result<String, ActionError> {
        let raw = RawMessage::builder().data(Blob::new(mail)).build();
        let raw = raw.map_err(|_| ActionError::request_not_built("SendEmail"))?;
        let request = self
            .clients
            .ses
            .send_email()
            .from_email_address(from.as_str())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.settings.configuration_set.clone());
        let response = request.send().await;
        let output = response.map_err(|error| ActionError::of_call("SendEmail", &error))?;
        Ok(output.message_id.unwrap_or_default())
    }
}

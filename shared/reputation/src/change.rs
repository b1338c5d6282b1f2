//! Applies a change of SES settings, and reverts it. Both may be repeated.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{ReputationEntityType, SendingStatus};
use store::EnforcementChange;

use crate::policy;
use crate::ses_error::SesError;

/// Applies a change. Whatever was changed in a policy since the change was planned stays.
///
/// # Errors
/// When a call to SES fails.
pub(crate) async fn apply(ses: &Client, change: &EnforcementChange) -> Result<(), SesError> {
    match change {
        EnforcementChange::ConfigurationSet { name } => set_sending_enabled(ses, name, false).await,
        EnforcementChange::Tenant { arn, .. } => set_tenant_status(ses, arn, SendingStatus::Disabled).await,
        EnforcementChange::Policy {
            identity,
            name,
            before,
            after,
        } => {
            let Some(current) = current_policy(ses, identity, name).await? else {
                return Ok(());
            };
            let reduced = policy::remove(&current, before, after.as_deref()).map_err(|error| unusable(name, &error))?;
            match reduced {
                None => delete_policy(ses, identity, name).await,
                Some(text) if text == current => Ok(()),
                Some(text) => update_policy(ses, identity, name, &text).await,
            }
        }
    }
}

/// Restores the settings from before a change, also when it is unknown whether the change was applied. Whatever else was
/// changed in a policy since stays.
///
/// # Errors
/// When a call to SES fails.
pub(crate) async fn revert(ses: &Client, change: &EnforcementChange) -> Result<(), SesError> {
    match change {
        EnforcementChange::ConfigurationSet { name } => set_sending_enabled(ses, name, true).await,
        EnforcementChange::Tenant { arn, before, .. } => {
            set_tenant_status(ses, arn, SendingStatus::from(before.as_str())).await
        }
        EnforcementChange::Policy {
            identity,
            name,
            before,
            after,
        } => {
            let current = current_policy(ses, identity, name).await?;
            let restored = policy::restore(current.as_deref(), before, after.as_deref())
                .map_err(|error| unusable(name, &error))?;
            match current {
                Some(current) if current == restored => Ok(()),
                Some(_) => update_policy(ses, identity, name, &restored).await,
                None => create_policy(ses, identity, name, &restored).await,
            }
        }
    }
}

async fn set_sending_enabled(ses: &Client, configuration_set: &str, enabled: bool) -> Result<(), SesError> {
    ses.put_configuration_set_sending_options()
        .configuration_set_name(configuration_set)
        .sending_enabled(enabled)
        .send()
        .await
        .map_err(|error| SesError::new("PutConfigurationSetSendingOptions", error))?;
    Ok(())
}

async fn set_tenant_status(ses: &Client, arn: &str, status: SendingStatus) -> Result<(), SesError> {
    ses.update_reputation_entity_customer_managed_status()
        .reputation_entity_type(ReputationEntityType::Resource)
        .reputation_entity_reference(arn)
        .sending_status(status)
        .send()
        .await
        .map_err(|error| SesError::new("UpdateReputationEntityCustomerManagedStatus", error))?;
    Ok(())
}

async fn current_policy(ses: &Client, identity: &str, name: &str) -> Result<Option<String>, SesError> {
    let output = ses
        .get_email_identity_policies()
        .email_identity(identity)
        .send()
        .await
        .map_err(|error| SesError::new("GetEmailIdentityPolicies", error))?;
    Ok(output.policies.and_then(|mut policies| policies.remove(name)))
}

async fn create_policy(ses: &Client, identity: &str, name: &str, text: &str) -> Result<(), SesError> {
    ses.create_email_identity_policy()
        .email_identity(identity)
        .policy_name(name)
        .policy(text)
        .send()
        .await
        .map_err(|error| SesError::new("CreateEmailIdentityPolicy", error))?;
    Ok(())
}

async fn update_policy(ses: &Client, identity: &str, name: &str, text: &str) -> Result<(), SesError> {
    ses.update_email_identity_policy()
        .email_identity(identity)
        .policy_name(name)
        .policy(text)
        .send()
        .await
        .map_err(|error| SesError::new("UpdateEmailIdentityPolicy", error))?;
    Ok(())
}

async fn delete_policy(ses: &Client, identity: &str, name: &str) -> Result<(), SesError> {
    ses.delete_email_identity_policy()
        .email_identity(identity)
        .policy_name(name)
        .send()
        .await
        .map_err(|error| SesError::new("DeleteEmailIdentityPolicy", error))?;
    Ok(())
}

fn unusable(policy: &str, error: &serde_json::Error) -> SesError {
    SesError::unusable_response(
        "GetEmailIdentityPolicies",
        format!("policy {policy} is not valid JSON: {error}"),
    )
}

//! Turns an enforcement request into changes, given the current settings of SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::types::{ReputationEntityType, SendingStatus};
use notification_model::AccountId;
use store::EnforcementChange;

use crate::policy;
use crate::requests::EnforcementRequest;
use crate::ses_error::SesError;

/// The changes of a request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The changes to apply.
    pub(crate) changes: Vec<EnforcementChange>,
    /// Why the changes are not all that was requested.
    pub(crate) remark: Option<String>,
}

impl Plan {
    fn of(change: EnforcementChange) -> Self {
        Self {
            changes: vec![change],
            remark: None,
        }
    }

    fn nothing(remark: String) -> Self {
        Self {
            changes: Vec::new(),
            remark: Some(remark),
        }
    }
}

/// Reads the current settings and plans the changes of a request.
///
/// # Errors
/// When a call to SES fails.
pub(crate) async fn plan(ses: &Client, request: &EnforcementRequest) -> Result<Plan, SesError> {
    match request {
        EnforcementRequest::PauseConfigurationSet(name) => pause_configuration_set(ses, name).await,
        EnforcementRequest::DisableTenant(name) => disable_tenant(ses, name).await,
        EnforcementRequest::RevokeAuthorization { identity, delegate } => {
            revoke_authorization(ses, identity, delegate).await
        }
    }
}

async fn pause_configuration_set(ses: &Client, name: &str) -> Result<Plan, SesError> {
    let output = ses
        .get_configuration_set()
        .configuration_set_name(name)
        .send()
        .await
        .map_err(|error| SesError::new("GetConfigurationSet", error))?;
    let is_enabled = output.sending_options().is_none_or(|options| options.sending_enabled());
    Ok(if is_enabled {
        Plan::of(EnforcementChange::ConfigurationSet { name: name.to_owned() })
    } else {
        Plan::nothing(format!("configuration set {name} is already paused"))
    })
}

async fn disable_tenant(ses: &Client, name: &str) -> Result<Plan, SesError> {
    let output = ses
        .get_tenant()
        .tenant_name(name)
        .send()
        .await
        .map_err(|error| SesError::new("GetTenant", error))?;
    let Some(arn) = output.tenant().and_then(|tenant| tenant.tenant_arn()) else {
        return Ok(Plan::nothing(format!("tenant {name} has no ARN")));
    };
    Ok(match customer_managed_status(ses, arn).await? {
        SendingStatus::Disabled => Plan::nothing(format!("tenant {name} is already disabled")),
        before => Plan::of(EnforcementChange::Tenant {
            name: name.to_owned(),
            arn: arn.to_owned(),
            before: before.as_str().to_owned(),
        }),
    })
}

async fn customer_managed_status(ses: &Client, tenant_arn: &str) -> Result<SendingStatus, SesError> {
    let result = ses
        .get_reputation_entity()
        .reputation_entity_type(ReputationEntityType::Resource)
        .reputation_entity_reference(tenant_arn)
        .send()
        .await;
    let entity = match result {
        Ok(output) => output.reputation_entity,
        // SES has no entity of a tenant before its first finding or status.
        Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => None,
        Err(error) => return Err(SesError::new("GetReputationEntity", error)),
    };
    let status = entity.and_then(|entity| entity.customer_managed_status?.status);
    Ok(status.unwrap_or(SendingStatus::Enabled))
}

async fn revoke_authorization(ses: &Client, identity: &str, delegate: &AccountId) -> Result<Plan, SesError> {
    let output = ses
        .get_email_identity_policies()
        .email_identity(identity)
        .send()
        .await
        .map_err(|error| SesError::new("GetEmailIdentityPolicies", error))?;
    let mut policies: Vec<_> = output.policies().into_iter().flatten().collect();
    policies.sort();
    let mut plan = Plan::default();
    let mut shared = Vec::new();
    for (name, text) in policies {
        let revocation = policy::revoke(text, delegate).map_err(|error| {
            let cause = format!("policy {name} is not valid JSON: {error}");
            SesError::unusable_response("GetEmailIdentityPolicies", cause)
        })?;
        if let Some(after) = revocation.after {
            plan.changes.push(EnforcementChange::Policy {
                identity: identity.to_owned(),
                name: name.clone(),
                before: text.clone(),
                after,
            });
        }
        if revocation.still_allowed {
            shared.push(name.as_str());
        }
    }
    if !shared.is_empty() {
        plan.remark = Some(format!(
            "{delegate} can still send from {identity}: policy {} names it together with others",
            shared.join(", ")
        ));
    } else if plan.changes.is_empty() {
        plan.remark = Some(format!("no policy of {identity} names {delegate}"));
    }
    Ok(plan)
}

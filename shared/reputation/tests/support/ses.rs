//! SES as far as enforcement uses it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::ErrorMetadata;
use aws_sdk_sesv2::operation::create_email_identity_policy::CreateEmailIdentityPolicyOutput;
use aws_sdk_sesv2::operation::delete_email_identity_policy::{
    DeleteEmailIdentityPolicyError, DeleteEmailIdentityPolicyOutput,
};
use aws_sdk_sesv2::operation::get_configuration_set::{GetConfigurationSetError, GetConfigurationSetOutput};
use aws_sdk_sesv2::operation::get_email_identity_policies::GetEmailIdentityPoliciesOutput;
use aws_sdk_sesv2::operation::get_reputation_entity::{GetReputationEntityError, GetReputationEntityOutput};
use aws_sdk_sesv2::operation::get_tenant::GetTenantOutput;
use aws_sdk_sesv2::operation::put_configuration_set_sending_options::{
    PutConfigurationSetSendingOptionsError, PutConfigurationSetSendingOptionsOutput,
};
use aws_sdk_sesv2::operation::update_email_identity_policy::UpdateEmailIdentityPolicyOutput;
use aws_sdk_sesv2::operation::update_reputation_entity_customer_managed_status::{
    UpdateReputationEntityCustomerManagedStatusError, UpdateReputationEntityCustomerManagedStatusOutput,
};
use aws_sdk_sesv2::types::error::NotFoundException;
use aws_sdk_sesv2::types::{ReputationEntity, SendingOptions, SendingStatus, StatusRecord, Tenant};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};

pub(crate) const TENANT_ARN: &str = "arn:aws:ses:us-east-1:111122223333:tenant/acme/tn-1";

/// How SES answers a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It does what is requested.
    #[default]
    Succeeds,
    /// It does nothing and answers with this error code.
    Fails(&'static str),
    /// It does what is requested and answers with this error code, as when the response is lost.
    SucceedsButAnswers(&'static str),
}

impl Answer {
    fn takes_effect(self) -> bool {
        !matches!(self, Self::Fails(_))
    }

    fn error(self) -> Option<ErrorMetadata> {
        match self {
            Self::Succeeds => None,
            Self::Fails(code) | Self::SucceedsButAnswers(code) => Some(ErrorMetadata::builder().code(code).build()),
        }
    }
}

/// The settings of SES, and how it answers.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) paused: BTreeSet<String>,
    pub(crate) tenant: Option<SendingStatus>,
    pub(crate) policies: BTreeMap<String, String>,
    /// The writes that took effect.
    pub(crate) calls: Vec<&'static str>,
    /// How SES answers calls that write.
    pub(crate) writes: Answer,
    /// How SES answers GetConfigurationSet.
    pub(crate) reads: Answer,
    /// What happens after the next PutConfigurationSetSendingOptions took effect and before it answers.
    pub(crate) before_answer: Option<Box<dyn FnOnce() + Send>>,
}

pub(crate) type SharedSettings = Arc<Mutex<Settings>>;

pub(crate) fn client(settings: &SharedSettings) -> Client {
    let mut rules = configuration_set_rules(settings);
    rules.extend(tenant_rules(settings));
    rules.extend(policy_rules(settings));
    mock_client!(
        aws_sdk_sesv2,
        RuleMode::MatchAny,
        rules.iter().collect::<Vec<_>>(),
        |config| config.retry_config(RetryConfig::disabled())
    )
}

fn configuration_set_rules(settings: &SharedSettings) -> Vec<Rule> {
    let (for_get, for_put) = (settings.clone(), settings.clone());
    let get = mock!(Client::get_configuration_set).then_compute_response(move |input| {
        let settings = for_get.lock().unwrap();
        if let Some(error) = settings.reads.error() {
            return MockResponse::Error(GetConfigurationSetError::generic(error));
        }
        let paused = settings.paused.contains(input.configuration_set_name().unwrap());
        let options = SendingOptions::builder().sending_enabled(!paused).build();
        MockResponse::Output(GetConfigurationSetOutput::builder().sending_options(options).build())
    });
    let put = mock!(Client::put_configuration_set_sending_options).then_compute_response(move |input| {
        let mut settings = for_put.lock().unwrap();
        if settings.writes.takes_effect() {
            settings.calls.push("PutConfigurationSetSendingOptions");
            let name = input.configuration_set_name().unwrap().to_owned();
            match input.sending_enabled() {
                Some(true) => settings.paused.remove(&name),
                _ => settings.paused.insert(name),
            };
        }
        let (writes, before_answer) = (settings.writes, settings.before_answer.take());
        drop(settings);
        if let Some(before_answer) = before_answer {
            before_answer();
        }
        match writes.error() {
            Some(error) => MockResponse::Error(PutConfigurationSetSendingOptionsError::generic(error)),
            None => MockResponse::Output(PutConfigurationSetSendingOptionsOutput::builder().build()),
        }
    });
    vec![get, put]
}

fn tenant_rules(settings: &SharedSettings) -> Vec<Rule> {
    let (for_status, for_update) = (settings.clone(), settings.clone());
    let get = mock!(Client::get_tenant).then_output(|| {
        let tenant = Tenant::builder().tenant_arn(TENANT_ARN).build();
        GetTenantOutput::builder().tenant(tenant).build()
    });
    let status = mock!(Client::get_reputation_entity).then_compute_response(move |_| {
        let Some(status) = for_status.lock().unwrap().tenant.clone() else {
            let error = NotFoundException::builder().message("no such entity").build();
            return MockResponse::Error(GetReputationEntityError::NotFoundException(error));
        };
        let record = StatusRecord::builder().status(status).build();
        let entity = ReputationEntity::builder().customer_managed_status(record).build();
        MockResponse::Output(GetReputationEntityOutput::builder().reputation_entity(entity).build())
    });
    let update = mock!(Client::update_reputation_entity_customer_managed_status)
        .match_requests(|input| input.reputation_entity_reference() == Some(TENANT_ARN))
        .then_compute_response(move |input| {
            let mut settings = for_update.lock().unwrap();
            if settings.writes.takes_effect() {
                settings.calls.push("UpdateReputationEntityCustomerManagedStatus");
                settings.tenant = input.sending_status().cloned();
            }
            match settings.writes.error() {
                Some(error) => MockResponse::Error(UpdateReputationEntityCustomerManagedStatusError::generic(error)),
                None => MockResponse::Output(UpdateReputationEntityCustomerManagedStatusOutput::builder().build()),
            }
        });
    vec![get, status, update]
}

fn policy_rules(settings: &SharedSettings) -> Vec<Rule> {
    let (for_get, for_update) = (settings.clone(), settings.clone());
    let (for_delete, for_create) = (settings.clone(), settings.clone());
    let get = mock!(Client::get_email_identity_policies).then_compute_output(move |_| {
        let policies: HashMap<_, _> = for_get.lock().unwrap().policies.clone().into_iter().collect();
        GetEmailIdentityPoliciesOutput::builder()
            .set_policies(Some(policies))
            .build()
    });
    let update = mock!(Client::update_email_identity_policy).then_compute_output(move |input| {
        let (name, text) = (
            input.policy_name().unwrap().to_owned(),
            input.policy().unwrap().to_owned(),
        );
        let mut settings = for_update.lock().unwrap();
        settings.calls.push("UpdateEmailIdentityPolicy");
        settings.policies.insert(name, text).unwrap();
        UpdateEmailIdentityPolicyOutput::builder().build()
    });
    let delete = mock!(Client::delete_email_identity_policy).then_compute_response(move |input| {
        let mut settings = for_delete.lock().unwrap();
        if settings.writes.takes_effect() {
            settings.calls.push("DeleteEmailIdentityPolicy");
            settings.policies.remove(input.policy_name().unwrap()).unwrap();
        }
        match settings.writes.error() {
            Some(error) => MockResponse::Error(DeleteEmailIdentityPolicyError::generic(error)),
            None => MockResponse::Output(DeleteEmailIdentityPolicyOutput::builder().build()),
        }
    });
    let create = mock!(Client::create_email_identity_policy).then_compute_output(move |input| {
        let (name, text) = (
            input.policy_name().unwrap().to_owned(),
            input.policy().unwrap().to_owned(),
        );
        let mut settings = for_create.lock().unwrap();
        settings.calls.push("CreateEmailIdentityPolicy");
        assert!(settings.policies.insert(name, text).is_none());
        CreateEmailIdentityPolicyOutput::builder().build()
    });
    vec![get, update, delete, create]
}

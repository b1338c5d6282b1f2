//! The calls about identities and their policies.

use std::collections::HashMap;

use aws_sdk_sesv2 as v2;
use aws_smithy_mocks::{MockResponse, Rule, mock};

use super::{FakeSes, rejected, rule};

impl FakeSes {
    pub(super) fn v2_identity_rules(&self) -> Vec<Rule> {
        use v2::operation::create_email_identity_policy::CreateEmailIdentityPolicyOutput;
        use v2::operation::delete_email_identity_policy::DeleteEmailIdentityPolicyOutput;
        use v2::operation::get_email_identity::GetEmailIdentityOutput;
        use v2::operation::list_email_identities::ListEmailIdentitiesOutput;
        use v2::operation::put_email_identity_configuration_set_attributes::PutEmailIdentityConfigurationSetAttributesOutput;
        use v2::operation::update_email_identity_policy::UpdateEmailIdentityPolicyOutput;
        use v2::types::IdentityInfo;
        let unknown = || rejected("NotFoundException", "no such identity");
        vec![
            rule!(
                self,
                v2,
                list_email_identities,
                list_email_identities,
                ListEmailIdentitiesOutput,
                ListEmailIdentitiesError,
                next_token,
                |state, input| {
                    let size = usize::try_from(input.page_size().unwrap()).unwrap();
                    let start: usize = input.next_token().map_or(0, |token| token.parse().unwrap());
                    let names: Vec<_> = state
                        .identities
                        .keys()
                        .filter(|name| !name.starts_with("arn:"))
                        .cloned()
                        .collect();
                    let page = names.iter().skip(start).take(size);
                    let infos = page
                        .map(|name| IdentityInfo::builder().identity_name(name).build())
                        .collect();
                    let next = (start + size < names.len()).then(|| (start + size).to_string());
                    Ok(ListEmailIdentitiesOutput::builder()
                        .set_email_identities(Some(infos))
                        .set_next_token(next)
                        .build())
                }
            ),
            rule!(
                self,
                v2,
                get_email_identity,
                get_email_identity,
                GetEmailIdentityOutput,
                GetEmailIdentityError,
                email_identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get(input.email_identity().unwrap())
                        .ok_or_else(unknown)?;
                    let policies: HashMap<_, _> = identity.policies.clone().into_iter().collect();
                    Ok(GetEmailIdentityOutput::builder()
                        .set_configuration_set_name(identity.default_set.clone())
                        .set_policies(Some(policies))
                        .build())
                }
            ),
            rule!(
                self,
                v2,
                create_email_identity_policy,
                create_email_identity_policy,
                CreateEmailIdentityPolicyOutput,
                CreateEmailIdentityPolicyError,
                email_identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.email_identity().unwrap())
                        .ok_or_else(unknown)?;
                    let name = input.policy_name().unwrap().to_owned();
                    if identity.policies.contains_key(&name) {
                        return Err(rejected("AlreadyExistsException", "exists"));
                    }
                    identity.policies.insert(name, input.policy().unwrap().to_owned());
                    Ok(CreateEmailIdentityPolicyOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                update_email_identity_policy,
                update_email_identity_policy,
                UpdateEmailIdentityPolicyOutput,
                UpdateEmailIdentityPolicyError,
                email_identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.email_identity().unwrap())
                        .ok_or_else(unknown)?;
                    // Succeeds for a policy that does not exist, as SES does, without effect.
                    if let Some(text) = identity.policies.get_mut(input.policy_name().unwrap()) {
                        *text = input.policy().unwrap().to_owned();
                    }
                    Ok(UpdateEmailIdentityPolicyOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                delete_email_identity_policy,
                delete_email_identity_policy,
                DeleteEmailIdentityPolicyOutput,
                DeleteEmailIdentityPolicyError,
                email_identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.email_identity().unwrap())
                        .ok_or_else(unknown)?;
                    identity.policies.remove(input.policy_name().unwrap());
                    Ok(DeleteEmailIdentityPolicyOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                put_email_identity_configuration_set_attributes,
                put_email_identity_configuration_set_attributes,
                PutEmailIdentityConfigurationSetAttributesOutput,
                PutEmailIdentityConfigurationSetAttributesError,
                email_identity,
                |state, input| {
                    let set = input.configuration_set_name().map(str::to_owned);
                    if set.as_ref().is_some_and(|set| !state.sets.contains_key(set)) {
                        return Err(rejected("NotFoundException", "no such configuration set"));
                    }
                    let identity = state
                        .identities
                        .get_mut(input.email_identity().unwrap())
                        .ok_or_else(unknown)?;
                    identity.default_set = set;
                    Ok(PutEmailIdentityConfigurationSetAttributesOutput::builder().build())
                }
            ),
        ]
    }
}

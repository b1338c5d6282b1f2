//! The calls about configuration sets.

use aws_sdk_sesv2 as v2;
use aws_smithy_mocks::{MockResponse, Rule, mock};
use v2::types::EventDestination;

use super::{FakeSes, FakeSet, rejected, rule};

impl FakeSes {
    pub(super) fn v2_set_rules(&self) -> Vec<Rule> {
        use v2::operation::create_configuration_set::CreateConfigurationSetOutput;
        use v2::operation::create_configuration_set_event_destination::CreateConfigurationSetEventDestinationOutput;
        use v2::operation::delete_configuration_set_event_destination::DeleteConfigurationSetEventDestinationOutput;
        use v2::operation::get_configuration_set::GetConfigurationSetOutput;
        use v2::operation::get_configuration_set_event_destinations::GetConfigurationSetEventDestinationsOutput;
        use v2::operation::list_configuration_sets::ListConfigurationSetsOutput;
        use v2::operation::put_configuration_set_reputation_options::PutConfigurationSetReputationOptionsOutput;
        use v2::operation::put_configuration_set_sending_options::PutConfigurationSetSendingOptionsOutput;
        use v2::operation::put_configuration_set_suppression_options::PutConfigurationSetSuppressionOptionsOutput;
        use v2::operation::update_configuration_set_event_destination::UpdateConfigurationSetEventDestinationOutput;
        use v2::types::{
            EventDestinationDefinition, ReputationOptions, SendingOptions, SuppressionListReason, SuppressionOptions,
        };
        let unknown = || rejected("NotFoundException", "no such configuration set or destination");
        let destination = |name: &str, definition: &EventDestinationDefinition| {
            EventDestination::builder()
                .name(name)
                .enabled(definition.enabled())
                .set_matching_event_types(Some(definition.matching_event_types().to_vec()))
                .set_sns_destination(definition.sns_destination().cloned())
                .set_event_bridge_destination(definition.event_bridge_destination().cloned())
                .set_kinesis_firehose_destination(definition.kinesis_firehose_destination().cloned())
                .build()
                .unwrap()
        };
        vec![
            rule!(
                self,
                v2,
                list_configuration_sets,
                list_configuration_sets,
                ListConfigurationSetsOutput,
                ListConfigurationSetsError,
                next_token,
                |state, _input| Ok(ListConfigurationSetsOutput::builder()
                    .set_configuration_sets(Some(state.sets.keys().cloned().collect()))
                    .build())
            ),
            rule!(
                self,
                v2,
                get_configuration_set,
                get_configuration_set,
                GetConfigurationSetOutput,
                GetConfigurationSetError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    let reasons = set.reasons.as_ref().map(|reasons| {
                        let reasons = reasons
                            .iter()
                            .map(|reason| SuppressionListReason::from(reason.as_str()));
                        SuppressionOptions::builder()
                            .set_suppressed_reasons(Some(reasons.collect()))
                            .build()
                    });
                    Ok(GetConfigurationSetOutput::builder()
                        .reputation_options(
                            ReputationOptions::builder()
                                .reputation_metrics_enabled(set.metrics)
                                .build(),
                        )
                        .sending_options(SendingOptions::builder().sending_enabled(!set.paused).build())
                        .set_suppression_options(reasons)
                        .build())
                }
            ),
            rule!(
                self,
                v2,
                get_configuration_set_event_destinations,
                get_configuration_set_event_destinations,
                GetConfigurationSetEventDestinationsOutput,
                GetConfigurationSetEventDestinationsError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    Ok(GetConfigurationSetEventDestinationsOutput::builder()
                        .set_event_destinations(Some(set.destinations.values().cloned().collect()))
                        .build())
                }
            ),
            rule!(
                self,
                v2,
                create_configuration_set,
                create_configuration_set,
                CreateConfigurationSetOutput,
                CreateConfigurationSetError,
                configuration_set_name,
                |state, input| {
                    let name = input.configuration_set_name().unwrap().to_owned();
                    if state.sets.contains_key(&name) {
                        return Err(rejected("AlreadyExistsException", "exists"));
                    }
                    state.sets.insert(name, FakeSet::default());
                    Ok(CreateConfigurationSetOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                create_configuration_set_event_destination,
                create_configuration_set_event_destination,
                CreateConfigurationSetEventDestinationOutput,
                CreateConfigurationSetEventDestinationError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    let name = input.event_destination_name().unwrap();
                    if set.destinations.contains_key(name) {
                        return Err(rejected("AlreadyExistsException", "exists"));
                    }
                    let value = destination(name, input.event_destination().unwrap());
                    set.destinations.insert(name.to_owned(), value);
                    Ok(CreateConfigurationSetEventDestinationOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                update_configuration_set_event_destination,
                update_configuration_set_event_destination,
                UpdateConfigurationSetEventDestinationOutput,
                UpdateConfigurationSetEventDestinationError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    let name = input.event_destination_name().unwrap();
                    let value = set.destinations.get_mut(name).ok_or_else(unknown)?;
                    *value = destination(name, input.event_destination().unwrap());
                    Ok(UpdateConfigurationSetEventDestinationOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                delete_configuration_set_event_destination,
                delete_configuration_set_event_destination,
                DeleteConfigurationSetEventDestinationOutput,
                DeleteConfigurationSetEventDestinationError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    set.destinations
                        .remove(input.event_destination_name().unwrap())
                        .ok_or_else(unknown)?;
                    Ok(DeleteConfigurationSetEventDestinationOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                put_configuration_set_reputation_options,
                put_configuration_set_reputation_options,
                PutConfigurationSetReputationOptionsOutput,
                PutConfigurationSetReputationOptionsError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    set.metrics = input.reputation_metrics_enabled().unwrap();
                    Ok(PutConfigurationSetReputationOptionsOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                put_configuration_set_sending_options,
                put_configuration_set_sending_options,
                PutConfigurationSetSendingOptionsOutput,
                PutConfigurationSetSendingOptionsError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    set.paused = !input.sending_enabled().unwrap();
                    Ok(PutConfigurationSetSendingOptionsOutput::builder().build())
                }
            ),
            rule!(
                self,
                v2,
                put_configuration_set_suppression_options,
                put_configuration_set_suppression_options,
                PutConfigurationSetSuppressionOptionsOutput,
                PutConfigurationSetSuppressionOptionsError,
                configuration_set_name,
                |state, input| {
                    let set = state
                        .sets
                        .get_mut(input.configuration_set_name().unwrap())
                        .ok_or_else(unknown)?;
                    let reasons = input.suppressed_reasons().iter();
                    set.reasons = Some(reasons.map(|reason| reason.as_str().to_owned()).collect());
                    Ok(PutConfigurationSetSuppressionOptionsOutput::builder().build())
                }
            ),
        ]
    }
}

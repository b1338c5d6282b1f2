//! The calls about notifications of identities.

use std::collections::HashMap;

use aws_sdk_ses as v1;
use aws_smithy_mocks::{MockResponse, Rule, mock};

use super::{FakeSes, rejected, rule};

impl FakeSes {
    pub(super) fn v1_rules(&self) -> Vec<Rule> {
        use v1::operation::get_identity_notification_attributes::GetIdentityNotificationAttributesOutput;
        use v1::operation::set_identity_feedback_forwarding_enabled::SetIdentityFeedbackForwardingEnabledOutput;
        use v1::operation::set_identity_headers_in_notifications_enabled::SetIdentityHeadersInNotificationsEnabledOutput;
        use v1::operation::set_identity_notification_topic::SetIdentityNotificationTopicOutput;
        use v1::types::IdentityNotificationAttributes;
        let unknown = || {
            rejected(
                "InvalidParameterValue",
                "Identity x is invalid. Must be a verified email address or domain.",
            )
        };
        vec![
            rule!(
                self,
                v1,
                get_identity_notification_attributes,
                get_identity_notification_attributes,
                GetIdentityNotificationAttributesOutput,
                GetIdentityNotificationAttributesError,
                identities,
                |state, input| {
                    assert!(input.identities().len() <= 100);
                    let mut found = HashMap::new();
                    for name in input.identities() {
                        let Some(identity) = state.identities.get(name) else {
                            continue;
                        };
                        let topic = |kind: &str| identity.topics.get(kind).cloned().unwrap_or_default();
                        let has = |kind: &str| identity.headers.contains(kind);
                        let attributes = IdentityNotificationAttributes::builder()
                            .bounce_topic(topic("Bounce"))
                            .complaint_topic(topic("Complaint"))
                            .delivery_topic(topic("Delivery"))
                            .forwarding_enabled(identity.forwarding)
                            .headers_in_bounce_notifications_enabled(has("Bounce"))
                            .headers_in_complaint_notifications_enabled(has("Complaint"))
                            .headers_in_delivery_notifications_enabled(has("Delivery"))
                            .build()
                            .unwrap();
                        found.insert(name.clone(), attributes);
                    }
                    Ok(GetIdentityNotificationAttributesOutput::builder()
                        .set_notification_attributes(Some(found))
                        .build()
                        .unwrap())
                }
            ),
            rule!(
                self,
                v1,
                set_identity_notification_topic,
                set_identity_notification_topic,
                SetIdentityNotificationTopicOutput,
                SetIdentityNotificationTopicError,
                identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.identity().unwrap())
                        .ok_or_else(unknown)?;
                    let kind = input.notification_type().unwrap().as_str().to_owned();
                    match input.sns_topic() {
                        Some(topic) => {
                            if !state.topics.contains_key(topic) {
                                return Err(rejected("InvalidParameterValue", "SNS topic is invalid"));
                            }
                            identity.topics.insert(kind, topic.to_owned());
                        }
                        None if kind != "Delivery" && !identity.forwarding => {
                            return Err(rejected("InvalidParameterValue", "forwarding is off"));
                        }
                        None => {
                            identity.topics.remove(&kind);
                            identity.headers.remove(&kind);
                        }
                    }
                    Ok(SetIdentityNotificationTopicOutput::builder().build())
                }
            ),
            rule!(
                self,
                v1,
                set_identity_headers_in_notifications_enabled,
                set_identity_headers_in_notifications_enabled,
                SetIdentityHeadersInNotificationsEnabledOutput,
                SetIdentityHeadersInNotificationsEnabledError,
                identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.identity().unwrap())
                        .ok_or_else(unknown)?;
                    let kind = input.notification_type().unwrap().as_str().to_owned();
                    if input.enabled().unwrap() && !identity.topics.contains_key(&kind) {
                        return Err(rejected("InvalidParameterValue", "no topic"));
                    }
                    if input.enabled().unwrap() {
                        identity.headers.insert(kind);
                    } else {
                        identity.headers.remove(&kind);
                    }
                    Ok(SetIdentityHeadersInNotificationsEnabledOutput::builder().build())
                }
            ),
            rule!(
                self,
                v1,
                set_identity_feedback_forwarding_enabled,
                set_identity_feedback_forwarding_enabled,
                SetIdentityFeedbackForwardingEnabledOutput,
                SetIdentityFeedbackForwardingEnabledError,
                identity,
                |state, input| {
                    let identity = state
                        .identities
                        .get_mut(input.identity().unwrap())
                        .ok_or_else(unknown)?;
                    let has_both = ["Bounce", "Complaint"]
                        .iter()
                        .all(|kind| identity.topics.contains_key(*kind));
                    if !input.forwarding_enabled().unwrap() && !has_both {
                        return Err(rejected("InvalidParameterValue", "no topics"));
                    }
                    identity.forwarding = input.forwarding_enabled().unwrap();
                    Ok(SetIdentityFeedbackForwardingEnabledOutput::builder().build())
                }
            ),
        ]
    }
}

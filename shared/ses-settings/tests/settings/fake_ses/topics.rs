//! The calls to SNS.

use aws_sdk_sns as sns;
use aws_smithy_mocks::{MockResponse, Rule, mock};

use super::{FakeSes, rejected, rule};

impl FakeSes {
    pub(super) fn sns_rules(&self) -> Vec<Rule> {
        use sns::operation::get_topic_attributes::GetTopicAttributesOutput;
        use sns::operation::list_subscriptions_by_topic::ListSubscriptionsByTopicOutput;
        use sns::operation::set_topic_attributes::SetTopicAttributesOutput;
        use sns::operation::subscribe::SubscribeOutput;
        use sns::types::Subscription;
        let unknown = || rejected("NotFound", "no such topic");
        vec![
            rule!(
                self,
                sns,
                get_topic_attributes,
                get_topic_attributes,
                GetTopicAttributesOutput,
                GetTopicAttributesError,
                topic_arn,
                |state, input| {
                    let topic = state.topics.get(input.topic_arn().unwrap()).ok_or_else(unknown)?;
                    Ok(GetTopicAttributesOutput::builder()
                        .attributes("Policy", topic.policy.clone())
                        .attributes("SubscriptionsConfirmed", topic.subscriptions.len().to_string())
                        .build())
                }
            ),
            rule!(
                self,
                sns,
                set_topic_attributes,
                set_topic_attributes,
                SetTopicAttributesOutput,
                SetTopicAttributesError,
                topic_arn,
                |state, input| {
                    assert_eq!(input.attribute_name(), Some("Policy"));
                    let topic = state.topics.get_mut(input.topic_arn().unwrap()).ok_or_else(unknown)?;
                    topic.policy = input.attribute_value().unwrap().to_owned();
                    Ok(SetTopicAttributesOutput::builder().build())
                }
            ),
            rule!(
                self,
                sns,
                list_subscriptions_by_topic,
                list_subscriptions_by_topic,
                ListSubscriptionsByTopicOutput,
                ListSubscriptionsByTopicError,
                topic_arn,
                |state, input| {
                    let topic = state.topics.get(input.topic_arn().unwrap()).ok_or_else(unknown)?;
                    let subscriptions = topic.subscriptions.iter().map(|(protocol, endpoint)| {
                        Subscription::builder().protocol(protocol).endpoint(endpoint).build()
                    });
                    Ok(ListSubscriptionsByTopicOutput::builder()
                        .set_subscriptions(Some(subscriptions.collect()))
                        .build())
                }
            ),
            rule!(
                self,
                sns,
                subscribe,
                subscribe,
                SubscribeOutput,
                SubscribeError,
                topic_arn,
                |state, input| {
                    let topic = state.topics.get_mut(input.topic_arn().unwrap()).ok_or_else(unknown)?;
                    let (protocol, endpoint) = (input.protocol().unwrap(), input.endpoint().unwrap());
                    topic.subscriptions.insert((protocol.to_owned(), endpoint.to_owned()));
                    Ok(SubscribeOutput::builder().build())
                }
            ),
        ]
    }
}

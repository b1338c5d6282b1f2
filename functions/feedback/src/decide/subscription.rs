//! Decides what to do about a change of subscription preferences (SES list management).

use std::collections::BTreeMap;

use notification_model::{EmailAddress, Subscription, SubscriptionStatus};
use store::{SuppressionEntry, SuppressionSource};

use super::context::{Context, Evidence, acknowledge};
use crate::action::Action;

pub(super) fn decide(context: &Context, subscription: &Subscription) -> Vec<Action> {
    // SES list management sends each message to one recipient. With several, it is unknown whose preferences changed.
    let [recipient] = context.mail.destination.as_slice() else {
        return acknowledge("a subscription change of a message with several recipients");
    };
    let Some(address) = EmailAddress::parse(recipient) else {
        return acknowledge("a subscription change without a readable recipient");
    };
    let Some(preferences) = &subscription.new_topic_preferences else {
        return acknowledge("a subscription change that names no preferences");
    };
    let list = subscription.contact_list.as_deref().unwrap_or("default");
    let evidence = context.evidence(Evidence::from([
        ("contactList", subscription.contact_list.clone()),
        ("subscriptionSource", subscription.source.clone()),
    ]));
    let whole_list = record(
        context,
        &address,
        SuppressionSource::List(list.to_owned()),
        preferences.unsubscribe_all,
        &format!(
            "{} of contact list {list}",
            if preferences.unsubscribe_all {
                "all mail"
            } else {
                "mail"
            }
        ),
        &evidence,
    );
    let topics = preferences.topic_subscription_status.iter().map(|topic| {
        let is_opt_out = topic.subscription_status == SubscriptionStatus::OptOut;
        let name = format!("{list}/{}", topic.topic_name);
        let source = SuppressionSource::Topic(name.clone());
        record(
            context,
            &address,
            source,
            is_opt_out,
            &format!("topic {name}"),
            &evidence,
        )
    });
    std::iter::once(whole_list).chain(topics).collect()
}

/// Records an opt-out of, or an opt-in to, `subject`.
fn record(
    context: &Context,
    address: &EmailAddress,
    source: SuppressionSource,
    is_opt_out: bool,
    subject: &str,
    evidence: &BTreeMap<String, String>,
) -> Action {
    let (kind, verb) = if is_opt_out {
        ("unsubscribe", "unsubscribed from")
    } else {
        ("subscribe", "subscribed to")
    };
    let entry = SuppressionEntry {
        blocked: is_opt_out,
        ..context.entry(address, None, &format!("{verb} {subject}"), evidence.clone())
    };
    let scope = context.scope.clone();
    context.record_suppression(&format!("{kind}-{source}"), address, scope, source, entry)
}

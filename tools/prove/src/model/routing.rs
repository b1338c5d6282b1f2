//! The router: which targets receive an event.

use std::collections::BTreeMap;

use super::state::domain_of;
use crate::scenario::{Channel, EventDetails, ScenarioEvent, ScenarioRoute};

/// The targets that receive an event through the channel, each with whether one of its routes is unredacted.
pub(super) fn receiving_targets(
    event: &ScenarioEvent,
    channel: Channel,
    routes: &[ScenarioRoute],
    registered_identities: &BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
) -> BTreeMap<&'static str, bool> {
    let mut targets = BTreeMap::new();
    let Some(account) = event.sending_account else {
        return targets;
    };
    let registered_owner = || registered_identities.get(account)?.get(event.from_domain);
    let (owner, identity) = match &event.identity {
        Some((owner, identity)) => (*owner, identity.as_str()),
        None => match registered_owner() {
            Some(owner) => (*owner, event.from_domain),
            None => return targets,
        },
    };
    for route in routes {
        let matches_sender = route.owner.is_none_or(|wanted| wanted == owner)
            && route.account.is_none_or(|wanted| wanted == account)
            && route
                .identity
                .as_deref()
                .is_none_or(|wanted| wanted == identity || wanted == domain_of(identity));
        if matches_sender && matches_filter(route, event, channel) {
            *targets.entry(route.target).or_insert(false) |= route.unredacted;
        }
    }
    targets
}

/// Whether the route's filter lets the event pass. Only events of a configuration set have tags.
fn matches_filter(route: &ScenarioRoute, event: &ScenarioEvent, channel: Channel) -> bool {
    let has_tags = channel == Channel::ConfigurationSet;
    let configuration_set_matches =
        route.configuration_sets.is_empty() || has_tags && route.configuration_sets.contains(event.configuration_set);
    let tenant_matches =
        route.tenants.is_empty() || has_tags && event.tenant.is_some_and(|tenant| route.tenants.contains(tenant));
    let event_matches = route.events.is_empty() || route.events.contains(event_type(event));
    configuration_set_matches && tenant_matches && event_matches
}

fn event_type(event: &ScenarioEvent) -> &'static str {
    match &event.details {
        EventDetails::Bounce(_) => "Bounce",
        EventDetails::Complaint { .. } => "Complaint",
        EventDetails::Delivery(_) => "Delivery",
        EventDetails::WholeMessage { event_type, .. } | EventDetails::Ignored(event_type) => event_type,
        EventDetails::Subscription { .. } => "Subscription",
        EventDetails::DeliveryDelay => "DeliveryDelay",
    }
}

//! Routes: senders, filter, target and redaction.

use store::{Redaction, RouteFilter, SenderMatch, Target};

pub(crate) fn sender_match_text(senders: &SenderMatch) -> String {
    let SenderMatch {
        owner,
        account,
        identity,
    } = senders;
    let identities = match (identity, owner) {
        (Some(identity), Some(owner)) => format!("{identity} of {owner}"),
        (Some(identity), None) => identity.to_string(),
        (None, Some(owner)) => format!("all identities of {owner}"),
        (None, None) => "all identities".to_owned(),
    };
    match account {
        Some(account) => format!("{identities}, sent by {account}"),
        None => identities,
    }
}

pub(crate) fn filter_text(filter: &RouteFilter) -> String {
    let sets = [
        ("configuration sets", &filter.configuration_sets),
        ("tenants", &filter.tenants),
        ("events", &filter.events),
    ];
    let texts: Vec<String> = sets
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{kind} {}", names.iter().cloned().collect::<Vec<_>>().join(", ")))
        .collect();
    match texts.as_slice() {
        [] => "none".to_owned(),
        texts => texts.join("; "),
    }
}

pub(crate) fn target_text(target: &Target) -> String {
    match target {
        Target::Topic(arn) => format!("topic {arn}"),
        Target::Queue(arn) => format!("queue {arn}"),
        Target::Bus(arn) => format!("event bus {arn}"),
        Target::Email(address) => format!("digests to {address}"),
    }
}

/// As `postroom.toml` spells it.
pub(crate) fn redaction_text(redaction: Redaction) -> &'static str {
    match redaction {
        Redaction::None => "none",
        Redaction::Standard => "standard",
    }
}

//! The changes between the rows of the table and those of the file, as people read them.

use std::collections::BTreeMap;

use notification_model::AccountId;
use store::{Mailbox, RegisteredIdentity, Route, SenderMatch, Threshold, Thresholds};

use super::table_rows::TableRows;
use crate::describe::{action_text, filter_text, redaction_text, sender_match_text, target_text, verdict_rules_text};

/// The changes of one kind of row.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) changes: Vec<Change>,
}

/// An added, changed or removed item.
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) before: Option<Fields>,
    pub(crate) after: Option<Fields>,
}

/// The settings of an item: name and text. They must cover the whole item, because items with equal fields count as
/// unchanged.
pub(crate) type Fields = Vec<(String, String)>;

type Items = BTreeMap<String, Fields>;

/// The fields of an item.
fn fields<const N: usize>(fields: [(&str, String); N]) -> Fields {
    fields.map(|(name, text)| (name.to_owned(), text)).into()
}

pub(crate) fn compare(current: &TableRows, desired: &TableRows, names: &BTreeMap<AccountId, String>) -> Vec<Section> {
    let section = |title: &'static str, items: &dyn Fn(&TableRows) -> Items| Section {
        title,
        changes: changes(items(current), items(desired)),
    };
    vec![
        section("accounts", &|rows| account_items(rows, names)),
        section("routes", &route_items),
        section("thresholds", &threshold_items),
        section("mailboxes", &mailbox_items),
    ]
}

fn changes(mut current: Items, desired: Items) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, after) in desired {
        let before = current.remove(&name);
        if before.as_ref() != Some(&after) {
            changes.push(Change {
                name,
                before,
                after: Some(after),
            });
        }
    }
    changes.extend(current.into_iter().map(|(name, before)| Change {
        name,
        before: Some(before),
        after: None,
    }));
    changes
}

fn account_items(rows: &TableRows, names: &BTreeMap<AccountId, String>) -> Items {
    let item = |(account, identities): (&AccountId, &Vec<RegisteredIdentity>)| {
        let name = match names.get(account) {
            Some(name) => format!("{account} {name}"),
            None => account.to_string(),
        };
        let identities: Vec<String> = identities
            .iter()
            .map(|registered| format!("{} of {}", registered.identity, registered.owner))
            .collect();
        (name, fields([("identities", identities.join(", "))]))
    };
    rows.identities.iter().map(item).collect()
}

fn route_items(rows: &TableRows) -> Items {
    let item = |route: &Route| {
        let fields = fields([
            ("senders", sender_match_text(&route.senders)),
            ("filter", filter_text(&route.filter)),
            ("target", target_text(&route.target)),
            ("redaction", redaction_text(route.redaction).to_owned()),
        ]);
        (route.name.clone(), fields)
    };
    rows.routes.values().flatten().map(item).collect()
}

fn threshold_items(rows: &TableRows) -> Items {
    let item = |(senders, thresholds): (&Option<SenderMatch>, &Thresholds)| {
        let name = senders
            .as_ref()
            .map_or_else(|| "all senders".to_owned(), sender_match_text);
        let enforcements: Vec<&str> = thresholds.enforcements.iter().map(|kind| kind.as_str()).collect();
        let enforcements = match enforcements.as_slice() {
            [] => "none".to_owned(),
            kinds => kinds.join(", "),
        };
        let fields = fields([
            ("bounces", threshold_text(&thresholds.bounces)),
            ("complaints", threshold_text(&thresholds.complaints)),
            ("enforcements", enforcements),
        ]);
        (name, fields)
    };
    rows.thresholds.iter().map(item).collect()
}

fn threshold_text(threshold: &Threshold) -> String {
    format!(
        "warn at {}, enforce at {}, from {} recipients an hour, {} recipients a day and {} events",
        threshold.warn,
        threshold.enforce,
        threshold.min_hour_recipients,
        threshold.min_day_recipients,
        threshold.min_events
    )
}

fn mailbox_items(rows: &TableRows) -> Items {
    let item = |mailbox: &Mailbox| {
        // Every field, so that a new one is not forgotten.
        let Mailbox {
            key,
            verdicts,
            actions,
            owner,
            trusted_forwarders,
        } = mailbox;
        let actions: Vec<String> = actions.iter().map(action_text).collect();
        let named = fields([
            ("actions", actions.join("; ")),
            ("verdicts", verdict_rules_text(verdicts)),
        ]);
        let owner = owner.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let forwarders = match trusted_forwarders.as_slice() {
            [] => "none".to_owned(),
            domains => domains.join(", "),
        };
        let optional = fields([("owner", owner), ("trusted-forwarders", forwarders)]);
        (key.to_string(), named.into_iter().chain(optional).collect())
    };
    rows.mailboxes.values().map(item).collect()
}

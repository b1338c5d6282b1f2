//! The store's own answer to "may I send?".

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use notification_model::EmailAddress;
use store::{SenderContext, Store};

use super::compare::same;
use crate::model::{BlockingEntry, Entries, blocking_entries, expect};
use crate::scenario::Scenario;

/// [`Store::check`] returns the blocking entries of the model.
///
/// # Errors
/// The difference.
pub async fn check_store_reader(scenario: &Scenario, store: &Store) -> Result<(), String> {
    let wanted = entries_by_address(scenario);
    let now = scenario.end + SignedDuration::from_hours(20 * 24);
    for (domain, tenant) in [
        ("shop.example", Some("acme")),
        ("shop.example", Some("222233334444/acme")),
        ("news.example", None),
    ] {
        let context = SenderContext {
            tenant: tenant.map(str::to_owned),
            identity: Some(format!("mail.{domain}")),
            topic: Some("readers/weekly".to_owned()),
        };
        let mut scopes = vec![
            "global".to_owned(),
            format!("domain:{domain}"),
            format!("domain:mail.{domain}"),
        ];
        scopes.extend(tenant.map(|tenant| format!("tenant:{tenant}")));
        let addresses: Vec<EmailAddress> = wanted
            .keys()
            .filter_map(|address| EmailAddress::parse(address))
            .collect();
        let answers = store
            .check(&addresses, &context, now)
            .await
            .map_err(|error| error.to_string())?;
        for answer in answers {
            let found: BTreeSet<BlockingEntry> = answer
                .suppressions
                .iter()
                .map(|block| {
                    let (scope, source) = (block.scope.to_string(), block.source.to_string());
                    (scope, source, block.entry.id.clone())
                })
                .collect();
            let entries = &wanted[answer.address.key()];
            let wanted = blocking_entries(entries, &scopes, Some("readers/weekly"), now);
            same(
                &format!("entries of {} that the store returns", answer.address),
                &found,
                &wanted,
            )?;
        }
    }
    Ok(())
}

fn entries_by_address(scenario: &Scenario) -> BTreeMap<String, Entries> {
    let expected = expect(scenario, &scenario.all_reports(), &scenario.decisions);
    let mut wanted: BTreeMap<String, Entries> = BTreeMap::new();
    for ((address, scope, source), entry) in expected.entries {
        wanted.entry(address).or_default().insert((scope, source), entry);
    }
    for ((address, scope, source), entry) in expected.series {
        wanted.entry(address).or_default().insert((scope, source), entry);
    }
    wanted
}

//! Makes the table agree with `postroom.toml`: shows the difference, asks, writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};

use anyhow::bail;
use notification_model::AccountId;
use serde_json::{Value, json};
use store::{
    Mailbox, MailboxKey, RegisteredIdentity, Route, RouteKey, SenderMatch, Store, StoreError, Threshold,
    ThresholdTable, Thresholds,
};

use crate::Output;
use crate::cli::ApplyArgs;
use crate::config::{self, Config};
use crate::mailboxes::{action_words, verdict_words, warnings_text};
use crate::routes::{filter_words, redaction_words, sender_words, target_words};
use crate::table::{AwsFailed, open};

/// What a name stands for, as people read it: `target`, `view`, ...
type Fields = Vec<(&'static str, String)>;

/// One section of the difference: what is there and what ought to be, by name.
struct Section {
    title: &'static str,
    changes: Vec<Change>,
}

struct Change {
    name: String,
    before: Option<Fields>,
    after: Option<Fields>,
}

/// What the table holds.
struct Present {
    identities: BTreeMap<AccountId, Vec<RegisteredIdentity>>,
    routes: Vec<Route>,
    thresholds: ThresholdTable,
    mailboxes: BTreeMap<MailboxKey, Mailbox>,
}

pub(crate) async fn run(args: &ApplyArgs) -> anyhow::Result<Output> {
    let wanted = config::read(&args.file)?;
    let store = open(&args.table).await;
    let present = read(&store).await.map_err(AwsFailed::from)?;
    let sections = compare(&present, &wanted);
    let differs = sections.iter().any(|section| !section.changes.is_empty());
    let mut text = if args.table.json {
        String::new()
    } else {
        format!("{}{}", warnings_text(&wanted.warnings), as_text(&sections)?)
    };

    let mut applied = false;
    if differs && !args.dry_run {
        if !args.yes && !ask(&mut text)? {
            return Ok(Output {
                text: "nothing was changed\n".to_owned(),
                yes: false,
            });
        }
        write(&store, &present, &wanted).await.map_err(AwsFailed::from)?;
        applied = true;
    }
    if args.table.json {
        text = as_json(&sections, applied, &wanted.warnings);
    } else {
        text.push_str(match (differs, applied) {
            (false, _) => "nothing to change: the table is as the file says\n",
            (true, true) => "applied\n",
            (true, false) => "a dry run: nothing was changed\n",
        });
    }
    Ok(Output {
        text,
        yes: applied || !differs,
    })
}

/// Shows what would change, and asks. Only a person can answer; anything else has to say `--yes` beforehand.
fn ask(difference: &mut String) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{difference}this is no terminal to ask at: --yes applies the difference, --dry-run only shows it");
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{difference}apply? [y/N] ")?;
    out.flush()?;
    difference.clear();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

async fn read(store: &Store) -> Result<Present, StoreError> {
    Ok(Present {
        identities: store.all_registered_identities().await?,
        routes: store.all_routes().await?,
        thresholds: store.thresholds().await?,
        mailboxes: store.all_mailboxes().await?,
    })
}

/// Writes what differs, and only that. What is new comes before what is removed, so that a route that moves is never
/// missing; applied again after a failure, it goes on where it stopped.
async fn write(store: &Store, present: &Present, wanted: &Config) -> Result<(), StoreError> {
    let (before, after) = (identities(&present.identities), identities(&wanted.identities));
    for (account, identities) in new(&before, &after) {
        store.register_identities(account, identities).await?;
    }
    for account in gone(&before, &after) {
        store.register_identities(account, &[]).await?;
    }
    let (before, after) = (thresholds(&present.thresholds), thresholds(&wanted.thresholds));
    for (senders, thresholds) in new(&before, &after) {
        store.put_thresholds(senders.as_ref(), thresholds).await?;
    }
    for senders in gone(&before, &after) {
        store.delete_thresholds(senders.as_ref()).await?;
    }
    let (before, after) = (routes_by_key(&present.routes), routes_by_key(&wanted.routes));
    for (key, routes) in new(&before, &after) {
        store.put_routes(key, routes).await?;
    }
    for key in gone(&before, &after) {
        store.delete_routes(key).await?;
    }
    for (_, mailbox) in new(&present.mailboxes, &wanted.mailboxes) {
        store.put_mailbox(mailbox).await?;
    }
    for key in gone(&present.mailboxes, &wanted.mailboxes) {
        store.delete_mailbox(key).await?;
    }
    Ok(())
}

fn new<'a, K: Ord, V: PartialEq>(before: &BTreeMap<K, V>, after: &'a BTreeMap<K, V>) -> Vec<(&'a K, &'a V)> {
    after
        .iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .collect()
}

fn gone<'a, K: Ord, V>(before: &'a BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Vec<&'a K> {
    before.keys().filter(|key| !after.contains_key(key)).collect()
}

/// An account without identities has no row.
fn identities(all: &BTreeMap<AccountId, Vec<RegisteredIdentity>>) -> BTreeMap<AccountId, Vec<RegisteredIdentity>> {
    let some = all.iter().filter(|(_, identities)| !identities.is_empty());
    some.map(|(account, identities)| {
        let sorted: BTreeSet<_> = identities.iter().cloned().collect();
        (account.clone(), sorted.into_iter().collect())
    })
    .collect()
}

fn thresholds(table: &ThresholdTable) -> BTreeMap<Option<SenderMatch>, Thresholds> {
    let overrides = table.overrides.iter();
    let overrides = overrides.map(|(senders, thresholds)| (Some(senders.clone()), thresholds.clone()));
    overrides
        .chain(table.default.clone().map(|thresholds| (None, thresholds)))
        .collect()
}

fn routes_by_key(routes: &[Route]) -> BTreeMap<RouteKey, Vec<Route>> {
    let mut by_key: BTreeMap<RouteKey, Vec<Route>> = BTreeMap::new();
    for route in routes {
        if let Ok(key) = RouteKey::new(route.senders.clone()) {
            by_key.entry(key).or_default().push(route.clone());
        }
    }
    by_key.values_mut().for_each(|routes| routes.sort());
    by_key
}

fn compare(present: &Present, wanted: &Config) -> Vec<Section> {
    let names = &wanted.names;
    let account = |(account, identities): (&AccountId, &Vec<RegisteredIdentity>)| {
        let own: Vec<String> = identities
            .iter()
            .map(|one| format!("{} of {}", one.identity, one.owner))
            .collect();
        let name = names
            .get(account)
            .map_or_else(|| account.to_string(), |name| format!("{account} {name}"));
        (name, vec![("identities", own.join(", "))])
    };
    let line = |(senders, thresholds): (&Option<SenderMatch>, &Thresholds)| {
        let name = senders.as_ref().map_or_else(|| "everyone".to_owned(), sender_words);
        (name, threshold_fields(thresholds))
    };
    let by_name = |routes: &[Route]| -> BTreeMap<String, Fields> {
        routes
            .iter()
            .map(|route| (route.name.clone(), route_fields(route)))
            .collect()
    };
    vec![
        section(
            "accounts",
            identities(&present.identities).iter().map(account).collect(),
            identities(&wanted.identities).iter().map(account).collect(),
        ),
        section("routes", by_name(&present.routes), by_name(&wanted.routes)),
        section(
            "thresholds",
            thresholds(&present.thresholds).iter().map(line).collect(),
            thresholds(&wanted.thresholds).iter().map(line).collect(),
        ),
        section("mailboxes", mailboxes(&present.mailboxes), mailboxes(&wanted.mailboxes)),
    ]
}

fn section(title: &'static str, mut before: BTreeMap<String, Fields>, after: BTreeMap<String, Fields>) -> Section {
    let mut changes = Vec::new();
    for (name, fields) in after {
        let before = before.remove(&name);
        if before.as_ref() != Some(&fields) {
            changes.push(Change {
                name,
                before,
                after: Some(fields),
            });
        }
    }
    changes.extend(before.into_iter().map(|(name, fields)| Change {
        name,
        before: Some(fields),
        after: None,
    }));
    Section { title, changes }
}

fn route_fields(route: &Route) -> Fields {
    vec![
        ("of", sender_words(&route.senders)),
        ("only", filter_words(&route.filter)),
        ("to", target_words(&route.target)),
        ("sees", redaction_words(route.redaction).to_owned()),
    ]
}

fn mailboxes(all: &BTreeMap<MailboxKey, Mailbox>) -> BTreeMap<String, Fields> {
    // In full: what is not told here counts as equal.
    let fields = |mailbox: &Mailbox| {
        let actions: Vec<String> = mailbox.actions.iter().map(action_words).collect();
        vec![
            ("does", actions.join("; ")),
            ("verdicts", verdict_words(&mailbox.verdicts)),
        ]
    };
    all.iter()
        .map(|(key, mailbox)| (key.to_string(), fields(mailbox)))
        .collect()
}

fn threshold_fields(thresholds: &Thresholds) -> Fields {
    let words = |threshold: &Threshold| {
        format!(
            "warn at {}, enforcement at {}, from {} recipients an hour and {} a day, and {} events",
            threshold.warn,
            threshold.enforce,
            threshold.min_hour_recipients,
            threshold.min_day_recipients,
            threshold.min_events
        )
    };
    let enforcements: Vec<&str> = thresholds
        .enforcements
        .iter()
        .map(|enforcement| enforcement.as_str())
        .collect();
    let enforcements = if enforcements.is_empty() {
        "none".to_owned()
    } else {
        enforcements.join(", ")
    };
    vec![
        ("bounces", words(&thresholds.bounces)),
        ("complaints", words(&thresholds.complaints)),
        ("enforcements", enforcements),
    ]
}

fn as_text(sections: &[Section]) -> anyhow::Result<String> {
    let mut text = String::new();
    let (mut added, mut changed, mut removed) = (0, 0, 0);
    for section in sections.iter().filter(|section| !section.changes.is_empty()) {
        writeln!(text, "{}", section.title)?;
        for Change { name, before, after } in &section.changes {
            match (before, after) {
                (None, Some(fields)) => {
                    added += 1;
                    writeln!(text, "  + {name}")?;
                    for (field, value) in fields {
                        writeln!(text, "      {field:<12}  {value}")?;
                    }
                }
                (Some(before), Some(after)) => {
                    changed += 1;
                    writeln!(text, "  ~ {name}")?;
                    for ((field, old), (_, new)) in before.iter().zip(after).filter(|(old, new)| old != new) {
                        writeln!(text, "    - {field:<12}  {old}")?;
                        writeln!(text, "    + {field:<12}  {new}")?;
                    }
                }
                _ => {
                    removed += 1;
                    writeln!(text, "  - {name}")?;
                }
            }
        }
    }
    if added + changed + removed > 0 {
        writeln!(text, "{added} added, {changed} changed, {removed} removed")?;
    }
    Ok(text)
}

fn as_json(sections: &[Section], applied: bool, warnings: &[String]) -> String {
    let fields = |fields: &Option<Fields>| -> Value {
        let all = fields
            .as_ref()
            .map(|fields| fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        all.map_or(Value::Null, |all| Value::Object(all.collect()))
    };
    let changes: Vec<Value> = sections
        .iter()
        .flat_map(|section| section.changes.iter().map(move |change| (section.title, change)))
        .map(|(section, change)| {
            json!({"section": section, "name": change.name, "before": fields(&change.before), "after": fields(&change.after)})
        })
        .collect();
    format!(
        "{:#}\n",
        json!({"changes": changes, "applied": applied, "warnings": warnings})
    )
}

//! Who must not be mailed: look up, list, suppress, release.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{
    ActiveSuppression, HistoryEntry, MirrorAction, MirrorReason, MirrorRequest, Recipient, Scope, SenderContext, Store,
    SuppressionEntry, SuppressionSource,
};

use crate::Output;
use crate::cli::{CheckArgs, GetArgs, HistoryArgs, ListArgs, PutArgs, ReleaseArgs};
use crate::mirror::send;
use crate::table::{AwsFailed, open};

pub(crate) async fn get(args: &GetArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let now = Timestamp::now();
    let row = row_of(&store, &args.address).await?;
    let blocks = blocks_of(&row, now);
    let history = match blocks.is_empty() {
        true => Vec::new(),
        false => store.history(&args.address).await.map_err(AwsFailed::from)?,
    };
    let since: Vec<Timestamp> = blocks.iter().map(|block| since(block, &history)).collect();

    if args.table.json {
        let suppressions: Vec<Value> = blocks
            .iter()
            .zip(&since)
            .map(|(block, since)| block_json(block, Some(*since)))
            .collect();
        let answer = json!({
            "address": args.address.key(), "suppressed": !blocks.is_empty(), "suppressions": suppressions,
        });
        return Ok(Output {
            text: format!("{answer:#}\n"),
            yes: !blocks.is_empty(),
        });
    }
    if blocks.is_empty() {
        return Ok(Output {
            text: format!("{} is not suppressed\n", args.address.key()),
            yes: false,
        });
    }
    let mut text = format!("{} is suppressed\n", args.address.key());
    for (block, since) in blocks.iter().zip(&since) {
        writeln!(text, "\n  {}, {}", scope_words(&block.scope), until_words(&block.entry))?;
        writeln!(text, "    {:<21}  {}", "why", block.entry.reason)?;
        writeln!(text, "    {:<21}  {since}", "since")?;
        for (name, value) in &block.entry.evidence {
            writeln!(text, "    {name:<21}  {value}")?;
        }
    }
    Ok(Output::yes(text))
}

pub(crate) async fn check(args: &CheckArgs) -> anyhow::Result<Output> {
    let context = SenderContext {
        tenant: args.tenant.clone(),
        identity: args.identity.clone(),
        topic: args.topic.clone(),
    };
    let store = open(&args.table).await;
    let answers = store
        .check(&args.addresses, &context, Timestamp::now())
        .await
        .map_err(AwsFailed::from)?;
    let all = answers.iter().all(|answer| answer.suppressions.is_empty());
    if args.table.json {
        let answer = |answer: &store::CheckResult| {
            let blocks: Vec<Value> = answer
                .suppressions
                .iter()
                .map(|block| block_json(block, None))
                .collect();
            json!({"address": answer.address.key(), "mail": blocks.is_empty(), "suppressions": blocks})
        };
        let answers: Vec<Value> = answers.iter().map(answer).collect();
        return Ok(Output {
            text: format!("{:#}\n", json!(answers)),
            yes: all,
        });
    }
    let mut text = String::new();
    for answer in &answers {
        match answer.suppressions.first() {
            None => writeln!(text, "yes  {}", answer.address.key())?,
            Some(block) => {
                writeln!(
                    text,
                    "no   {}  {}: {}",
                    answer.address.key(),
                    block.scope,
                    block.entry.reason
                )?;
            }
        }
    }
    Ok(Output { text, yes: all })
}

pub(crate) async fn list(args: &ListArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let until = args.until.unwrap_or(now);
    anyhow::ensure!(args.since <= until, "--since is later than --until (or than now)");
    let store = open(&args.table).await;
    let listed = store
        .suppressed_between(&args.scope, args.since, until, args.limit)
        .await
        .map_err(AwsFailed::from)?;
    let addresses: BTreeSet<&str> = listed.iter().map(|one| one.address.as_str()).collect();
    let addresses: Vec<EmailAddress> = addresses.into_iter().filter_map(EmailAddress::parse).collect();
    let rows = store.recipients(&addresses).await.map_err(AwsFailed::from)?;
    let mut in_force: Vec<(&str, ActiveSuppression)> = Vec::new();
    for (address, row) in &rows {
        let of_the_time = |block: &ActiveSuppression| block.entry.at >= args.since && block.entry.at <= until;
        let blocks = row.active_in(&args.scope, now).filter(of_the_time);
        in_force.extend(blocks.map(|block| (address.as_str(), block)));
    }
    in_force.sort_by(|a, b| (a.1.entry.at, a.0).cmp(&(b.1.entry.at, b.0)));

    if args.table.json {
        let row = |(address, block): &(&str, ActiveSuppression)| {
            let mut row = block_json(block, None);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("address".to_owned(), json!(address));
            }
            row
        };
        let rows: Vec<Value> = in_force.iter().map(row).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for (address, block) in &in_force {
        let SuppressionEntry { at, reason, .. } = &block.entry;
        writeln!(text, "{at}  {address}  {}  {reason}", until_words(&block.entry))?;
    }
    writeln!(text, "{} in force {}", in_force.len(), scope_words(&args.scope))?;
    if listed.len() == args.limit {
        let last = last_listed(&listed);
        writeln!(text, "there may be more: raise --limit, or go on with --since {last}")?;
    }
    Ok(Output::yes(text))
}

fn last_listed(listed: &[store::ListedSuppression]) -> String {
    listed.last().map(|one| one.at.to_string()).unwrap_or_default()
}

pub(crate) async fn put(args: &PutArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let until = args
        .days
        .and_then(|days| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    let reason = format!("suppressed by {}: {}", operator(), args.reason);
    let entry = manual(&args.address, now, true, until, &reason);
    let store = open(&args.table).await;
    decide(&store, &args.address, &args.scope, &entry).await?;
    let text = format!(
        "{} is suppressed, {}, {}\n",
        args.address.key(),
        scope_words(&args.scope),
        until_words(&entry)
    );
    let text = done(
        args.table.json,
        &args.address,
        std::slice::from_ref(&args.scope),
        &entry,
        text,
    );
    let request = mirror_request(&args.address, &args.scope, &entry);
    Ok(Output::yes(send(&args.mirror, &[request], text).await?))
}

pub(crate) async fn release(args: &ReleaseArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let now = Timestamp::now();
    let row = row_of(&store, &args.address).await?;
    let scopes = match &args.scope {
        Some(scope) => vec![scope.clone()],
        None => blocks_of(&row, now)
            .into_iter()
            .map(|block| block.scope)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    };
    let reason = format!("released by {}: {}", operator(), args.reason);
    let newest = row
        .entries
        .iter()
        .filter(|((scope, _), _)| scopes.contains(scope))
        .map(|(_, entry)| entry.at)
        .max();
    // Another clock may be ahead of this one; a release has to be newer than what it releases.
    let at = newest.map_or(now, |newest| now.max(newest + SignedDuration::from_millis(1)));
    let entry = manual(&args.address, at, false, None, &reason);
    if scopes.is_empty() {
        let text = format!("{} is not suppressed: nothing to release\n", args.address.key());
        return Ok(Output {
            text: done(args.table.json, &args.address, &scopes, &entry, text),
            yes: false,
        });
    }
    for scope in &scopes {
        decide(&store, &args.address, scope, &entry).await?;
    }
    let names: Vec<String> = scopes.iter().map(scope_words).collect();
    let text = format!("{} is released, {}\n", args.address.key(), names.join(" and "));
    let text = done(args.table.json, &args.address, &scopes, &entry, text);
    let requests: Vec<MirrorRequest> = scopes
        .iter()
        .map(|scope| mirror_request(&args.address, scope, &entry))
        .collect();
    Ok(Output::yes(send(&args.mirror, &requests, text).await?))
}

async fn row_of(store: &Store, address: &EmailAddress) -> Result<Recipient, AwsFailed> {
    Ok(store.recipient(address).await?.unwrap_or_default())
}

/// Everything in force against a recipient, in any scope.
fn blocks_of(row: &Recipient, now: Timestamp) -> Vec<ActiveSuppression> {
    let scopes: BTreeSet<&Scope> = row.entries.keys().map(|(scope, _)| scope).collect();
    scopes.into_iter().flat_map(|scope| row.active_in(scope, now)).collect()
}

fn mirror_request(address: &EmailAddress, scope: &Scope, entry: &SuppressionEntry) -> MirrorRequest {
    MirrorRequest {
        action: if entry.blocked {
            MirrorAction::Put
        } else {
            MirrorAction::Delete
        },
        address: address.clone(),
        scope: scope.clone(),
        reason: MirrorReason::Bounce,
        at: entry.at,
        id: entry.id.clone(),
    }
}

fn done(as_json: bool, address: &EmailAddress, scopes: &[Scope], entry: &SuppressionEntry, text: String) -> String {
    if !as_json {
        return text;
    }
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let answer = json!({
        "address": address.key(), "action": if entry.blocked { "suppress" } else { "release" }, "scopes": scopes,
        "at": entry.at.to_string(), "until": entry.until.map(|until| until.to_string()), "reason": entry.reason,
    });
    format!("{answer:#}\n")
}

/// Writes a person's decision. The history comes first: a decision must never stand unexplained.
async fn decide(store: &Store, address: &EmailAddress, scope: &Scope, entry: &SuppressionEntry) -> anyhow::Result<()> {
    let source = if entry.blocked {
        &SuppressionSource::Manual
    } else {
        &SuppressionSource::Released
    };
    let history = HistoryEntry {
        at: entry.at,
        id: entry.id.clone(),
        kind: if entry.blocked {
            "manual-suppress"
        } else {
            "manual-release"
        }
        .to_owned(),
        reason: entry.reason.clone(),
        scope: scope.clone(),
        suppresses: entry.blocked,
        evidence: entry.evidence.clone(),
        expires_at: entry.until,
    };
    store.append_history(address, &history).await.map_err(AwsFailed::from)?;
    store
        .record_suppression(address, scope, source, entry, entry.at)
        .await
        .map_err(AwsFailed::from)?;
    Ok(())
}

fn manual(
    address: &EmailAddress,
    now: Timestamp,
    blocked: bool,
    until: Option<Timestamp>,
    reason: &str,
) -> SuppressionEntry {
    SuppressionEntry {
        at: now,
        id: format!("manual-{}", now.as_microsecond()),
        blocked,
        until,
        reason: reason.to_owned(),
        address: address.as_str().to_owned(),
        evidence: BTreeMap::from([("by".to_owned(), operator())]),
    }
}

pub(crate) fn operator() -> String {
    std::env::var("USER")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an operator".to_owned())
}

pub(crate) async fn history(args: &HistoryArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let mut entries = store.history(&args.address).await.map_err(AwsFailed::from)?;
    entries.retain(|entry| {
        args.scope.as_ref().is_none_or(|scope| *scope == entry.scope)
            && args.since.is_none_or(|since| entry.at >= since)
            && args.until.is_none_or(|until| entry.at <= until)
    });
    if args.table.json {
        let rows: Vec<Value> = entries
            .iter()
            .map(|entry| {
                json!({
                    "at": entry.at.to_string(), "id": entry.id, "kind": entry.kind, "scope": entry.scope.to_string(),
                    "suppresses": entry.suppresses, "reason": entry.reason, "evidence": entry.evidence,
                })
            })
            .collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for entry in &entries {
        writeln!(
            text,
            "{}  {:<16}  {}  {}",
            entry.at, entry.kind, entry.scope, entry.reason
        )?;
    }
    if entries.is_empty() {
        writeln!(text, "nothing known of {}", args.address.key())?;
    }
    Ok(Output::yes(text))
}

/// The oldest event of the same kind that suppressed there: the entry itself holds the newest.
fn since(block: &ActiveSuppression, history: &[HistoryEntry]) -> Timestamp {
    let own = history
        .iter()
        .filter(|entry| entry.id == block.entry.id && entry.scope == block.scope);
    let kind = own.map(|entry| entry.kind.as_str()).next();
    let released_at = history
        .iter()
        .filter(|entry| entry.scope == block.scope && entry.kind == "manual-release")
        .map(|entry| entry.at)
        .max();
    history
        .iter()
        .filter(|entry| entry.suppresses && entry.scope == block.scope && Some(entry.kind.as_str()) == kind)
        .filter(|entry| released_at.is_none_or(|released_at| entry.at > released_at))
        .map(|entry| entry.at)
        .min()
        .unwrap_or(block.entry.at)
}

/// `at` is the newest event behind the decision; `since`, where it is known, the oldest.
fn block_json(block: &ActiveSuppression, since: Option<Timestamp>) -> Value {
    let mut fields = json!({
        "scope": block.scope.to_string(),
        "source": block.source.to_string(),
        "reason": block.entry.reason,
        "at": block.entry.at.to_string(),
        "until": block.entry.until.map(|until| until.to_string()),
        "id": block.entry.id,
        "evidence": block.entry.evidence,
    });
    if let (Some(since), Some(fields)) = (since, fields.as_object_mut()) {
        fields.insert("since".to_owned(), json!(since.to_string()));
    }
    fields
}

pub(crate) fn scope_words(scope: &Scope) -> String {
    match scope {
        Scope::Global => "for every sender (global)".to_owned(),
        Scope::Tenant(name) => format!("for tenant {name}"),
        Scope::Domain(name) => format!("for senders of {name}"),
    }
}

fn until_words(entry: &SuppressionEntry) -> String {
    entry
        .until
        .map_or_else(|| "for good".to_owned(), |until| format!("until {until}"))
}

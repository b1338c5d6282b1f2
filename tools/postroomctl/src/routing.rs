//! Where one event would go, and why. The router's own code decides here too.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, bail};
use delegate_router::action::Action;
use delegate_router::decide::{Facts, decide};
use delegate_router::own_notification::OwnIdentity;
use delegate_router::ownership::{Ownership, identify, needs_registration};
use delegate_router::received::Received;
use intake::RecordKind;
use notification_model::{AccountId, Mail, Notification, SesMessage};
use serde_json::{Value, json};
use store::{RegisteredIdentity, Route, Store, StoreError};

use crate::Output;
use crate::cli::RoutesTestArgs;
use crate::config::{self, Config};
use crate::explain::{batch_of, read};
use crate::routes::target_words;
use crate::table::{AwsFailed, open_named};

/// Where the routes and the registered identities come from.
enum Source {
    File(Box<Config>),
    Table(Store),
}

/// Where one notification would go.
struct Tested {
    what: String,
    ownership: Result<String, String>,
    goes: Vec<(String, String)>,
    unrouted: Option<String>,
}

pub(crate) async fn test(args: &RoutesTestArgs) -> anyhow::Result<Output> {
    let source = match (&args.config, &args.table) {
        (Some(file), _) => Source::File(Box::new(config::read(file)?)),
        (None, Some(table)) => Source::Table(open_named(table).await),
        (None, None) => bail!("expected --config or --table: the routes of a file, or of a stack"),
    };
    let batch = batch_of(&read(&args.event)?).with_context(|| args.event.display().to_string())?;
    let mut tested = Vec::new();
    for record in batch.records() {
        let record = record
            .as_ref()
            .map_err(|bad| anyhow::anyhow!("{}: {}", bad.id, bad.error))?;
        if record.kind != RecordKind::Notification {
            continue;
        }
        let message = notification_model::parse(&record.payload).with_context(|| args.event.display().to_string())?;
        if let SesMessage::Notification(notification) = message {
            tested.push(test_one(&source, notification, record.payload.clone()).await?);
        }
    }
    let all_routed = tested.iter().all(|one| one.unrouted.is_none());
    let text = if args.json {
        tested_json(&tested)
    } else {
        tested_text(&tested)?
    };
    Ok(Output { text, yes: all_routed })
}

async fn test_one(source: &Source, notification: Notification, payload: String) -> anyhow::Result<Tested> {
    let mail = &notification.mail;
    let registered = match needs_registration(mail) {
        Some(account) => source.registered(account).await.map_err(AwsFailed::from)?,
        None => Vec::new(),
    };
    let ownership = identify(mail, &registered);
    let routes = match &ownership {
        Ok(ownership) => source.routes(ownership).await.map_err(AwsFailed::from)?,
        Err(_) => Vec::new(),
    };
    let words = match &ownership {
        Ok(ownership) => Ok(ownership_words(ownership, mail)),
        Err(error) => Err(error.to_string()),
    };
    let what = format!("{}, message {}", notification.event.name(), mail.message_id);
    let received = Received { notification, payload };
    let mut tested = Tested {
        what,
        ownership: words,
        goes: Vec::new(),
        unrouted: None,
    };
    for action in decide(&received, &Facts { ownership, routes }, &OwnIdentity::default()) {
        match action {
            Action::Deliver(delivery) => tested.goes.push((target_words(&delivery.target), delivery.reason)),
            Action::Unrouted(unrouted) => tested.unrouted = Some(unrouted.explanation),
        }
    }
    Ok(tested)
}

impl Source {
    async fn registered(&self, account: &AccountId) -> Result<Vec<RegisteredIdentity>, StoreError> {
        let mut found = match self {
            Self::File(config) => config.identities.clone(),
            Self::Table(store) => store.registered_identities(std::slice::from_ref(account)).await?,
        };
        Ok(found.remove(account).unwrap_or_default())
    }

    /// The routes under the ownership' keys; the router picks among them.
    async fn routes(&self, ownership: &Ownership) -> Result<Vec<Route>, StoreError> {
        let keys = ownership.route_keys();
        Ok(match self {
            Self::File(config) => {
                let granted = |route: &&Route| keys.iter().any(|key| *key.sender_match() == route.senders);
                config.routes.iter().filter(granted).cloned().collect()
            }
            Self::Table(store) => {
                let found: BTreeMap<_, Vec<Route>> = store.routes_for(&keys).await?;
                found.into_values().flatten().collect()
            }
        })
    }
}

fn ownership_words(ownership: &Ownership, mail: &Mail) -> String {
    let mut words = format!("identity {} of {}", ownership.identity, ownership.owner);
    let by = if ownership.delegated() { "delegate " } else { "" };
    words.push_str(&format!(", sent by {by}{}", ownership.account));
    for (name, value) in [
        ("configuration set", &ownership.configuration_set),
        ("tenant", &ownership.tenant),
    ] {
        words.push_str(
            &value
                .as_ref()
                .map(|value| format!(", {name} {value}"))
                .unwrap_or_default(),
        );
    }
    if mail.source_arn.is_none() {
        words.push_str(" (no sourceArn: found among the registered identities)");
    }
    words
}

fn tested_text(all: &[Tested]) -> anyhow::Result<String> {
    let mut text = String::new();
    for one in all {
        writeln!(text, "{}", one.what)?;
        if let Ok(ownership) = &one.ownership {
            writeln!(text, "  {ownership}")?;
        }
        for (target, reason) in &one.goes {
            writeln!(text, "  goes to {target}")?;
            writeln!(text, "      because: {reason}")?;
        }
        if let Some(because) = &one.unrouted {
            writeln!(text, "  goes to nobody but the topic for unrouted ones")?;
            writeln!(text, "      because: {because}")?;
        }
    }
    if all.is_empty() {
        writeln!(text, "no notification of sent mail in it: nothing to route")?;
    }
    Ok(text)
}

fn tested_json(all: &[Tested]) -> String {
    let rows: Vec<Value> = all
        .iter()
        .map(|one| {
            let goes: Vec<Value> = one
                .goes
                .iter()
                .map(|(target, reason)| json!({"target": target, "because": reason}))
                .collect();
            json!({"what": one.what, "ownership": one.ownership.as_ref().ok(), "goesTo": goes, "unrouted": one.unrouted})
        })
        .collect();
    format!("{:#}\n", json!(rows))
}

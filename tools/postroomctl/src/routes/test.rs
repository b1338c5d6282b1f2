//! `postroomctl routes test`: the router's own decision about notifications in a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use delegate_router::action::Action;
use delegate_router::decide::{Facts, decide};
use delegate_router::own_notification::OwnIdentity;
use delegate_router::ownership::{Ownership, identify, needs_registration};
use delegate_router::received::Received;
use intake::RecordKind;
use notification_model::{AccountId, Mail, Notification, SesMessage};
use operations::read_inputs;
use serde_json::{Value, json};
use store::{RegisteredIdentity, Route, Store, StoreError};

use crate::aws_error::AwsError;
use crate::config::{self, Config};
use crate::describe::target_text;
use crate::output::{Output, json_text};
use crate::table::open_table;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A file with an SNS message, a Lambda event of any kind, or an SES JSON; `-` reads standard input.
    event: PathBuf,
    /// Use the routes of this postroom.toml. Needs no AWS access.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the routes of this stack's table (output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    table: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Where the routes and the registered identities are read from.
enum Source {
    File(Box<Config>),
    Table(Store),
}

/// The routing of one notification.
struct Routing {
    notification: String,
    /// Owner, account and identity, when they can be identified.
    ownership: Option<String>,
    deliveries: Vec<Delivery>,
    /// Why no route matches.
    unrouted: Option<String>,
}

struct Delivery {
    target: String,
    reason: String,
}

pub(crate) async fn run(args: &TestArgs) -> anyhow::Result<Output> {
    let source = match (&args.config, &args.table) {
        (Some(file), _) => Source::File(Box::new(config::read(file)?)),
        (None, Some(table)) => Source::Table(open_table(table).await),
        (None, None) => bail!("expected --config (routes of a file) or --table (routes of a stack)"),
    };
    let mut routings = Vec::new();
    for input in read_inputs(&args.event)? {
        for record in input.batch.records() {
            let record = record
                .as_ref()
                .map_err(|bad| anyhow::anyhow!("{}: {}", input.position, input.shape_error(&bad.error)))?;
            if record.kind != RecordKind::Notification {
                continue;
            }
            let message = notification_model::parse(&record.payload).with_context(|| input.position.clone())?;
            if let SesMessage::Notification(notification) = message {
                routings.push(route_notification(&source, notification, record.payload.clone()).await?);
            }
        }
    }
    let all_routed = routings.iter().all(|routing| routing.unrouted.is_none());
    let text = if args.json {
        routings_json(&routings)
    } else {
        routings_text(&routings)?
    };
    Ok(Output::answer(all_routed, text))
}

async fn route_notification(source: &Source, notification: Notification, payload: String) -> anyhow::Result<Routing> {
    let mail = &notification.mail;
    let registered = match needs_registration(mail) {
        Some(account) => source.registered_identities(account).await.map_err(AwsError::from)?,
        None => Vec::new(),
    };
    let ownership = identify(mail, &registered);
    let routes = match &ownership {
        Ok(ownership) => source.routes(ownership).await.map_err(AwsError::from)?,
        Err(_) => Vec::new(),
    };
    let mut routing = Routing {
        notification: format!("{}, message {}", notification.event.name(), mail.message_id),
        ownership: ownership.as_ref().ok().map(|ownership| ownership_text(ownership, mail)),
        deliveries: Vec::new(),
        unrouted: None,
    };
    let received = Received { notification, payload };
    for action in decide(&received, &Facts { ownership, routes }, &OwnIdentity::default()) {
        match action {
            Action::Deliver(delivery) => routing.deliveries.push(Delivery {
                target: target_text(&delivery.target),
                reason: delivery.reason,
            }),
            Action::Unrouted(unrouted) => routing.unrouted = Some(unrouted.explanation),
        }
    }
    Ok(routing)
}

impl Source {
    async fn registered_identities(&self, account: &AccountId) -> Result<Vec<RegisteredIdentity>, StoreError> {
        let mut found = match self {
            Self::File(config) => config.identities.clone(),
            Self::Table(store) => store.registered_identities(std::slice::from_ref(account)).await?,
        };
        Ok(found.remove(account).unwrap_or_default())
    }

    /// The routes of these accounts, before their filters apply.
    async fn routes(&self, ownership: &Ownership) -> Result<Vec<Route>, StoreError> {
        let keys = ownership.route_keys();
        Ok(match self {
            Self::File(config) => {
                let has_key = |route: &&Route| keys.iter().any(|key| *key.sender_match() == route.senders);
                config.routes.iter().filter(has_key).cloned().collect()
            }
            Self::Table(store) => {
                let found: BTreeMap<_, Vec<Route>> = store.routes_for(&keys).await?;
                found.into_values().flatten().collect()
            }
        })
    }
}

fn ownership_text(ownership: &Ownership, mail: &Mail) -> String {
    let mut text = format!("identity {} of {}", ownership.identity, ownership.owner);
    let delegate = if ownership.delegated() { "delegate " } else { "" };
    text.push_str(&format!(", sent by {delegate}{}", ownership.account));
    if let Some(name) = &ownership.configuration_set {
        text.push_str(&format!(", configuration set {name}"));
    }
    if let Some(name) = &ownership.tenant {
        text.push_str(&format!(", tenant {name}"));
    }
    if mail.source_arn.is_none() {
        text.push_str(" (no sourceArn: identified by the registered identities)");
    }
    text
}

fn routings_text(routings: &[Routing]) -> anyhow::Result<Text> {
    let mut text = Text::default();
    for routing in routings {
        writeln!(text, "{}", routing.notification)?;
        if let Some(ownership) = &routing.ownership {
            writeln!(text, "  {ownership}")?;
        }
        for Delivery { target, reason } in &routing.deliveries {
            writeln!(text, "  target: {target}")?;
            writeln!(text, "      because: {reason}")?;
        }
        if let Some(reason) = &routing.unrouted {
            writeln!(text, "  target: the topic for unrouted notifications")?;
            writeln!(text, "      because: {reason}")?;
        }
    }
    if routings.is_empty() {
        writeln!(text, "nothing to route: no notification about sent mail")?;
    }
    Ok(text)
}

fn routings_json(routings: &[Routing]) -> Text {
    let rows: Vec<Value> = routings
        .iter()
        .map(|routing| {
            let targets: Vec<Value> = routing
                .deliveries
                .iter()
                .map(|delivery| json!({"target": delivery.target, "reason": delivery.reason}))
                .collect();
            json!({
                "notification": routing.notification, "ownership": routing.ownership, "targets": targets,
                "unrouted": routing.unrouted,
            })
        })
        .collect();
    json_text(&json!(rows))
}

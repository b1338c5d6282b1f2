//! Throughput of the functions' handlers with whole batches.

use std::time::Instant;

use clap::Args;
use feedback::effects::Effects;
use feedback::policy::Policy;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use prove::aws::{DELIVERY_DEAD_LETTER_QUEUE_URL, DELIVERY_QUEUE_URL, SimulatedAws, UNROUTED_TOPIC_ARN};
use serde_json::{Value, json};
use store::{Redaction, Route, RouteFilter, RouteKey, SenderMatch, Store};

use crate::classify::{print_result, processor_time};

#[derive(Args)]
pub(crate) struct Options {
    /// Endpoint of the table [default: a table in this process]
    #[arg(long)]
    endpoint: Option<String>,
    /// Event type: bounce, soft (a soft bounce), complaint or delivery
    #[arg(long, default_value = "bounce")]
    kind: String,
    /// Number of notifications per batch
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Number of recipients per notification
    #[arg(long, default_value_t = 1)]
    recipients: usize,
    /// Total number of notifications
    #[arg(long, default_value_t = 1000)]
    total: usize,
}

#[derive(Args)]
pub(crate) struct RouteOptions {
    /// Number of routes that match each notification
    #[arg(long, default_value_t = 1)]
    routes: usize,
    /// Number of notifications per batch
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Total number of notifications
    #[arg(long, default_value_t = 1000)]
    total: usize,
}

impl Options {
    fn events(&self) -> anyhow::Result<Vec<Value>> {
        let began: Timestamp = "2026-03-02T08:00:00Z".parse()?;
        Ok(events(self.total, self.batch, |number| {
            let at = began + SignedDuration::from_millis(number.try_into().unwrap_or_default());
            notification(&self.kind, number, self.recipients, at)
        }))
    }
}

/// Prints the number of notifications per second.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let client = match &options.endpoint {
        None => SimulatedAws::new(1, false).dynamodb(),
        Some(endpoint) => {
            let endpoint = endpoint.clone();
            let environment = move |name: &str| match name {
                "AWS_REGION" => Some("us-east-1".to_owned()),
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
                "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
                _ => None,
            };
            aws_sdk_dynamodb::Client::new(lambda_kit::Aws::from_env(environment)?.config())
        }
    };
    let effects = Effects {
        store: Store::new(client, "postroom"),
        policy: Policy::default(),
    };
    let events = options.events()?;
    let now: Timestamp = "2026-03-02T09:00:00Z".parse()?;
    let (began, cpu_time_began) = (Instant::now(), processor_time()?);
    for event in &events {
        let answer = feedback::handle(event, &effects, &mut Metrics::default(), now).await?;
        anyhow::ensure!(
            serde_json::to_value(&answer)? == json!({"batchItemFailures": []}),
            "a record failed"
        );
    }
    // Over a connection, the time spent waiting is part of the result.
    let seconds = match options.endpoint {
        None => (processor_time()? - cpu_time_began) / 1e9,
        Some(_) => began.elapsed().as_secs_f64(),
    };
    print_result(options.total as f64 / seconds);
    Ok(())
}

/// Prints the number of notifications per second. Each results in a delivery per route.
pub(crate) async fn route(options: &RouteOptions) -> anyhow::Result<()> {
    let aws = SimulatedAws::new(1, false);
    let store = Store::new(aws.dynamodb(), "postroom");
    let senders = SenderMatch {
        owner: Some("111122223333".parse()?),
        account: None,
        identity: None,
    };
    let key = RouteKey::new(senders.clone())?;
    let route = |number: usize| -> anyhow::Result<Route> {
        Ok(Route {
            name: format!("route-{number}"),
            senders: senders.clone(),
            filter: RouteFilter::default(),
            target: format!("queue:arn:aws:sqs:us-east-1:111122223333:target-{number}").parse()?,
            redaction: Redaction::Standard,
        })
    };
    let routes: Vec<Route> = (0..options.routes).map(route).collect::<anyhow::Result<_>>()?;
    store.put_routes(&key, &routes).await?;
    let settings = |name: &str| {
        let value = match name {
            "TABLE_NAME" => "postroom",
            "ACCOUNT_ID" => "111122223333",
            "DELIVERY_QUEUE_URL" => DELIVERY_QUEUE_URL,
            "DELIVERY_DEAD_LETTER_QUEUE_URL" => DELIVERY_DEAD_LETTER_QUEUE_URL,
            "UNROUTED_TOPIC_ARN" => UNROUTED_TOPIC_ARN,
            _ => return None,
        };
        Some(value.to_owned())
    };
    let settings = delegate_router::settings::Settings::from_env(settings)?;
    let effects = delegate_router::effects::Effects::new(store, aws.router_clients(), settings);
    let at: Timestamp = "2026-03-02T08:00:00Z".parse()?;
    let events = events(options.total, options.batch, |number| {
        notification("bounce", number, 1, at)
    });
    let began = processor_time()?;
    for event in &events {
        delegate_router::handle(event, &effects, &mut Metrics::default(), at).await?;
    }
    let seconds = (processor_time()? - began) / 1e9;
    let queued = aws.services().enqueued_deliveries();
    anyhow::ensure!(queued == options.total * options.routes, "{queued} deliveries");
    print_result(options.total as f64 / seconds);
    Ok(())
}

fn events(total: usize, batch: usize, notification: impl Fn(usize) -> Value) -> Vec<Value> {
    let record = |number: usize| {
        let envelope = json!({
            "Type": "Notification", "MessageId": format!("sns-{number}"), "TopicArn": "arn:aws:sns:us-east-1:111122223333:postroom",
            "Message": notification(number).to_string(), "Timestamp": "2026-03-02T09:00:00.000Z",
        });
        json!({"eventSource": "aws:sqs", "messageId": format!("sqs-{number}"), "body": envelope.to_string()})
    };
    let numbers: Vec<usize> = (0..total).collect();
    numbers
        .chunks(batch.max(1))
        .map(|chunk| json!({"Records": chunk.iter().map(|number| record(*number)).collect::<Vec<_>>()}))
        .collect()
}

fn notification(kind: &str, number: usize, recipients: usize, at: Timestamp) -> Value {
    let addresses: Vec<String> = (0..recipients)
        .map(|index| format!("user-{number}-{index}@example.net"))
        .collect();
    let objects = |fields: Value| -> Vec<Value> {
        addresses
            .iter()
            .map(|address| {
                let mut object = json!({"emailAddress": address});
                if let (Some(object), Some(fields)) = (object.as_object_mut(), fields.as_object()) {
                    object.extend(fields.clone());
                }
                object
            })
            .collect()
    };
    let at = at.to_string();
    // Typical lengths of header fields.
    let headers = [
        ("Received", 160),
        ("Received", 180),
        ("DKIM-Signature", 420),
        ("Date", 31),
        ("From", 40),
        ("To", 30),
        ("Message-ID", 60),
        ("Subject", 50),
        ("MIME-Version", 3),
        ("Content-Type", 70),
        ("List-Unsubscribe", 120),
        ("List-Unsubscribe-Post", 26),
        ("Feedback-ID", 40),
    ];
    let value = |length: usize| {
        "text of a header field; "
            .chars()
            .cycle()
            .take(length)
            .collect::<String>()
    };
    let headers = headers.map(|(name, length)| json!({"name": name, "value": value(length)}));
    let mail = json!({
        "timestamp": at, "messageId": format!("0100018d9dd1305b-{number:012}-000000"), "destination": addresses,
        "source": "news@shop.example", "sendingAccountId": "111122223333", "headers": headers,
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
    });
    match kind {
        "complaint" => json!({"notificationType": "Complaint", "mail": mail,
            "complaint": {"timestamp": at, "complaintFeedbackType": "abuse", "complainedRecipients": objects(json!({}))}}),
        "delivery" => json!({"notificationType": "Delivery", "mail": mail,
            "delivery": {"timestamp": at, "recipients": addresses, "smtpResponse": "250 ok", "processingTimeMillis": 800}}),
        "soft" => json!({"notificationType": "Bounce", "mail": mail, "bounce": {
            "bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": at, "feedbackId": format!("f-{number}"),
            "bouncedRecipients": objects(json!({"action": "failed", "status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}))}}),
        _ => json!({"notificationType": "Bounce", "mail": mail, "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General", "timestamp": at, "feedbackId": format!("f-{number}"),
            "bouncedRecipients": objects(json!({"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}))}}),
    }
}

/// Writes the Lambda events to standard output, one per line.
#[expect(clippy::print_stdout, reason = "the result")]
pub(crate) fn print_events(options: &Options) -> anyhow::Result<()> {
    for event in options.events()? {
        println!("{event}");
    }
    Ok(())
}

//! Every event under `events/inbound`, handled by the function with an embedded DynamoDB and mocked AWS services.
//!
//! `snapshots/outcomes.snap` has the response, the sent mail, the messages, the rows, the requests and the metrics of each
//! event, one line per outcome.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use test_stack::{FEEDBACK_TOPIC, SentMail, TestStack, event_names, metric_texts, now, read_event};

#[tokio::test]
async fn each_event_has_the_recorded_outcomes() {
    let mut report = String::new();
    for name in event_names() {
        report.push_str(&format!("{name}\n"));
        for line in outcomes(&read_event(&name)).await {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("outcomes", report);
    });
}

#[tokio::test]
async fn an_event_that_is_handled_twice_has_its_outcomes_once() {
    for name in event_names() {
        let event = read_event(&name);
        let stack = TestStack::new().await;
        let response = stack.handle(&event, &mut Metrics::default(), now()).await;
        let (sent, messages, rows) = (stack.sent_mail().len(), stack.messages(), stack.rows().await);
        let second_response = stack.handle(&event, &mut Metrics::default(), now()).await;
        assert_eq!(second_response, response, "{name}");
        assert_eq!(stack.sent_mail().len(), sent, "{name}");
        assert_eq!(stack.messages(), messages, "{name}");
        assert_eq!(stack.rows().await, rows, "{name}");
    }
}

#[tokio::test]
async fn a_notification_has_the_whole_summary_of_the_mail() {
    let stack = TestStack::new().await;
    stack
        .handle(&read_event("verdict-dmarc-quarantine"), &mut Metrics::default(), now())
        .await;
    let (_, _, summary) = &stack.messages()[0];
    insta::assert_snapshot!(format!("{summary:#}"), @r#"
    {
      "version": 1,
      "type": "MailReceived",
      "messageId": "plain--1",
      "timestamp": "2026-03-03T09:15:01Z",
      "mailbox": "info@shop.example",
      "recipients": [
        "info@shop.example"
      ],
      "envelopeFrom": "jane@client.example",
      "from": [
        {
          "name": "Jane Doe",
          "address": "jane@client.example"
        }
      ],
      "replyTo": [
        "jane@client.example"
      ],
      "subject": "Order 4711",
      "headerMessageId": "<4711.a@client.example>",
      "date": "2026-03-03T09:15:00Z",
      "verdicts": {
        "dkim": "FAIL",
        "dmarc": "FAIL",
        "dmarcPolicy": "quarantine",
        "spam": "PASS",
        "spf": "PASS",
        "virus": "PASS"
      },
      "tags": [
        "dkim FAIL",
        "dmarc FAIL, policy quarantine"
      ],
      "automatic": [],
      "report": null,
      "sizeBytes": 1280,
      "location": {
        "bucket": "postroom-mail",
        "key": "inbound/plain--1"
      },
      "disposition": "CONTINUE",
      "verdictAction": "tag",
      "reasons": [
        "dkim FAIL: tag (default)",
        "dmarc FAIL, policy quarantine: tag (default)"
      ]
    }
    "#);
}

async fn outcomes(event: &Value) -> Vec<String> {
    let stack = TestStack::new().await;
    let mut metrics = Metrics::default();
    let response = stack.handle(event, &mut metrics, now()).await;
    let requests = describe_requests(&stack.requests.take());
    let mut lines = vec![format!("response  {response}")];
    lines.extend(stack.reads().iter().map(|read| format!("read      {read}")));
    lines.extend(stack.sent_mail().iter().map(describe_mail));
    let messages = stack.messages();
    lines.extend(messages.iter().map(|(kind, target, content)| {
        let content = describe_message(kind, target, content);
        format!("{kind:<9} {target}: {content}")
    }));
    // Which rows of a counter a mail uses depends on hashes. `caps.rs` tests the counters.
    let rows = stack.rows().await;
    let rows = rows.iter().filter(|(key, _)| !key.starts_with("CAP#"));
    lines.extend(rows.flat_map(|(key, row)| describe_row(key, row)));
    let handed_over = stack.services().handed_over.len();
    if handed_over > 0 {
        lines.push(format!("queued    {handed_over} payload(s) in the inbound queue"));
    }
    lines.push(format!("requests  {requests}"));
    lines.push(format!("metrics   {}", metric_texts(&metrics).join("; ")));
    lines
}

fn describe_requests(requests: &BTreeMap<String, usize>) -> String {
    let requests: Vec<String> = requests.iter().map(|(name, count)| format!("{name} {count}")).collect();
    match requests.is_empty() {
        true => "none".to_owned(),
        false => requests.join(", "),
    }
}

/// The addresses of a mail and the header fields that differ between mails. `rewritten_mail.rs` shows whole headers.
fn describe_mail(sent: &SentMail) -> String {
    const FIELDS: [&str; 5] = [
        "Reply-To",
        "Resent-To",
        "Subject",
        "Auto-Submitted",
        "X-Postroom-Forwarded",
    ];
    let text = String::from_utf8_lossy(&sent.mail);
    let header = text.split("\r\n\r\n").next().unwrap();
    let fields = header.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name))
    });
    let fields: Vec<&str> = fields.collect();
    let (from, to) = (&sent.from, sent.to.join(", "));
    let configuration_set = sent.configuration_set.as_deref().unwrap_or("none");
    format!(
        "email     {from} -> {to} (configuration set {configuration_set}): {}",
        fields.join("; ")
    )
}

fn describe_message(kind: &str, target: &str, content: &Value) -> String {
    match kind {
        "bounced" => content.to_string(),
        _ if target == FEEDBACK_TOPIC => content.to_string(),
        _ => {
            // The test of the whole summary shows the other fields.
            let fields = [
                "mailbox",
                "recipients",
                "tags",
                "automatic",
                "report",
                "disposition",
                "verdictAction",
                "reasons",
            ];
            let fields: BTreeMap<&str, &Value> = fields.into_iter().map(|name| (name, &content[name])).collect();
            json!(fields).to_string()
        }
    }
}

/// A row and its reasons, with times instead of seconds, and without verdicts that are PASS and the bucket.
fn describe_row(key: &str, row: &Value) -> Vec<String> {
    let mut attributes = Vec::new();
    let mut reasons = Vec::new();
    for (name, value) in row.as_object().unwrap() {
        match (name.as_str(), value) {
            ("bucket", Value::String(bucket)) if bucket == test_stack::BUCKET => {}
            ("verdicts", Value::Object(verdicts)) => {
                let others = verdicts.iter().filter(|(_, status)| *status != "PASS");
                let others: Vec<String> = others
                    .map(|(check, status)| format!("{check} {}", status.as_str().unwrap()))
                    .collect();
                let others = if others.is_empty() {
                    "PASS".to_owned()
                } else {
                    others.join(", ")
                };
                attributes.push(format!("verdicts={others}"));
            }
            ("expiresAt", Value::Number(seconds)) => {
                let expires_at = Timestamp::from_second(seconds.as_i64().unwrap()).unwrap();
                attributes.push(format!("expiresAt={expires_at}"));
            }
            // Different in each run.
            ("claimToken", Value::String(_)) => {}
            (_, Value::String(text)) => attributes.push(format!("{name}={text}")),
            ("reasons", Value::Array(texts)) => {
                let texts = texts.iter().map(|text| text.as_str().unwrap());
                reasons.extend(texts.map(|text| format!("  reason  {text}")));
            }
            (_, Value::Array(texts)) => {
                let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
                attributes.push(format!("{name}=[{}]", texts.join(" | ")));
            }
            _ => attributes.push(format!("{name}={value}")),
        }
    }
    let row = format!("row       {key}: {}", attributes.join(", "));
    std::iter::once(row).chain(reasons).collect()
}

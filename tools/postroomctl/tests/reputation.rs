//! `postroomctl reputation`, against an embedded DynamoDB and a stub of SES.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Enforcement, EnforcementChange, EnforcementStatus, Figures, Level, Measure, ReputationState, Sender, Window,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use support::Stack;

const SENDER: &str = "111122223333/111122223333/shop.example";

/// 20 recipients of a sending account; the first `bounces` of them bounce, the others receive the message.
async fn send_20(stack: &Stack, account: &str, bounces: usize) {
    let now = Timestamp::now().to_string();
    for message in 0..20 {
        let recipient = format!("user{message}@example.net");
        let mail = json!({
            "timestamp": now, "messageId": format!("{account}-{message}"), "destination": [recipient],
            "sendingAccountId": account, "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
            "tags": {"ses:configuration-set": ["campaigns"]},
        });
        let body = if message < bounces {
            json!({"eventType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent", "timestamp": now,
                   "bouncedRecipients": [{"emailAddress": recipient, "status": "5.1.1"}]}})
        } else {
            json!({"eventType": "Delivery", "mail": mail, "delivery": {"timestamp": now, "recipients": [recipient]}})
        };
        let record = json!({"eventSource": "aws:sqs", "messageId": "1", "body": body.to_string()});
        stack.receive(&json!({"Records": [record]})).await;
    }
}

#[tokio::test]
async fn senders_are_listed_with_the_highest_rate_first() {
    let stack = Stack::new().await;
    let none = stack.run_successfully("reputation senders").await;
    assert_eq!(none, "no senders in the last 24 hours\n");
    send_20(&stack, "111122223333", 0).await;
    send_20(&stack, "222233334444", 2).await;

    insta::assert_snapshot!("senders", stack.run_successfully("reputation senders").await);
    let rows = stack.run("reputation senders --json").await.json();
    assert_eq!(rows[0]["account"], "222233334444");
    let (day, stream) = (&rows[0]["day"], &rows[0]["dayByStream"][0]);
    assert_eq!(
        (&day["bounceRate"], &day["bounceRating"]),
        (&json!(0.1), &json!("low volume"))
    );
    assert_eq!((&day["counts"]["hard"], &day["volume"]), (&json!(2), &json!(20)));
    assert_eq!(
        (&stream["configurationSet"], &stream["counts"]["delivery"]),
        (&json!("campaigns"), &json!(18))
    );
    let rows = stack.run("reputation senders --json --minimum 20").await.json();
    assert_eq!(rows[0]["day"]["bounceRating"], "PAUSE RATE");
    assert_eq!(rows[1]["day"]["bounceRating"], "healthy");
}

/// An SES that accepts every request, and the requests.
async fn ses_stub() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let log = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            let text = String::from_utf8(request).unwrap();
            log.lock()
                .unwrap()
                .push(text.lines().next().unwrap_or_default().to_owned());
            let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    (endpoint, requests)
}

/// A sender above the enforce threshold, whose configuration set is paused.
async fn paused_configuration_set(stack: &Stack) -> Enforcement {
    let sender: Sender = SENDER.parse().unwrap();
    let at: Timestamp = "2026-01-27T14:59:38Z".parse().unwrap();
    let state = ReputationState {
        level: Level::Enforce,
        since: at,
        figures: Figures { count: 40, volume: 400 },
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    };
    let change = EnforcementChange::ConfigurationSet {
        name: "campaigns".to_owned(),
    };
    let enforcement = Enforcement::plan(&sender, &state, change);
    let store = &stack.effects.store;
    store.put_reputation_state(&sender, &state).await.unwrap();
    store.plan_enforcement(&enforcement).await.unwrap();
    store
        .update_enforcement(&enforcement, &EnforcementStatus::Done { at })
        .await
        .unwrap();
    enforcement
}

#[tokio::test]
async fn without_alerts_all_senders_are_below_their_thresholds() {
    let stack = Stack::new().await;
    let status = stack.run_successfully("reputation status").await;
    assert_eq!(status, "all senders are below their thresholds\n");
    let enforcements = stack.run_successfully("reputation enforcements").await;
    assert_eq!(enforcements, "no enforcements\n");
    let history = stack.run_successfully(&format!("reputation history {SENDER}")).await;
    assert!(history.ends_with("\n  no threshold was reached\n"), "{history}");
}

#[tokio::test]
async fn status_and_history_show_thresholds_and_enforcements() {
    let stack = Stack::new().await;
    let id = paused_configuration_set(&stack).await.id;
    let status = stack.run_successfully("reputation status").await;
    let state = "bounces of the last hour at the enforce threshold: 40 of 400 recipients, since 2026-01-27T14:59:38Z";
    let enforcement = format!(
        "{id}  pause-configuration-set campaigns, for bounces of {SENDER} at 40 of 400 recipients, done \
         2026-01-27T14:59:38Z"
    );
    assert_eq!(
        status,
        format!("{SENDER}  {state}\n\nenforcements in force:\n{enforcement}\n")
    );
    insta::assert_snapshot!(
        "reputation_history",
        stack.run_successfully(&format!("reputation history {SENDER}")).await
    );
    let status = stack.run("reputation status --json").await.json();
    assert_eq!(
        (&status["senders"][0]["level"], &status["senders"][0]["notified"]),
        (&json!("enforce"), &json!(true))
    );
    assert_eq!(status["enforcements"][0]["enforcement"], json!(id));
}

#[tokio::test]
async fn undo_resumes_a_paused_configuration_set_once() {
    let mut stack = Stack::new().await;
    let (endpoint, requests) = ses_stub().await;
    stack.set_ses_endpoint(endpoint);
    let id = paused_configuration_set(&stack).await.id;

    let undo = stack.run_successfully(&format!("reputation undo {id}")).await;
    assert_eq!(undo, "undone: pause-configuration-set campaigns\n");
    assert_eq!(
        *requests.lock().unwrap(),
        ["PUT /v2/email/configuration-sets/campaigns/sending HTTP/1.1"]
    );
    let again = stack.run_successfully(&format!("reputation undo {id}")).await;
    assert!(
        again.starts_with("nothing to undo: undone ") && again.ends_with(" by olga\n"),
        "{again}"
    );
    assert_eq!(requests.lock().unwrap().len(), 1);

    let status = stack.run_successfully("reputation status").await;
    assert!(!status.contains("in force"), "{status}");
    let enforcements: Vec<Value> =
        serde_json::from_value(stack.run("reputation enforcements --json").await.json()).unwrap();
    assert_eq!(
        (&enforcements[0]["status"], &enforcements[0]["by"]),
        (&json!("undone"), &json!("olga"))
    );
}

#[tokio::test]
async fn unknown_enforcements_and_invalid_senders_are_invalid_input() {
    let stack = Stack::new().await;
    let unknown = stack.run("reputation undo 20260101T000000Z-00000000").await;
    assert_eq!(unknown.exit_code, 2);
    assert!(
        unknown
            .stderr
            .contains("`postroomctl reputation enforcements` lists the ids"),
        "{}",
        unknown.stderr
    );
    assert_eq!(stack.run("reputation history nobody").await.exit_code, 2);
}

//! What the pages show and change.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use operations::Decision;
use serde_json::json;
use store::{IndexedMail, IndexedSubject, Scope, VerdictAction};

use support::{Browser, Response};

#[tokio::test]
async fn a_recipient_shows_the_verdict_the_decision_and_the_history() {
    let browser = Browser::signed_in(false).await;
    let page = browser.open("/?address=jane%40example.net").await;
    assert!(
        page.body.contains("Not suppressed: every sender may mail it."),
        "{}",
        page.body
    );
    browser.receive_event("bounce-permanent-general").await;
    let page = browser.open("/?address=Jane%40Example.NET").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Suppressed: no sender may mail it.",
        "Suppressed for all senders (global), permanently",
        "hard bounce",
        "smtp; 550 5.1.1 &lt;jane@example.net&gt;... User unknown",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let invalid = browser.open("/?address=jane").await;
    assert_eq!(invalid.status, StatusCode::BAD_REQUEST);
    assert!(invalid.body.contains("is not a mail address"));
}

#[tokio::test]
async fn a_suppression_for_some_senders_is_no_verdict_for_all() {
    let browser = Browser::signed_in(true).await;
    suppress(&browser, "domain:shop.example", "").await;
    let page = browser.open("/?address=joe%40example.net").await;
    assert!(
        page.body.contains("Suppressed for some mail, which is named below."),
        "{}",
        page.body
    );
    assert!(
        page.body
            .contains("Suppressed for senders of shop.example, permanently")
    );
}

#[tokio::test]
async fn an_address_is_suppressed_for_days_and_released_with_reasons() {
    let browser = Browser::signed_in(true).await;
    let response = suppress(&browser, "global", "2").await;
    assert_eq!(response.header("location"), "/?address=joe%40example.net");
    let page = browser.open("/?address=joe%40example.net").await;
    assert!(
        page.body
            .contains("joe@example.net is suppressed, for all senders (global), until 2"),
        "{}",
        page.body
    );
    let again = browser.open("/?address=joe%40example.net").await;
    assert!(!again.body.contains("role=\"status\""), "a notice is shown once");

    let response = change(
        &browser,
        &page,
        "/recipient/release",
        &[("scope", ""), ("reason", "called us")],
    )
    .await;
    assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", response.body);
    let page = browser.open("/?address=joe%40example.net").await;
    assert!(
        page.body.contains("Not suppressed") && page.body.contains(": called us"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_change_of_an_old_page_is_refused() {
    let browser = Browser::signed_in(true).await;
    let old = browser.open("/?address=jane%40example.net").await;
    browser.receive_event("bounce-permanent-general").await;
    let fields = [("scope", "global"), ("days", ""), ("reason", "by phone")];
    let response = change_of(&browser, &old, "/recipient/suppress", "jane@example.net", &fields).await;
    assert_eq!(response.status, StatusCode::CONFLICT);
    assert!(
        response.body.contains("Nothing was changed") && !response.body.contains("by phone"),
        "{}",
        response.body
    );
}

#[tokio::test]
async fn an_invalid_change_says_what_was_expected() {
    let browser = Browser::signed_in(true).await;
    for (scope, days, reason, problem) in [
        ("everyone", "", "x", "expected the scope"),
        ("global", "0", "x", "expected 1 to 36500 days"),
        ("global", "", "", "enter a reason"),
    ] {
        let page = browser.open("/?address=joe%40example.net").await;
        let fields = [("scope", scope), ("days", days), ("reason", reason)];
        let response = change(&browser, &page, "/recipient/suppress", &fields).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST);
        assert!(response.body.contains(problem), "{}", response.body);
    }
}

#[tokio::test]
async fn senders_are_shown_with_rates_ratings_and_thresholds() {
    let browser = Browser::signed_in(false).await;
    assert!(
        browser
            .open("/senders")
            .await
            .body
            .contains("No sender in the last 24 hours.")
    );
    send_20(&browser, "111122223333", 0).await;
    send_20(&browser, "222233334444", 2).await;
    let page = browser.open("/senders").await;
    assert_eq!(page.status, StatusCode::OK);
    let worst = page
        .body
        .find("shop.example of 111122223333, sent by delegate 222233334444");
    let best = page.body.find("shop.example, sent by 111122223333");
    assert!(worst.is_some() && worst < best, "{}", page.body);
    for text in [
        "10.00 % <span class=\"muted\">low volume</span>",
        "delivery 18, hard 2",
        "configuration set campaigns",
        "Thresholds: bounces warn 2.5 %, enforce 5 %; complaints warn 0.05 %, enforce 0.1 %.",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

/// 20 recipients of a sending account; the first `bounces` of them bounce, the others receive the message.
async fn send_20(browser: &Browser, account: &str, bounces: usize) {
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
        browser.receive(&json!({"Records": [record]})).await;
    }
}

#[tokio::test]
async fn suppressions_are_filtered_by_scope_and_time() {
    let browser = Browser::signed_in(true).await;
    browser.receive_event("bounce-permanent-general").await;
    suppress(&browser, "domain:shop.example", "").await;
    let global = browser.open("/suppressions").await;
    assert!(
        global.body.contains("1 in force") && global.body.contains("href=\"/?address=jane%40example.net\""),
        "{}",
        global.body
    );
    let domain = browser.open("/suppressions?scope=domain%3Ashop.example").await;
    assert!(
        domain.body.contains("joe@example.net") && !domain.body.contains(">jane@example.net<"),
        "{}",
        domain.body
    );
    let later = browser.open("/suppressions?since=2026-03-03").await;
    assert!(later.body.contains("0 in force"), "{}", later.body);
    let day = browser
        .open("/suppressions?since=2026-03-02&until=2026-03-02T09%3A00%3A00Z")
        .await;
    assert!(day.body.contains("1 in force"), "{}", day.body);
    for wrong in ["scope=everyone", "since=yesterday", "since=2026-03-03&until=2026-03-02"] {
        let page = browser.open(&format!("/suppressions?{wrong}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn more_suppressions_than_a_page_has_are_reached_by_links() {
    let browser = Browser::signed_in(false).await;
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    for number in 0..150 {
        let address = EmailAddress::parse(&format!("user{number}@example.net")).unwrap();
        let decision = Decision::suppress(
            &address,
            Scope::Global,
            None,
            "test",
            start + SignedDuration::from_secs(number),
        );
        decision.write(&browser.store).await.unwrap();
    }
    let mut path = "/suppressions".to_owned();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let page = browser.open(&path).await.body;
        seen.extend(
            page.split("address=user")
                .skip(1)
                .map(|rest| rest.split('%').next().unwrap().to_owned()),
        );
        let Some((_, rest)) = page.split_once("<a href=\"/suppressions?") else {
            break;
        };
        path = format!(
            "/suppressions?{}",
            rest.split('"').next().unwrap().replace("&amp;", "&")
        );
    }
    assert_eq!(seen.len(), 150, "last page: {path}");
}

#[tokio::test]
async fn inbound_mail_is_shown_by_mailbox_with_what_was_decided() {
    let browser = Browser::signed_in(false).await;
    assert!(
        browser
            .open("/inbound")
            .await
            .body
            .contains("No mailbox is configured.")
    );
    let at = Timestamp::now();
    let mail = IndexedMail {
        mailbox: "support@shop.example".parse().unwrap(),
        message_id: "message-1".to_owned(),
        at,
        recipients: BTreeSet::from(["support+x@shop.example".to_owned()]),
        from: Some("jane@client.example".to_owned()),
        return_path: None,
        subject: Some(IndexedSubject::Text("<b>Order\u{202e} 7".to_owned())),
        verdicts: BTreeMap::from([("spam".to_owned(), "PASS".to_owned())]),
        size: None,
        location: None,
        verdict_action: VerdictAction::Tag,
        reasons: BTreeSet::from(["dkim GRAY: tag, the default".to_owned()]),
        expires_at: at + SignedDuration::from_hours(24),
    };
    browser.store.index_mail(&mail).await.unwrap();
    let page = browser.open("/inbound?mailbox=support%40shop.example").await;
    for text in [
        "&lt;b&gt;Order\\u{202e} 7",
        "jane@client.example",
        "dkim GRAY: tag, the default",
        "message-1",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let wrong = browser.open("/inbound?mailbox=x%40y.example&before=yesterday").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_pasted_payload_is_explained_as_by_the_command_line() {
    let browser = Browser::signed_in(false).await;
    let token = browser.open("/explain").await.field("form-token");
    let payload = std::fs::read_to_string("../../events/feedback/bounce-permanent-general.json").unwrap();
    let fields = [("form-token", token.as_str()), ("payload", payload.as_str())];
    let page = browser.send(browser.post("/explain", &fields)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(
        page.body.contains("suppress permanently, for all senders (global)"),
        "{}",
        page.body
    );
    let fields = [("form-token", token.as_str()), ("payload", "{")];
    let page = browser.send(browser.post("/explain", &fields)).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("expected valid JSON"), "{}", page.body);
}

#[tokio::test]
async fn every_field_has_a_label_and_every_page_a_language_a_title_and_a_heading() {
    let browser = Browser::signed_in(true).await;
    browser.receive_event("bounce-permanent-general").await;
    for path in [
        "/?address=jane%40example.net",
        "/suppressions",
        "/senders",
        "/inbound",
        "/explain",
        "/sign-in",
    ] {
        let body = browser.open(path).await.body;
        assert!(
            body.contains("<html lang=\"en\">") && body.contains("<title>") && body.contains("<main id=\"content\"")
        );
        assert_eq!(body.matches("<h1>").count(), 1, "{path}");
        for field in ["<input ", "<select ", "<textarea "] {
            for tag in body.split(field).skip(1).map(|rest| rest.split('>').next().unwrap()) {
                let id = tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
                let is_labelled = id.is_some_and(|id| body.contains(&format!("for=\"{id}\"")));
                assert!(is_labelled || tag.contains("type=\"hidden\""), "{path}: {tag}");
            }
        }
        assert!(body.len() < 150_000, "{path}: {} bytes", body.len());
    }
}

async fn suppress(browser: &Browser, scope: &str, days: &str) -> Response {
    let page = browser.open("/?address=joe%40example.net").await;
    let fields = [("scope", scope), ("days", days), ("reason", "by phone")];
    let response = change(browser, &page, "/recipient/suppress", &fields).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", response.body);
    response
}

async fn change(browser: &Browser, page: &Response, path: &str, fields: &[(&str, &str)]) -> Response {
    change_of(browser, page, path, "joe@example.net", fields).await
}

async fn change_of(browser: &Browser, page: &Response, path: &str, address: &str, fields: &[(&str, &str)]) -> Response {
    let (token, version) = (page.field("form-token"), page.field("version"));
    let mut all = vec![
        ("form-token", token.as_str()),
        ("version", version.as_str()),
        ("address", address),
    ];
    all.extend_from_slice(fields);
    browser.send(browser.post(path, &all)).await
}

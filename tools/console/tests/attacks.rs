//! Attacks on the console: each is tried by a request, and fails.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::time::Duration;

use axum::http::header::{self, HeaderValue};
use axum::http::{Method, StatusCode};
use notification_model::EmailAddress;

use support::{Browser, HOST};

/// Every path that has data or changes something, with its methods.
const PRIVATE: [(Method, &str); 9] = [
    (Method::GET, "/"),
    (Method::GET, "/suppressions"),
    (Method::GET, "/inbound"),
    (Method::GET, "/senders"),
    (Method::GET, "/explain"),
    (Method::POST, "/explain"),
    (Method::POST, "/recipient/release"),
    (Method::POST, "/recipient/suppress"),
    (Method::POST, "/sign-out"),
];

const PUBLIC: [&str; 4] = ["/sign-in", "/assets/style.css", "/assets/sign-in.js", "/missing"];

const FORGED_COOKIE: &str = "postroom-console-8625=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const FORMS: [&str; 4] = ["/explain", "/recipient/release", "/recipient/suppress", "/sign-out"];

#[tokio::test]
async fn another_name_for_the_loopback_address_reaches_no_page() {
    let browser = Browser::signed_in(true).await;
    let paths = PRIVATE.iter().map(|(method, path)| (method.clone(), *path));
    let public = PUBLIC.map(|path| (Method::GET, path));
    for (method, path) in paths.chain(public) {
        for host in [
            "attacker.example:8625",
            "localhost:8625",
            "127.0.0.1",
            "127.0.0.1:8626",
            "127.0.0.1:8625.attacker.example",
            "",
        ] {
            let mut request = browser.get(path);
            *request.method_mut() = method.clone();
            request.headers_mut().insert(header::HOST, host.parse().unwrap());
            let response = browser.send(request).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{method} {path} at {host:?}");
        }
    }
}

#[tokio::test]
async fn a_second_host_or_a_host_in_the_request_line_is_rejected() {
    let browser = Browser::signed_in(false).await;
    let mut twice = browser.get("/senders");
    twice
        .headers_mut()
        .append(header::HOST, HeaderValue::from_static("attacker.example"));
    assert_eq!(browser.send(twice).await.status, StatusCode::FORBIDDEN);
    let absolute = browser.get("http://attacker.example/senders");
    assert_eq!(browser.send(absolute).await.status, StatusCode::FORBIDDEN);
    let mut missing = browser.get("/senders");
    missing.headers_mut().remove(header::HOST);
    assert_eq!(browser.send(missing).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nothing_private_is_shown_without_a_session() {
    let browser = Browser::new(true).await;
    let mut forged = Browser::new(true).await;
    forged.cookie = Some(FORGED_COOKIE.to_owned());
    for (method, path) in PRIVATE {
        for browser in [&browser, &forged] {
            let request = match method {
                Method::GET => browser.get(path),
                _ => browser.post(
                    path,
                    &[("form-token", ""), ("address", "jane@example.net"), ("reason", "x")],
                ),
            };
            let response = browser.send(request).await;
            assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(
                !response.body.contains("form-token") && !response.body.contains("Table"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_works_once_and_a_new_one_replaces_an_unused_one() {
    let browser = Browser::new(false).await;
    let unused = browser.token();
    let token = browser.token();
    assert_eq!(browser.sign_in(&unused, "/").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.sign_in("", "/").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.sign_in(&token, "/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.sign_in(&token, "/").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_token_is_in_the_fragment_and_the_cookie_is_closed_to_scripts_and_other_sites() {
    let browser = Browser::new(false).await;
    let link = browser.console.sign_in_link().unwrap();
    assert!(
        link.starts_with(&format!("http://{HOST}/sign-in#")) && !link.contains('?'),
        "{link}"
    );
    let response = browser.sign_in(&browser.token(), "/").await;
    let cookie = response.header("set-cookie");
    let (value, attributes) = cookie.split_once(';').unwrap();
    assert!(
        value.starts_with("postroom-console-8625=") && value.len() > 50,
        "{value}"
    );
    assert_eq!(attributes, " HttpOnly; SameSite=Strict; Path=/");
}

#[tokio::test]
async fn a_sign_in_leads_only_to_the_console() {
    let browser = Browser::new(false).await;
    for other in [
        "https://attacker.example/",
        "//attacker.example",
        "/\\attacker.example",
        "javascript:alert(1)",
    ] {
        let response = browser.sign_in(&browser.token(), other).await;
        assert_eq!(response.header("location"), "/", "{other}");
    }
    let response = browser.sign_in(&browser.token(), "/?address=a%40b.example").await;
    assert_eq!(response.header("location"), "/?address=a%40b.example");
}

#[tokio::test]
async fn another_session_ends_the_first_and_signing_out_ends_it_too() {
    let first = Browser::signed_in(false).await;
    let second = first.sign_in(&first.token(), "/").await;
    assert_eq!(second.status, StatusCode::SEE_OTHER);
    assert_eq!(first.open("/senders").await.status, StatusCode::UNAUTHORIZED);

    let browser = Browser::signed_in(false).await;
    let token = browser.open("/senders").await.field("form-token");
    let response = browser.send(browser.post("/sign-out", &[("form-token", &token)])).await;
    assert!(response.header("set-cookie").ends_with("Max-Age=0"));
    assert_eq!(browser.open("/senders").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_form_without_the_token_of_the_session_changes_nothing() {
    let browser = Browser::signed_in(true).await;
    let other = Browser::signed_in(true).await.open("/").await.field("form-token");
    for path in FORMS {
        for token in ["", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &other] {
            let fields = [
                ("form-token", token),
                ("address", "jane@example.net"),
                ("scope", "global"),
                ("reason", "x"),
                ("version", "0-0"),
            ];
            let response = browser.send(browser.post(path, &fields)).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert!(!is_known(&browser, "jane@example.net").await);
    assert_eq!(browser.open("/senders").await.status, StatusCode::OK, "still signed in");
}

#[tokio::test]
async fn another_site_or_another_port_cannot_send_a_form() {
    let browser = Browser::signed_in(true).await;
    let token = browser.open("/").await.field("form-token");
    let fields = [
        ("form-token", token.as_str()),
        ("address", "jane@example.net"),
        ("scope", "global"),
        ("reason", "x"),
        ("version", "0-0"),
    ];
    let send = async |site: Option<&'static str>, origin: &'static str| {
        let mut request = browser.post("/recipient/suppress", &fields);
        request
            .headers_mut()
            .insert(header::ORIGIN, HeaderValue::from_static(origin));
        request.headers_mut().remove("sec-fetch-site");
        if let Some(site) = site {
            request
                .headers_mut()
                .insert("sec-fetch-site", HeaderValue::from_static(site));
        }
        browser.send(request).await.status
    };
    for site in [
        Some("cross-site"),
        Some("same-site"),
        Some("none"),
        Some("unheard-of"),
        None,
    ] {
        assert_eq!(send(site, "null").await, StatusCode::FORBIDDEN, "{site:?}");
    }
    assert_eq!(
        send(Some("same-origin"), "http://attacker.example").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        send(Some("same-origin"), "http://127.0.0.1:3000").await,
        StatusCode::FORBIDDEN
    );
    assert!(!is_known(&browser, "jane@example.net").await);
    assert_eq!(
        send(Some("same-origin"), "http://127.0.0.1:8625").await,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn another_site_cannot_load_a_page_or_embed_it() {
    let browser = Browser::signed_in(false).await;
    for site in ["cross-site", "same-site", "unheard-of"] {
        for (mode, destination) in [
            ("no-cors", "script"),
            ("cors", "empty"),
            ("navigate", "iframe"),
            ("no-cors", "image"),
        ] {
            let mut request = browser.get("/senders");
            let headers = request.headers_mut();
            headers.insert("sec-fetch-site", site.parse().unwrap());
            headers.insert("sec-fetch-mode", mode.parse().unwrap());
            headers.insert("sec-fetch-dest", destination.parse().unwrap());
            let response = browser.send(request).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{site} {mode} {destination}");
        }
    }
}

#[tokio::test]
async fn a_link_of_another_site_shows_nothing_before_a_click() {
    let browser = Browser::signed_in(true).await;
    browser.receive_event("bounce-permanent-general").await;
    let mut request = browser.get("/?address=jane%40example.net&x=%22%3E%3Cscript%3E");
    request
        .headers_mut()
        .insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let response = browser.send(request).await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(
        response
            .body
            .contains("href=\"/?address=jane%40example.net&amp;x=%22%3E%3Cscript%3E\""),
        "{}",
        response.body
    );
    assert!(!response.body.contains("Suppressed") && !response.body.contains("form-token"));

    let mut elsewhere = browser.get("//attacker.example/");
    elsewhere
        .headers_mut()
        .insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let response = browser.send(elsewhere).await;
    assert!(!response.body.contains("attacker.example"), "{}", response.body);
}

#[tokio::test]
async fn every_response_forbids_frames_caches_foreign_scripts_and_referrers_and_allows_no_other_origin() {
    let browser = Browser::signed_in(false).await;
    let mut wrong_host = browser.get("/");
    wrong_host
        .headers_mut()
        .insert(header::HOST, HeaderValue::from_static("attacker.example"));
    let mut preflight = browser.get("/recipient/release");
    *preflight.method_mut() = Method::OPTIONS;
    preflight
        .headers_mut()
        .insert(header::ORIGIN, HeaderValue::from_static("http://attacker.example"));
    let pages = ["/", "/suppressions", "/senders", "/inbound", "/explain"].map(|path| browser.get(path));
    let public = PUBLIC.map(|path| browser.get(path));
    for request in pages.into_iter().chain(public).chain([wrong_host, preflight]) {
        let path = request.uri().to_string();
        let response = browser.send(request).await;
        let policy = response.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe") && policy.contains("base-uri 'none'") && policy.contains("form-action 'self'")
        );
        assert_eq!(response.header("cache-control"), "no-store", "{path}");
        assert_eq!(response.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(response.header("x-frame-options"), "DENY", "{path}");
        assert!(
            response
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-")),
            "{path}"
        );
        // What the policy forbids: it would not work.
        assert!(
            !response.body.contains(" style=") && !response.body.contains(" onclick="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_console_without_write_changes_nothing() {
    let browser = Browser::signed_in(false).await;
    browser.receive_event("bounce-permanent-general").await;
    let page = browser.open("/?address=jane%40example.net").await;
    assert!(!page.body.contains("/recipient/"), "no form for a change");
    let token = page.field("form-token");
    for path in ["/recipient/release", "/recipient/suppress"] {
        let fields = [
            ("form-token", token.as_str()),
            ("address", "joe@example.net"),
            ("scope", "global"),
            ("reason", "x"),
            ("version", "0-0"),
        ];
        let response = browser.send(browser.post(path, &fields)).await;
        assert_eq!(response.status, StatusCode::FORBIDDEN, "{path}");
        assert!(response.body.contains("--write"), "{}", response.body);
    }
    assert!(!is_known(&browser, "joe@example.net").await);
}

#[tokio::test]
async fn a_page_or_a_link_cannot_change_anything_by_get() {
    let browser = Browser::signed_in(true).await;
    for path in ["/recipient/release", "/recipient/suppress", "/sign-out"] {
        let response = browser
            .open(&format!("{path}?address=jane%40example.net&scope=global&reason=x"))
            .await;
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let token = browser.open("/").await.field("form-token");
    let mut text = browser.post("/recipient/suppress", &[("form-token", &token)]);
    text.headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert_eq!(browser.send(text).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn text_of_strangers_is_text() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}gpj\u{1b}[2J";
    let browser = Browser::signed_in(true).await;
    let page = browser.open("/?address=joe%40example.net").await;
    let fields = [
        ("form-token", page.field("form-token")),
        ("version", page.field("version")),
        ("address", "joe@example.net".to_owned()),
        ("scope", "global".to_owned()),
        ("reason", HOSTILE.to_owned()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let response = browser.send(browser.post("/recipient/suppress", &fields)).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", response.body);
    let hostile_query = query_of(HOSTILE);
    let recipient = browser.open("/?address=joe%40example.net").await;
    let searched = browser.open(&format!("/?{hostile_query}")).await;
    let payload = browser.post("/explain", &[("form-token", fields[0].1), ("payload", HOSTILE)]);
    let explained = browser.send(payload).await;
    for response in [recipient, searched, explained] {
        assert!(!response.body.contains("<script>alert"), "{}", response.body);
        assert!(response.body.contains("&lt;script&gt;"), "{}", response.body);
    }
    let recipient = browser.open("/?address=joe%40example.net").await;
    assert!(!recipient.body.contains('\u{202e}') && !recipient.body.contains('\u{1b}'));
    assert!(recipient.body.contains(r"\u{202e}gpj\u{1b}[2J"), "{}", recipient.body);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_rejected() {
    let browser = Browser::signed_in(true).await;
    let payload = "x".repeat(5 * 1024 * 1024);
    let response = browser.send(browser.post("/explain", &[("payload", &payload)])).await;
    assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_the_use_of_a_signed_in_browser_keeps_the_console_open() {
    let mut browser = Browser::signed_in(false).await;
    tokio::time::pause();
    let idle = tokio::spawn({
        let console = browser.console.clone();
        async move { console.idle().await }
    });
    let minutes = async |minutes: u64| tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
    minutes(20).await;
    assert_eq!(browser.open("/explain").await.status, StatusCode::OK);
    minutes(20).await;
    assert!(!idle.is_finished(), "used 20 minutes ago");
    let cookie = browser.cookie.take();
    assert_eq!(browser.open("/explain").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.open("/sign-in").await.status, StatusCode::OK);
    browser.cookie = Some(FORGED_COOKIE.to_owned());
    assert_eq!(browser.open("/explain").await.status, StatusCode::UNAUTHORIZED);
    minutes(11).await;
    assert!(idle.is_finished(), "requests without a session are no use");
    browser.cookie = cookie;
    assert_eq!(browser.open("/explain").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_console_listens_on_the_loopback_address_only() {
    let listener = postroom_console::bind(0).await.unwrap();
    assert!(listener.local_addr().unwrap().ip().is_loopback());
}

async fn is_known(browser: &Browser, address: &str) -> bool {
    let address = EmailAddress::parse(address).unwrap();
    browser.store.recipient(&address).await.unwrap().is_some()
}

fn query_of(address: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("address", address)
        .finish()
}

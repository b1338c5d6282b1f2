//! Sends requests to a console in this process, as a browser or an attacker does.
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use axum::body::{Body, to_bytes};
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, Request, StatusCode};
use feedback::effects::Effects;
use feedback::policy::Policy;
use jiff::Timestamp;
use lambda_kit::Metrics;
use postroom_console::{Console, Settings, router};
use serde_json::Value;
use store::Store;
use tower::ServiceExt;

pub(crate) const HOST: &str = "127.0.0.1:8625";

/// A console, and a browser that may be signed in.
pub(crate) struct Browser {
    pub(crate) console: Console,
    pub(crate) store: Store,
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start).expect("the field");
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    pub(crate) async fn new(is_writable: bool) -> Self {
        let (store, _, _) = store::testing::fresh().await;
        let console = Console::new(Settings {
            store: store.clone(),
            context: vec![("Table", "postroom".to_owned())],
            port: 8625,
            is_writable,
        });
        Self {
            console,
            store,
            cookie: None,
        }
    }

    pub(crate) async fn signed_in(is_writable: bool) -> Self {
        let mut browser = Self::new(is_writable).await;
        let token = browser.token();
        let response = browser.sign_in(&token, "/").await;
        assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", response.body);
        let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
        browser.cookie = Some(cookie);
        browser
    }

    /// A new sign-in token.
    pub(crate) fn token(&self) -> String {
        let link = self.console.sign_in_link().unwrap();
        link.rsplit_once('#').unwrap().1.to_owned()
    }

    pub(crate) async fn sign_in(&self, token: &str, next: &str) -> Response {
        let request = self.post("/sign-in", &[("token", token), ("next", next)]);
        self.send(request).await
    }

    /// A request as a browser sends it for a typed address.
    pub(crate) fn get(&self, path: &str) -> Request<Body> {
        self.request(Method::GET, path, "none", Body::empty())
    }

    /// A request as a browser sends it for a form of the console.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form = form.extend_pairs(fields).finish();
        let mut request = self.request(Method::POST, path, "same-origin", Body::from(form));
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, "null".parse().unwrap());
        headers.insert(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        request
    }

    fn request(&self, method: Method, path: &str, site: &str, body: Body) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        request = request.header("sec-fetch-site", site);
        request = request
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(body).unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let response = router(self.console.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Response {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn open(&self, path: &str) -> Response {
        self.send(self.get(path)).await
    }

    /// Handles an event of `events/feedback` as the feedback function does.
    pub(crate) async fn receive_event(&self, name: &str) {
        let event = std::fs::read(format!("../../events/feedback/{name}.json")).unwrap();
        let event: Value = serde_json::from_slice(&event).unwrap();
        self.receive(&event).await;
    }

    pub(crate) async fn receive(&self, event: &Value) {
        let effects = Effects {
            store: self.store.clone(),
            policy: Policy::default(),
        };
        feedback::handle(event, &effects, &mut Metrics::default(), Timestamp::now())
            .await
            .unwrap();
    }
}

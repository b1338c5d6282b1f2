//! Reads the event of a Function URL, which has the
//! [payload format 2.0](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html) of API Gateway.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;

/// The longest body that is read. A mail program sends 26 octets.
const MAX_BODY_OCTETS: usize = 8 * 1024;
/// The field and value of [RFC 8058 section 3.2](https://www.rfc-editor.org/rfc/rfc8058#section-3.2).
const ONE_CLICK: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// A request. `Debug` shows no token, which contains an address.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The id that Lambda gave the request.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The last segment of the path, which should be a token.
    pub token: String,
    /// Whether the body is `List-Unsubscribe=One-Click`.
    pub is_one_click: bool,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("is_one_click", &self.is_one_click)
            .finish_non_exhaustive()
    }
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// Any other.
    Other,
}

/// An event is not a request of a Function URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an event with rawPath, requestContext.requestId and requestContext.http.method")]
pub struct NotARequest;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    request_context: Context,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: String,
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Reads an event.
///
/// # Errors
/// If the event is not a request of a Function URL.
pub fn read(event: &Value) -> Result<Request, NotARequest> {
    let event = Event::deserialize(event).map_err(|_| NotARequest)?;
    let method = match event.request_context.http.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        _ => Method::Other,
    };
    let path = event.raw_path.trim_end_matches('/');
    Ok(Request {
        id: event.request_context.request_id,
        method,
        token: path.rsplit('/').next().unwrap_or_default().to_owned(),
        is_one_click: method == Method::Post && is_one_click(event.body.as_deref(), event.is_base64_encoded),
    })
}

/// Whether a body is the form of RFC 8058, as `application/x-www-form-urlencoded` or `multipart/form-data`.
fn is_one_click(body: Option<&str>, is_base64: bool) -> bool {
    let Some(body) = body.filter(|body| body.len() <= MAX_BODY_OCTETS) else {
        return false;
    };
    let decoded = match is_base64 {
        true => BASE64.decode(body.as_bytes()).ok(),
        false => Some(body.as_bytes().to_vec()),
    };
    let Some(decoded) = decoded else { return false };
    let (name, value) = ONE_CLICK;
    let mut fields = form_urlencoded::parse(decoded.trim_ascii());
    if fields.any(|(found, text)| found == name && text == value) {
        return true;
    }
    // Of multipart/form-data, only the one field that RFC 8058 has: its name in a header line, and its value in a line.
    let text = String::from_utf8_lossy(&decoded);
    let mut lines = text.lines().map(str::trim_end);
    let names_field = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("content-disposition:") && line.contains("name=\"list-unsubscribe\"")
    };
    lines.by_ref().any(names_field) && lines.by_ref().any(str::is_empty) && lines.next() == Some(value)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::{Value, json};

    use super::{Method, read};

    fn event(method: &str, path: &str, body: Option<&str>, is_base64: bool) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {},
            "requestContext": {"requestId": "r1", "http": {"method": method, "path": path}},
            "body": body, "isBase64Encoded": is_base64,
        })
    }

    #[test]
    fn the_form_of_rfc_8058_is_read_in_every_encoding() {
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let cases = [
            (Some("List-Unsubscribe=One-Click"), true),
            (Some("a=b&List-Unsubscribe=One%2DClick"), true),
            (Some("List-Unsubscribe=One-Click\r\n"), true),
            (Some(multipart), true),
            (Some("List-Unsubscribe=Two-Clicks"), false),
            (Some("list=unsubscribe"), false),
            (
                Some("--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nOne-Click\r\n--b--"),
                false,
            ),
            (Some(""), false),
            (None, false),
        ];
        for (body, expected) in cases {
            let plain = read(&event("POST", "/1abc", body, false)).unwrap();
            assert_eq!(plain.is_one_click, expected, "{body:?}");
            let encoded = body.map(|body| BASE64.encode(body.as_bytes()));
            let encoded = read(&event("POST", "/1abc", encoded.as_deref(), true)).unwrap();
            assert_eq!(encoded.is_one_click, expected, "{body:?} in base64");
        }
        let invalid = read(&event("POST", "/1abc", Some("List-Unsubscribe=One-Click"), true)).unwrap();
        assert!(!invalid.is_one_click, "not base64");
        let long = format!("List-Unsubscribe=One-Click&a={}", "a".repeat(9000));
        assert!(!read(&event("POST", "/1abc", Some(&long), false)).unwrap().is_one_click);
    }

    #[test]
    fn only_a_post_is_one_click_and_the_token_ends_the_path() {
        let body = Some("List-Unsubscribe=One-Click");
        for (method, expected) in [
            ("GET", Method::Get),
            ("HEAD", Method::Head),
            ("OPTIONS", Method::Other),
            ("post", Method::Other),
        ] {
            let request = read(&event(method, "/x/1abc/", body, false)).unwrap();
            assert_eq!((request.method, request.is_one_click), (expected, false), "{method}");
            assert_eq!(request.token, "1abc");
        }
        assert_eq!(read(&event("POST", "/", body, false)).unwrap().token, "");
        assert!(read(&json!({"Records": []})).is_err());
        let text = format!("{:?}", read(&event("POST", "/1abc", body, false)).unwrap());
        assert!(!text.contains("1abc"), "{text}");
    }
}

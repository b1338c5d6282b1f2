//! Mocked AWS services that record their requests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use inbound::effects::Clients;
use serde_json::{Value, json};

use super::INBOUND_QUEUE;

/// What the services received, and how they respond.
#[derive(Default)]
pub(crate) struct Services {
    pub(crate) sent: Vec<SentMail>,
    /// Bounces, publications and queue messages: the kind, the sender or target, and the content.
    pub(crate) messages: Vec<(&'static str, String, Value)>,
    /// Payloads in the inbound queue.
    pub(crate) handed_over: Vec<String>,
    /// Objects by key, besides the files under `events/inbound/mail`.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// The objects and ranges of GetObject requests.
    pub(crate) reads: Vec<String>,
    /// Error codes by address, target or service. A key `once:ADDRESS` applies to one request.
    pub(crate) errors: BTreeMap<String, &'static str>,
    last_id: usize,
}

/// A mail that was sent through SES.
#[derive(Clone, PartialEq)]
pub(crate) struct SentMail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) mail: Vec<u8>,
    pub(crate) configuration_set: Option<String>,
}

impl Services {
    fn error_for(&self, target: &str) -> Option<ErrorMetadata> {
        let code = self.errors.get(target)?;
        Some(ErrorMetadata::builder().code(*code).message("test error").build())
    }

    fn id(&mut self) -> String {
        self.last_id += 1;
        format!("out-{}", self.last_id)
    }
}

macro_rules! mocked {
    ($service:ident, $rules:expr) => {{
        let rules: &[&Rule] = $rules;
        let interceptor = rules.iter().fold(
            MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
            |interceptor, rule| interceptor.with_rule(rule),
        );
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
            .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .build();
        $service::Client::from_conf(config)
    }};
}

/// Clients whose requests go to `services`.
pub(crate) fn clients(services: &Arc<Mutex<Services>>) -> Clients {
    let rules = [
        get_object(services.clone()),
        send_email(services.clone()),
        send_bounce(services.clone()),
        publish(services.clone()),
        send_message(services.clone()),
        get_secret(),
        put_object(services.clone()),
    ];
    let [
        get_object,
        send_email,
        send_bounce,
        publish,
        send_message,
        get_secret,
        put_object,
    ] = &rules;
    Clients {
        s3: mocked!(aws_sdk_s3, &[get_object, put_object]).into(),
        ses: mocked!(aws_sdk_sesv2, &[send_email]).into(),
        ses_v1: mocked!(aws_sdk_ses, &[send_bounce]).into(),
        sns: mocked!(aws_sdk_sns, &[publish]).into(),
        sqs: mocked!(aws_sdk_sqs, &[send_message]).into(),
        hand_over: mocked!(aws_sdk_sqs, &[send_message]).into(),
        secrets: mocked!(aws_sdk_secretsmanager, &[get_secret]).into(),
    }
}

/// The object with a key: `inbound/plain--1` is `events/inbound/mail/plain.eml`, unless a test stored another.
fn stored_object(services: &Services, key: &str) -> Option<Vec<u8>> {
    if let Some(mail) = services.objects.get(key) {
        return Some(mail.clone());
    }
    let name = key.rsplit('/').next()?.split("--").next()?;
    match name {
        "missing" => None,
        "encrypted" => Some(b"ciphertext".to_vec()),
        "broken-report" => {
            let head = "From: MAILER-DAEMON@eu-west-1.amazonses.com\r\n\
                        To: news@shop.example\r\n\
                        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\nnothing";
            Some(head.as_bytes().to_vec())
        }
        _ => std::fs::read(Path::new("../../events/inbound/mail").join(format!("{name}.eml"))).ok(),
    }
}

fn get_object(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
    mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |input| {
        let (bucket, key) = (input.bucket().unwrap(), input.key().unwrap());
        assert!(!key.contains("panic"), "the test asks for a panic");
        let mut services = services.lock().unwrap();
        let range = input.range().unwrap_or("whole").to_owned();
        services.reads.push(format!("{bucket}/{key} {range}"));
        if let Some(error) = services.error_for("s3") {
            return MockResponse::Error(GetObjectError::generic(error));
        }
        let Some(mail) = stored_object(&services, key) else {
            let missing = aws_sdk_s3::types::error::NoSuchKey::builder();
            let code = ErrorMetadata::builder().code("NoSuchKey").build();
            return MockResponse::Error(GetObjectError::NoSuchKey(missing.meta(code).build()));
        };
        let mut output = GetObjectOutput::builder();
        if key.ends_with("encrypted--1") {
            output = output.metadata("x-amz-cek-alg", "AES/GCM/NoPadding");
        }
        let total = mail.len();
        let part = match range.strip_prefix("bytes=0-") {
            Some(last) => {
                let end = total.min(last.parse::<usize>().unwrap() + 1);
                output = output.content_range(format!("bytes 0-{}/{total}", end.max(1) - 1));
                mail[..end].to_vec()
            }
            None => mail,
        };
        let output = output.content_length(part.len() as i64).body(ByteStream::from(part));
        MockResponse::Output(output.build())
    })
}

fn put_object(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
    mock!(aws_sdk_s3::Client::put_object).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        if let Some(error) = services.error_for("s3-put") {
            return MockResponse::Error(PutObjectError::generic(error));
        }
        assert_eq!(input.content_type(), Some("application/octet-stream"));
        let content = input.body().bytes().unwrap().to_vec();
        services.objects.insert(input.key().unwrap().to_owned(), content);
        MockResponse::Output(PutObjectOutput::builder().build())
    })
}

fn send_email(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    mock!(aws_sdk_sesv2::Client::send_email).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let destination = input.destination().unwrap();
        assert!(destination.cc_addresses().is_empty() && destination.bcc_addresses().is_empty());
        let to = destination.to_addresses().to_vec();
        let mail = input.content().unwrap().raw().unwrap().data().as_ref().to_vec();
        let once = services.errors.remove(&format!("once:{}", to[0]));
        let once = once.map(|code| ErrorMetadata::builder().code(code).build());
        if let Some(error) = once.or_else(|| services.error_for(&to[0])) {
            return MockResponse::Error(SendEmailError::generic(error));
        }
        let id = services.id();
        services.sent.push(SentMail {
            from: input.from_email_address().unwrap().to_owned(),
            to,
            mail,
            configuration_set: input.configuration_set_name().map(str::to_owned),
        });
        MockResponse::Output(SendEmailOutput::builder().message_id(id).build())
    })
}

fn send_bounce(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_ses::operation::send_bounce::{SendBounceError, SendBounceOutput};
    mock!(aws_sdk_ses::Client::send_bounce).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        if let Some(error) = services.error_for("bounce") {
            return MockResponse::Error(SendBounceError::generic(error));
        }
        let [info] = input.bounced_recipient_info_list() else {
            panic!("expected one recipient for each bounce")
        };
        let fields = info.recipient_dsn_fields().unwrap();
        let text = json!({
            "originalMessageId": input.original_message_id(), "explanation": input.explanation(),
            "recipient": info.recipient(), "action": fields.action().as_str(), "status": fields.status(),
            "finalRecipient": fields.final_recipient(), "diagnosticCode": fields.diagnostic_code(),
        });
        let id = services.id();
        let sender = input.bounce_sender().unwrap().to_owned();
        services.messages.push(("bounced", sender, text));
        MockResponse::Output(SendBounceOutput::builder().message_id(id).build())
    })
}

fn publish(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
    mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let topic = input.topic_arn().unwrap().to_owned();
        if let Some(error) = services.error_for(&topic) {
            return MockResponse::Error(PublishError::generic(error));
        }
        let text = serde_json::from_str(input.message().unwrap()).unwrap();
        let id = services.id();
        services.messages.push(("published", topic, text));
        MockResponse::Output(PublishOutput::builder().message_id(id).build())
    })
}

fn send_message(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
    mock!(aws_sdk_sqs::Client::send_message).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let queue = input.queue_url().unwrap().to_owned();
        if let Some(error) = services.error_for(&queue) {
            return MockResponse::Error(SendMessageError::generic(error));
        }
        let body = input.message_body().unwrap().to_owned();
        let id = services.id();
        if queue == INBOUND_QUEUE {
            assert_eq!(
                input.delay_seconds(),
                Some(90),
                "the claims must expire before the delivery"
            );
            services.handed_over.push(body);
        } else {
            services
                .messages
                .push(("queued", queue, serde_json::from_str(&body).unwrap()));
        }
        MockResponse::Output(SendMessageOutput::builder().message_id(id).build())
    })
}

fn get_secret() -> Rule {
    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    mock!(aws_sdk_secretsmanager::Client::get_secret_value).then_compute_response(|input| {
        // The tokens of the events are signed with the previous key.
        let key = match input.version_stage().unwrap() {
            "AWSCURRENT" => "a-newer-key-that-has-32-characters-or-more",
            "AWSPREVIOUS" => "correct-horse-battery-staple-0123456789",
            _ => {
                let code = ErrorMetadata::builder().code("InvalidParameterException").build();
                return MockResponse::Error(GetSecretValueError::generic(code));
            }
        };
        MockResponse::Output(GetSecretValueOutput::builder().secret_string(key).build())
    })
}

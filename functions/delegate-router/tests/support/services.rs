//! Mocked SNS, SQS, EventBridge and SES that record what they receive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_sdk_sns::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sns::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sns::error::{BoxError, ErrorMetadata};
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use delegate_router::effects::Clients;

use super::DELIVERY_QUEUE;

/// What the mocked services received, and which requests they reject.
#[derive(Debug, Default)]
pub(crate) struct Services {
    /// The bodies in the delivery queue.
    pub(crate) queued: Vec<String>,
    /// The number of SendMessageBatch requests to the delivery queue.
    pub(crate) batches: usize,
    /// The messages to targets, to the dead-letter queue and to the `unrouted` topic.
    pub(crate) sent: Vec<Sent>,
    /// The hosts of all requests.
    pub(crate) hosts: BTreeSet<String>,
    /// The error code for each text: targets whose ARN, URL or address contains the text reject their requests.
    pub(crate) rejecting: BTreeMap<String, &'static str>,
}

/// A message that a service received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    /// The ARN of the topic or bus, the URL of the queue, or the mail address.
    pub(crate) to: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Services {
    fn rejection(&self, target: &str) -> Option<ErrorMetadata> {
        let mut rejecting = self.rejecting.iter();
        let (_, code) = rejecting.find(|(text, _)| target.contains(text.as_str()))?;
        Some(ErrorMetadata::builder().code(*code).message("no entry").build())
    }

    fn receive(&mut self, to: String, body: &str, attributes: BTreeMap<String, String>) {
        self.sent.push(Sent {
            to,
            body: body.to_owned(),
            attributes,
        });
    }
}

#[derive(Debug)]
struct RecordHosts(Arc<Mutex<Services>>);

impl Intercept for RecordHosts {
    fn name(&self) -> &'static str {
        "RecordHosts"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let host = context.request().uri().split('/').nth(2).unwrap_or_default().to_owned();
        self.0.lock().unwrap().hosts.insert(host);
        Ok(())
    }
}

macro_rules! mocked {
    ($service:ident, $services:expr, $rules:expr) => {{
        let rules: &[&Rule] = $rules;
        let interceptor = rules.iter().fold(
            MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
            |interceptor, rule| interceptor.with_rule(rule),
        );
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .interceptor(RecordHosts($services.clone()))
            .build();
        $service::Client::from_conf(config)
    }};
}

/// The clients of the function. `topics` is the rule by which topics answer.
pub(crate) fn clients(services: &Arc<Mutex<Services>>, topics: &Rule) -> Clients {
    Clients {
        sns: mocked!(aws_sdk_sns, services, &[topics]).into(),
        sqs: mocked!(
            aws_sdk_sqs,
            services,
            &[&send(services.clone()), &send_batch(services.clone())]
        ),
        eventbridge: mocked!(aws_sdk_eventbridge, services, &[&put_events(services.clone())]).into(),
        ses: mocked!(aws_sdk_sesv2, services, &[&send_email(services.clone())]).into(),
    }
}

/// Topics that accept messages unless they are to reject them.
pub(crate) fn publish(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
    mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let topic = input.topic_arn().unwrap();
        if let Some(rejection) = services.rejection(topic) {
            return MockResponse::Error(PublishError::generic(rejection));
        }
        let attributes = input.message_attributes().into_iter().flatten();
        let mut attributes: BTreeMap<String, String> = attributes
            .map(|(name, value)| (name.clone(), value.string_value().unwrap_or_default().to_owned()))
            .collect();
        attributes.extend(fifo(input.message_group_id(), input.message_deduplication_id()));
        services.receive(topic.to_owned(), input.message().unwrap(), attributes);
        MockResponse::Output(PublishOutput::builder().message_id("1").build())
    })
}

fn send(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
    mock!(aws_sdk_sqs::Client::send_message).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let queue = input.queue_url().unwrap();
        if let Some(rejection) = services.rejection(queue) {
            return MockResponse::Error(SendMessageError::generic(rejection));
        }
        let attributes = input.message_attributes().into_iter().flatten();
        let mut attributes: BTreeMap<String, String> = attributes
            .map(|(name, value)| (name.clone(), value.string_value().unwrap_or_default().to_owned()))
            .collect();
        attributes.extend(fifo(input.message_group_id(), input.message_deduplication_id()));
        services.receive(queue.to_owned(), input.message_body().unwrap(), attributes);
        MockResponse::Output(SendMessageOutput::builder().message_id("1").build())
    })
}

fn send_batch(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
    use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
    mock!(aws_sdk_sqs::Client::send_message_batch).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        assert_eq!(input.queue_url(), Some(DELIVERY_QUEUE));
        services.batches += 1;
        if let Some(rejection) = services.rejection(DELIVERY_QUEUE) {
            return MockResponse::Error(SendMessageBatchError::generic(rejection));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in input.entries() {
            // An entry whose body contains the text after `entry:` is rejected alone.
            if services
                .rejecting
                .keys()
                .any(|text| text.starts_with("entry:") && entry.message_body().contains(&text[6..]))
            {
                let rejected = BatchResultErrorEntry::builder()
                    .id(entry.id())
                    .code("InternalError")
                    .sender_fault(false);
                failed.push(rejected.build().unwrap());
                continue;
            }
            services.queued.push(entry.message_body().to_owned());
            let accepted = SendMessageBatchResultEntry::builder().id(entry.id()).message_id("1");
            successful.push(accepted.md5_of_message_body("-").build().unwrap());
        }
        let output = SendMessageBatchOutput::builder()
            .set_successful(Some(successful))
            .set_failed(Some(failed));
        MockResponse::Output(output.build().unwrap())
    })
}

fn put_events(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
    use aws_sdk_eventbridge::types::PutEventsResultEntry;
    mock!(aws_sdk_eventbridge::Client::put_events).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let entry = &input.entries()[0];
        let bus = entry.event_bus_name().unwrap();
        // EventBridge rejects the request for some reasons, and the entry in an accepted request for others.
        match services.rejection(bus) {
            Some(rejection) if rejection.code() == Some("ResourceNotFoundException") => {
                return MockResponse::Error(PutEventsError::generic(rejection));
            }
            Some(rejection) => {
                let failed = PutEventsResultEntry::builder()
                    .error_code(rejection.code().unwrap())
                    .error_message("no entry");
                let output = PutEventsOutput::builder().failed_entry_count(1).entries(failed.build());
                return MockResponse::Output(output.build());
            }
            None => {}
        }
        let attributes = [("source", entry.source()), ("detailType", entry.detail_type())];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()));
        services.receive(bus.to_owned(), entry.detail().unwrap(), attributes.into());
        MockResponse::Output(PutEventsOutput::builder().failed_entry_count(0).build())
    })
}

fn send_email(services: Arc<Mutex<Services>>) -> Rule {
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    mock!(aws_sdk_sesv2::Client::send_email).then_compute_response(move |input| {
        let mut services = services.lock().unwrap();
        let to = &input.destination().unwrap().to_addresses()[0];
        if let Some(rejection) = services.rejection(to) {
            return MockResponse::Error(SendEmailError::generic(rejection));
        }
        let message = input.content().unwrap().simple().unwrap();
        let mut attributes = BTreeMap::from([
            ("from".to_owned(), input.from_email_address().unwrap().to_owned()),
            ("subject".to_owned(), message.subject().unwrap().data().to_owned()),
            (
                "html".to_owned(),
                message.body().unwrap().html().unwrap().data().to_owned(),
            ),
        ]);
        let headers = message
            .headers()
            .iter()
            .map(|header| (header.name().to_owned(), header.value().to_owned()));
        attributes.extend(headers);
        attributes.extend(
            input
                .email_tags()
                .iter()
                .map(|tag| (format!("tag {}", tag.name()), tag.value().to_owned())),
        );
        services.receive(to.clone(), message.body().unwrap().text().unwrap().data(), attributes);
        MockResponse::Output(SendEmailOutput::builder().message_id("1").build())
    })
}

fn fifo(group: Option<&str>, deduplication: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let both = [("group", group), ("deduplication", deduplication)];
    both.map(|(name, value)| value.map(|value| (name.to_owned(), value.to_owned())))
        .into_iter()
        .flatten()
}

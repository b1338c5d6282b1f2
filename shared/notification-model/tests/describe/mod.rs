//! Descriptions of messages with all their fields. Absent and empty fields are left out.

use std::collections::BTreeMap;
use std::fmt::Display;

use notification_model::{
    Bounce, Click, CommonHeaders, Complaint, Delivery, DeliveryDelay, EmailAddress, Event, Mail, Notification, Open,
    Receipt, Received, SesMessage, Setup, Subscription, TopicPreferences,
};

/// Describes a message, one line for each of its parts.
pub(crate) fn describe_message(message: &SesMessage) -> Vec<String> {
    match message {
        SesMessage::Notification(notification) => describe_notification(notification),
        SesMessage::Received(received) => describe_received(received),
        SesMessage::Setup(Setup::SubscriptionSucceeded { message }) => {
            vec![
                Line::new("set-up message: subscription succeeded")
                    .field("message", message)
                    .text(),
            ]
        }
        SesMessage::Setup(Setup::ServiceEvent(event)) => {
            vec![
                Line::new("service event")
                    .quoted("detailType", &event.detail_type)
                    .list("resources", &event.resources)
                    .quoted("description", &event.description)
                    .text(),
            ]
        }
        SesMessage::Setup(setup) => vec![format!("set-up message: {}", setup.as_str())],
    }
}

/// A line with a title and named fields.
struct Line(String);

impl Line {
    fn new(title: &str) -> Self {
        Self(format!("{title}:"))
    }

    fn field(mut self, name: &str, value: &Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.0.push_str(&format!(" {name}={value}"));
        }
        self
    }

    fn quoted(self, name: &str, value: &Option<String>) -> Self {
        self.field(name, &value.as_ref().map(|text| format!("{text:?}")))
    }

    fn list(self, name: &str, values: &[impl Display]) -> Self {
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        let list = (!texts.is_empty()).then(|| format!("[{}]", texts.join("; ")));
        self.field(name, &list)
    }

    fn text(self) -> String {
        self.0.trim_end_matches(':').to_owned()
    }
}

fn describe_notification(notification: &Notification) -> Vec<String> {
    let mut lines = vec![format!("{} ({:?})", notification.event.name(), notification.channel)];
    let unreadable = notification.unreadable_recipients.iter();
    lines.extend(unreadable.map(|error| format!("unreadable recipient: {error}")));
    lines.extend(describe_mail(&notification.mail));
    match &notification.event {
        Event::Send => {}
        Event::Reject(reject) => lines.push(Line::new("reject").field("reason", &reject.reason).text()),
        Event::Delivery(delivery) => lines.push(describe_delivery(delivery)),
        Event::Bounce(bounce) => lines.extend(describe_bounce(bounce)),
        Event::Complaint(complaint) => lines.push(describe_complaint(complaint)),
        Event::Open(Open {
            timestamp,
            ip_address,
            user_agent,
        }) => lines.push(
            Line::new("open")
                .field("at", timestamp)
                .field("ip", ip_address)
                .quoted("user agent", user_agent)
                .text(),
        ),
        Event::Click(click) => lines.push(describe_click(click)),
        Event::RenderingFailure(failure) => lines.push(
            Line::new("rendering failure")
                .field("template", &failure.template_name)
                .quoted("error", &failure.error_message)
                .text(),
        ),
        Event::DeliveryDelay(delay) => lines.extend(describe_delay(delay)),
        Event::Subscription(subscription) => lines.extend(describe_subscription(subscription)),
        Event::Other(name) => lines.push(format!("unknown event {name}")),
    }
    lines
}

fn describe_mail(mail: &Mail) -> Vec<String> {
    let headers: Vec<String> = mail
        .headers
        .iter()
        .map(|header| format!("{}: {}", header.name, header.value))
        .collect();
    let mut lines = vec![
        Line::new("mail")
            .field("at", &Some(mail.timestamp))
            .field("id", &Some(&mail.message_id))
            .quoted("source", &mail.source)
            .field("identity", &mail.source_arn)
            .field("region", &mail.source_arn.as_ref().map(|arn| arn.region().to_owned()))
            .field("account", &mail.sending_account_id)
            .field("ip", &mail.source_ip)
            .field("caller", &mail.caller_identity)
            .text(),
        Line::new("  to").list("destination", &mail.destination).text(),
    ];
    if !headers.is_empty() || mail.headers_truncated.is_some() {
        lines.push(
            Line::new("  headers")
                .field("truncated", &mail.headers_truncated)
                .list("all", &headers)
                .text(),
        );
    }
    lines.extend(mail.common_headers.as_ref().map(describe_common_headers));
    if !mail.tags.is_empty() {
        lines.push(Line::new("  tags").list("all", &describe_tags(&mail.tags)).text());
    }
    lines
}

fn describe_common_headers(headers: &CommonHeaders) -> String {
    Line::new("  common headers")
        .list("from", &headers.from)
        .field("sender", &headers.sender)
        .list("reply-to", &headers.reply_to)
        .list("to", &headers.to)
        .list("cc", &headers.cc)
        .list("bcc", &headers.bcc)
        .field("return path", &headers.return_path)
        .quoted("date", &headers.date)
        .quoted("message id", &headers.message_id)
        .quoted("subject", &headers.subject)
        .text()
}

fn describe_tags(tags: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let tags = tags.iter();
    tags.map(|(name, values)| format!("{name}={}", values.join(",")))
        .collect()
}

/// The address with its name, and its key where it differs.
fn describe_address(address: &EmailAddress) -> String {
    let name = address.name().map(|name| format!("{name:?} ")).unwrap_or_default();
    match address.key() == address.as_str() {
        true => format!("{name}{address}"),
        false => format!("{name}{address} (key {})", address.key()),
    }
}

fn describe_addresses(addresses: &[EmailAddress]) -> Vec<String> {
    addresses.iter().map(describe_address).collect()
}

fn describe_delivery(delivery: &Delivery) -> String {
    Line::new("delivery")
        .field("at", &delivery.timestamp)
        .field("ms", &delivery.processing_time_millis)
        .list("recipients", &describe_addresses(&delivery.recipients))
        .quoted("response", &delivery.smtp_response)
        .field("reporting MTA", &delivery.reporting_mta)
        .field("remote MTA", &delivery.remote_mta_ip)
        .text()
}

fn describe_bounce(bounce: &Bounce) -> Vec<String> {
    let title = format!("bounce {}/{}", bounce.bounce_type, bounce.bounce_sub_type);
    let whole = Line::new(&title)
        .field("at", &Some(bounce.timestamp))
        .field("feedback id", &bounce.feedback_id)
        .quoted("reporting MTA", &bounce.reporting_mta)
        .field("remote MTA", &bounce.remote_mta_ip)
        .text();
    let recipients = bounce.bounced_recipients.iter().map(|recipient| {
        Line::new(&format!("  recipient {}", describe_address(&recipient.email_address)))
            .field("action", &recipient.action)
            .field("status", &recipient.status)
            .quoted("diagnostic", &recipient.diagnostic_code)
            .text()
    });
    std::iter::once(whole).chain(recipients).collect()
}

fn describe_complaint(complaint: &Complaint) -> String {
    let recipients = complaint.complained_recipients.iter();
    let recipients: Vec<String> = recipients
        .map(|recipient| describe_address(&recipient.email_address))
        .collect();
    Line::new("complaint")
        .field("type", &complaint.complaint_feedback_type)
        .field("subtype", &complaint.complaint_sub_type)
        .field("at", &Some(complaint.timestamp))
        .list("recipients", &recipients)
        .field("feedback id", &complaint.feedback_id)
        .quoted("user agent", &complaint.user_agent)
        .field("arrived", &complaint.arrival_date)
        .text()
}

fn describe_click(click: &Click) -> String {
    Line::new("click")
        .field("at", &click.timestamp)
        .field("ip", &click.ip_address)
        .quoted("user agent", &click.user_agent)
        .field("link", &click.link)
        .list("tags", &describe_tags(&click.link_tags))
        .text()
}

fn describe_delay(delay: &DeliveryDelay) -> Vec<String> {
    let whole = Line::new("delay")
        .field("type", &delay.delay_type)
        .field("at", &delay.timestamp)
        .field("expires", &delay.expiration_time)
        .field("reporting MTA", &delay.reporting_mta)
        .text();
    let recipients = delay.delayed_recipients.iter().map(|recipient| {
        Line::new(&format!("  recipient {}", describe_address(&recipient.email_address)))
            .field("status", &recipient.status)
            .quoted("diagnostic", &recipient.diagnostic_code)
            .text()
    });
    std::iter::once(whole).chain(recipients).collect()
}

fn describe_subscription(subscription: &Subscription) -> Vec<String> {
    let whole = Line::new("subscription")
        .field("list", &subscription.contact_list)
        .field("at", &subscription.timestamp)
        .field("source", &subscription.source)
        .text();
    let preferences = |title: &str, preferences: &TopicPreferences| {
        let topics = preferences.topic_subscription_status.iter();
        let topics: Vec<String> = topics
            .map(|topic| format!("{} {}", topic.topic_name, topic.subscription_status))
            .collect();
        Line::new(title)
            .field("unsubscribe all", &Some(preferences.unsubscribe_all))
            .list("topics", &topics)
            .text()
    };
    let new = subscription.new_topic_preferences.as_ref();
    let old = subscription.old_topic_preferences.as_ref();
    let lines = [
        Some(whole),
        new.map(|new| preferences("  new preferences", new)),
        old.map(|old| preferences("  old preferences", old)),
    ];
    lines.into_iter().flatten().collect()
}

fn describe_received(received: &Received) -> Vec<String> {
    let mut lines = vec!["received mail".to_owned()];
    lines.extend(describe_mail(&received.mail));
    lines.push(describe_receipt(&received.receipt));
    lines.push(format!("action: {:?}", received.receipt.action));
    if let Some(content) = &received.content {
        let decoded = content
            .bytes()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        lines.push(format!("content: {} {decoded:?}", content.encoding));
    }
    lines
}

fn describe_receipt(receipt: &Receipt) -> String {
    let verdicts = [
        ("spam", &receipt.spam_verdict),
        ("virus", &receipt.virus_verdict),
        ("SPF", &receipt.spf_verdict),
        ("DKIM", &receipt.dkim_verdict),
        ("DMARC", &receipt.dmarc_verdict),
    ];
    let line = Line::new("receipt")
        .field("at", &receipt.timestamp)
        .field("ms", &receipt.processing_time_millis)
        .list("recipients", &describe_addresses(&receipt.recipients));
    let line = verdicts.into_iter().fold(line, |line, (name, verdict)| {
        line.field(name, &verdict.as_ref().map(|verdict| verdict.status.clone()))
    });
    line.field("DMARC policy", &receipt.dmarc_policy).text()
}

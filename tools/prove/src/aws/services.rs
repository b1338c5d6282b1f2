//! The state of all simulated services, and which service handles a request.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::{Fault, FaultSchedule};
use super::mail_bucket::MailBucket;
use super::request::{SentRequest, Service};
use super::response::{json_error, response};
use super::sent_mail::{SentMail, SentMails, read_mail};
use super::ses_settings::SesSettings;
use super::table::{ReadBehavior, Table};
use super::targets::{ReceivedMessage, Targets};
use crate::figures::Figures;

/// The state of the simulated services.
pub struct Services {
    table: Table,
    targets: Targets,
    mails: SentMails,
    settings: SesSettings,
    bucket: MailBucket,
    /// Requests whose client timed out or was killed, and which are still to take effect.
    late_requests: Vec<SentRequest>,
    pub(super) rng: Rng,
    pub(super) faults: FaultSchedule,
    /// Writes every step to standard error.
    trace: bool,
    /// Counters of requests and faults.
    pub figures: Figures,
}

impl Services {
    pub(super) fn new(seed: u64, trace: bool) -> Self {
        Self {
            table: Table::new(),
            targets: Targets::default(),
            mails: SentMails::default(),
            settings: SesSettings::default(),
            bucket: MailBucket::default(),
            late_requests: Vec::new(),
            rng: Rng::with_seed(seed ^ 0x5eed_5eed),
            faults: FaultSchedule::default(),
            trace,
            figures: Figures::default(),
        }
    }

    /// Writes a line of the trace.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{}", line());
        }
    }

    /// From now on only responses of the table to first attempts are lost, and the index does not lag: no invocation may fail.
    pub fn lose_only_table_responses(&mut self) {
        self.end_index_lag();
        self.faults.lose_only_table_responses();
    }

    /// Whether an event with this probability occurs in this seed.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    /// Every item of the table.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.table.items()
    }

    /// Draws whether queries return small pages and whether the index lags.
    pub fn draw_read_behavior(&mut self) {
        self.table.reads = ReadBehavior {
            small_pages: self.rng.bool(),
            index_lags: self.rng.bool(),
        };
    }

    /// The index catches up with the table, and stays with it.
    pub fn end_index_lag(&mut self) {
        self.table.reads.index_lags = false;
    }

    /// Deletes the rows whose partition key starts with `prefix`, as an operator does.
    pub fn delete_rows(&mut self, prefix: &str) {
        for item in self.table.items() {
            let text = |name: &str| item[name]["S"].as_str().unwrap_or_default();
            if text("pk").starts_with(prefix) {
                self.table.delete(text("pk"), text("sk"));
            }
        }
    }

    /// Messages that targets, the delivery dead-letter queue and the unrouted topic received.
    #[must_use]
    pub fn received(&self) -> &[ReceivedMessage] {
        &self.targets.received
    }

    /// The mail that SES accepted, in order.
    #[must_use]
    pub fn mails(&self) -> &[SentMail] {
        &self.mails.mails
    }

    /// Sets the addresses to which SES rejects mail for good.
    pub fn refuse_mail_to(&mut self, addresses: impl IntoIterator<Item = &'static str>) {
        self.mails.refused = addresses.into_iter().collect();
    }

    /// An operator resumes every configuration set.
    pub fn resume_configuration_sets(&mut self) {
        self.settings.paused.clear();
    }

    /// The index has every change of the table so far.
    pub fn copy_index(&mut self) {
        let Self { table, rng, .. } = self;
        table.copy_index(rng);
    }

    /// Stores a received mail.
    pub fn put_object(&mut self, key: &str, mail: String) {
        self.bucket.0.insert(key.to_owned(), mail);
    }

    /// Removes and returns what was handed over to the inbound queue: bodies and delays in seconds.
    pub fn take_handed_over(&mut self) -> Vec<(String, i64)> {
        std::mem::take(&mut self.targets.handed_over)
    }

    /// The configuration sets that are paused.
    #[must_use]
    pub fn paused_configuration_sets(&self) -> BTreeSet<String> {
        self.settings.paused.clone()
    }

    /// The configuration sets that were paused before the table had an enforcement against them.
    #[must_use]
    pub fn paused_without_record(&self) -> &BTreeSet<String> {
        &self.settings.paused_without_record
    }

    /// The mail that the last request sent, by its index in [`mails`](Self::mails).
    pub(super) fn take_sent_mail(&mut self) -> Option<usize> {
        self.mails.last.take()
    }

    /// The client has received the response to the request that sent a mail.
    pub(super) fn mark_mail_answered(&mut self, mail: usize) {
        self.mails.mails[mail].is_answered = true;
    }

    /// Number of messages in the delivery queue.
    #[must_use]
    pub fn enqueued_deliveries(&self) -> usize {
        self.targets.enqueued.len()
    }

    /// Removes and returns the messages in the delivery queue.
    pub fn take_enqueued_deliveries(&mut self) -> Vec<String> {
        self.targets.enqueued.drain(..).collect()
    }

    /// Applies a random number of the late requests, or all of them.
    pub fn apply_late_requests(&mut self, all: bool) {
        while !self.late_requests.is_empty() && (all || self.rng.u8(..3) == 0) {
            let index = self.rng.usize(..self.late_requests.len());
            let request = self.late_requests.swap_remove(index);
            self.trace(|| format!("    {} arrives late: {}", request.operation(), request.describe_item()));
            self.figures
                .add("requests applied after the client timed out or was killed", 1);
            let _ = self.serve(&request, false);
            if let Some(mail) = self.take_sent_mail() {
                self.mails.mails[mail].is_late = true;
            }
        }
    }

    pub(super) fn add_late_request(&mut self, request: SentRequest) {
        self.late_requests.push(request);
    }

    pub(super) fn draw_fault(&mut self, request: &SentRequest) -> Option<Fault> {
        let fault = self.faults.draw(request, &mut self.rng);
        if let Some(fault) = fault {
            self.figures.add(fault.figure(), 1);
        }
        fault
    }

    /// Applies a request and returns the response.
    pub(super) fn serve(&mut self, request: &SentRequest, partially: bool) -> HttpResponse {
        if request.service == Service::Query {
            return self.targets.publish(&request.body);
        }
        if request.service == Service::S3 {
            return self.bucket.get(request.operation());
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.service, request.operation()) {
            (Service::Sqs, "SendMessageBatch") => self.targets.send_message_batch(&body, partially, &mut self.rng),
            (Service::Sqs, "SendMessage") => self.targets.send_message(&body),
            (Service::Ses, "SendEmail") => self.send_email(&body),
            (Service::Ses, operation) => self.settings.execute(operation, &body, &self.table),
            (Service::EventBridge, "PutEvents") => self.targets.put_events(&body, partially),
            (Service::DynamoDb, "BatchGetItem") if partially => self.table.batch_get_partially(body, &mut self.rng),
            (Service::DynamoDb, operation) => {
                let (response, condition_met) = self.table.execute(operation, &body, &mut self.rng);
                if !condition_met {
                    self.figures.add("conditions not met", 1);
                }
                response
            }
            (service, operation) => panic!("operation not simulated: {service:?} {operation}"),
        }
    }

    fn send_email(&mut self, request: &Value) -> HttpResponse {
        let (to, text) = read_mail(request);
        if self.mails.refused.contains(to.as_str()) {
            return json_error("MessageRejected", 400);
        }
        let claim = find_claim(&self.table, &to, &text);
        let has = |name: &str| claim.as_ref().is_some_and(|row| row.get(name).is_some());
        self.mails.accept(SentMail {
            claimed_at: claim
                .as_ref()
                .and_then(|row| row["claimedAt"]["S"].as_str()?.parse().ok()),
            is_done: has("sentAt") || has("doneAt"),
            to,
            text,
            is_late: false,
            is_answered: false,
        });
        response(200, json!({"MessageId": "1"}).to_string())
    }
}

/// The row of the claim under which a mail is sent: the digest of an address whose period the first line names, or the claim
/// of an action on a received mail whose id the text contains.
fn find_claim(table: &Table, to: &str, text: &str) -> Option<Value> {
    let first_line = text.lines().next().unwrap_or_default();
    let is_claim = |item: &Value| {
        let key = |name: &str| item[name]["S"].as_str().unwrap_or_default();
        if let Some(message_id) = key("pk").strip_prefix("CLAIM#") {
            return text.contains(message_id) && key("sk").ends_with(&format!("#{to}"));
        }
        let window: Option<Timestamp> = key("sk").parse().ok();
        let period = window.map(|window| format!("{} to ", window.strftime("%Y-%m-%d %H:%M")));
        key("pk") == format!("DIGEST#{to}") && period.is_some_and(|period| first_line.contains(&period))
    };
    table.items().into_iter().find(is_claim)
}

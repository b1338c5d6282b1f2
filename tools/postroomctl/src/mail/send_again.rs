//! `postroomctl mail send-again`: sends what a limit, a cap or a suppression stopped.

use std::collections::HashMap;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{IndexedMail, MailboxKey};

use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::queue::{OutgoingMessage, Queue};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct SendAgainArgs {
    /// SES message ids, as `mail list` shows them.
    #[arg(required = true)]
    message_ids: Vec<String>,
    /// Only for this mailbox. Default: for every mailbox that received the mail.
    #[arg(long)]
    mailbox: Option<MailboxKey>,
    /// Also send what was sent already. Each target then gets the mail once more.
    #[arg(long)]
    repeat: bool,
    /// The queue of the inbound function (output InboundQueueUrl).
    #[arg(long, env = "POSTROOM_INBOUND_QUEUE", value_name = "URL")]
    queue: String,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &SendAgainArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    // One id for the whole command: a duplicate of a message sends nothing more.
    let request_id = Timestamp::now().to_string();
    let mut requests: Vec<(IndexedMail, String)> = Vec::new();
    let mut problems = Vec::new();
    for message_id in &args.message_ids {
        let rows = store.mail_by_id(message_id).await.map_err(AwsError::from)?;
        let is_wanted = |row: &IndexedMail| args.mailbox.as_ref().is_none_or(|mailbox| row.mailbox == *mailbox);
        let rows: Vec<IndexedMail> = rows.into_iter().filter(is_wanted).collect();
        if rows.is_empty() {
            problems.push(format!("{message_id}: not in the index, or not of this mailbox"));
        }
        for row in rows {
            match payload(&row, &request_id, args.repeat) {
                Some(payload) => requests.push((row, payload)),
                None => problems.push(format!(
                    "{message_id}: the mail is not in a bucket, so it cannot be sent again"
                )),
            }
        }
    }
    if !problems.is_empty() {
        bail!("nothing is sent: {}", problems.join("; "));
    }
    let attributes = HashMap::new();
    let messages: Vec<OutgoingMessage<'_>> = requests
        .iter()
        .map(|(_, body)| OutgoingMessage {
            body,
            attributes: &attributes,
        })
        .collect();
    let failures = Queue::open(&args.queue).await.send(&messages).await;
    if let Some(failure) = failures.first() {
        bail!(
            "{} of {} requests were not sent: {}",
            failures.len(),
            messages.len(),
            failure.error
        );
    }
    if args.table.json {
        let sent = requests
            .iter()
            .map(|(row, _)| json!({"messageId": row.message_id, "mailbox": row.mailbox.to_string()}));
        let value = json!({"requestId": request_id, "mails": sent.collect::<Vec<_>>()});
        return Ok(Output::done(json_text(&value)));
    }
    let mut text = Text::default();
    for (row, _) in &requests {
        writeln!(
            text,
            "{}: the inbound function sends the mail of {}",
            row.message_id, row.mailbox
        )?;
    }
    writeln!(text, "postroomctl mail get MESSAGE_ID shows the result")?;
    Ok(Output::done(text))
}

/// The message to the inbound queue: the event of the mail, as far as the index has it, and the request. `None` if the mail is
/// not in a bucket.
fn payload(row: &IndexedMail, request_id: &str, repeat: bool) -> Option<String> {
    let location = row.location.as_ref()?;
    let mut receipt = Map::new();
    receipt.insert("timestamp".to_owned(), json!(row.at));
    receipt.insert("recipients".to_owned(), json!(row.recipients));
    for (name, value) in &row.verdicts {
        match name.as_str() {
            "dmarcPolicy" => receipt.insert(name.clone(), json!(value)),
            check => receipt.insert(format!("{check}Verdict"), json!({ "status": value })),
        };
    }
    let action = json!({"type": "S3", "bucketName": location.bucket, "objectKey": location.key});
    receipt.insert("action".to_owned(), action);
    let mail = json!({
        "timestamp": row.at,
        "messageId": row.message_id,
        // Without one, the return path is null: nothing is answered.
        "source": row.return_path.as_deref().unwrap_or("<>"),
        "destination": [],
    });
    let payload = json!({
        "notificationType": "Received",
        "mail": mail,
        "receipt": Value::Object(receipt),
        "sendAgain": {"id": request_id, "repeat": repeat},
    });
    Some(payload.to_string())
}

//! `postroomctl unsubscribe-link`: the unsubscribe headers of a mail to one recipient.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use serde_json::json;
use store::Scope;
use unsubscribe_token::{Keys, Token, UnsubscribeFrom, mailto};

use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::text::Text;

/// The maximum length of a line in [RFC 5322 section 2.1.1](https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1).
const MAX_LINE_CHARACTERS: usize = 998;

#[derive(Debug, Args)]
pub(crate) struct UnsubscribeLinkArgs {
    /// The recipient of the mail.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    /// The scope in which the recipient unsubscribes: `tenant:NAME`, `domain:NAME` or `global`.
    #[arg(long)]
    scope: Scope,
    /// The contact list of the mail. Default: all mail in the scope.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// The topic of the contact list.
    #[arg(long, value_name = "NAME", requires = "list")]
    topic: Option<String>,
    /// The address of the mailbox with the unsubscribe action in postroom.toml.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    mailbox: EmailAddress,
    /// An https URL that contains {token} and unsubscribes on POST.
    #[arg(long)]
    url: Option<String>,
    /// Write the time of the issue into the token, so that a subscription after it wins over the link.
    #[arg(long)]
    issued: bool,
    /// The number of days after which the link is refused. Implies --issued.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(30..))]
    valid_days: Option<u16>,
    /// A file with the key, which is the text of the stack's secret. Default: the environment variable
    /// POSTROOM_UNSUBSCRIBE_KEY.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The secret in Secrets Manager to read the key from (the stack's output UnsubscribeSecretArn), when neither a file
    /// nor the variable is set.
    #[arg(long, value_name = "ARN", env = "POSTROOM_UNSUBSCRIBE_SECRET")]
    key_secret: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &UnsubscribeLinkArgs) -> anyhow::Result<Output> {
    let keys = Keys::parse(&read_key(args).await?).context("the unsubscribe key")?;
    let leaves = match (&args.list, &args.topic) {
        (None, _) => UnsubscribeFrom::Everything,
        (Some(list), None) => UnsubscribeFrom::List(list.clone()),
        (Some(list), Some(topic)) => UnsubscribeFrom::Topic {
            list: list.clone(),
            topic: topic.clone(),
        },
    };
    let mut token = Token::new(args.scope.clone(), leaves, args.address.clone())?;
    if args.issued || args.valid_days.is_some() {
        let now = Timestamp::now();
        let valid = args
            .valid_days
            .map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        token = token.issued(now, valid.and_then(|valid| now.checked_add(valid).ok()));
    }
    let token = token.sign(&keys);
    let mailto = mailto(&token, &args.mailbox);
    let url = match &args.url {
        Some(template) => Some(one_click_url(template, &token)?),
        None => None,
    };
    let header = match &url {
        Some(url) => format!("<{mailto}>, <{url}>"),
        None => format!("<{mailto}>"),
    };
    if "List-Unsubscribe: ".len() + header.len() > MAX_LINE_CHARACTERS {
        bail!("the header exceeds {MAX_LINE_CHARACTERS} characters: shorten the names or the URL");
    }
    let post_header = url.is_some().then_some("List-Unsubscribe=One-Click");
    if args.json {
        let value = json!({"token": token, "List-Unsubscribe": header, "List-Unsubscribe-Post": post_header});
        return Ok(Output::done(json_text(&value)));
    }
    let mut text = Text::of_line(&format!("List-Unsubscribe: {header}"));
    if let Some(value) = post_header {
        writeln!(text, "List-Unsubscribe-Post: {value}")?;
    }
    Ok(Output::done(text))
}

fn one_click_url(template: &str, token: &str) -> anyhow::Result<String> {
    let is_plain = template.is_ascii() && !template.contains(|c: char| c.is_control() || " <>,\"".contains(c));
    if !is_plain || !template.starts_with("https://") || !template.contains("{token}") {
        bail!("--url: expected an https URL that contains {{token}}, such as https://example.com/u/{{token}}");
    }
    Ok(template.replace("{token}", token))
}

async fn read_key(args: &UnsubscribeLinkArgs) -> anyhow::Result<String> {
    if let Some(file) = &args.key_file {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    let variable = std::env::var("POSTROOM_UNSUBSCRIBE_KEY").ok();
    if let Some(key) = variable.filter(|key| !key.is_empty()) {
        return Ok(key);
    }
    let Some(secret) = &args.key_secret else {
        bail!("expected a key: --key-file, POSTROOM_UNSUBSCRIBE_KEY or --key-secret");
    };
    let config = crate::sdk_config::load().await;
    let request = aws_sdk_secretsmanager::Client::new(&config)
        .get_secret_value()
        .secret_id(secret);
    let answer = request.send().await;
    let answer = answer.map_err(|error| AwsError::of_operation("GetSecretValue", &error))?;
    answer
        .secret_string
        .with_context(|| format!("secret {secret} has no text"))
}

//! The headers with which a recipient unsubscribes, for one mail to one recipient.

use anyhow::{Context, bail};
use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use inbound::token::{Keys, Token, UnsubscribeFrom, mailto};
use serde_json::json;

use crate::Output;
use crate::cli::UnsubscribeLinkArgs;
use crate::table::AwsFailed;

/// RFC 5322 section 2.1.1 allows a line 998 characters.
const MOST_LINE: usize = 998;

pub(crate) async fn link(args: &UnsubscribeLinkArgs) -> anyhow::Result<Output> {
    let keys = Keys::parse(&key(args).await?).context("the unsubscribe key")?;
    let leaves = match (&args.list, &args.topic) {
        (None, _) => UnsubscribeFrom::Everything,
        (Some(list), None) => UnsubscribeFrom::List(list.clone()),
        (Some(list), Some(topic)) => UnsubscribeFrom::Topic {
            list: list.clone(),
            topic: topic.clone(),
        },
    };
    let token = Token::new(args.scope.clone(), leaves, args.address.clone())?.sign(&keys);
    let mailto = mailto(&token, &args.mailbox);
    let url = match &args.url {
        Some(template) => Some(one_click(template, &token)?),
        None => None,
    };
    let list = match &url {
        Some(url) => format!("<{mailto}>, <{url}>"),
        None => format!("<{mailto}>"),
    };
    if "List-Unsubscribe: ".len() + list.len() > MOST_LINE {
        bail!("the header would be longer than a mail's line may be: shorten the names or the URL");
    }
    let post = url.is_some().then_some("List-Unsubscribe=One-Click");
    if args.json {
        let told = json!({"token": token, "List-Unsubscribe": list, "List-Unsubscribe-Post": post});
        return Ok(Output::yes(format!("{told:#}\n")));
    }
    let post = post.map_or_else(String::new, |post| format!("List-Unsubscribe-Post: {post}\n"));
    Ok(Output::yes(format!("List-Unsubscribe: {list}\n{post}")))
}

fn one_click(template: &str, token: &str) -> anyhow::Result<String> {
    let plain = template.is_ascii() && !template.contains(|c: char| c.is_control() || " <>,\"".contains(c));
    if !plain || !template.starts_with("https://") || !template.contains("{token}") {
        bail!("--url: expected an https URL with {{token}} in it, such as https://example.com/u/{{token}}");
    }
    Ok(template.replace("{token}", token))
}

async fn key(args: &UnsubscribeLinkArgs) -> anyhow::Result<String> {
    if let Some(file) = &args.key_file {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    if let Some(key) = std::env::var("POSTROOM_UNSUBSCRIBE_KEY")
        .ok()
        .filter(|key| !key.is_empty())
    {
        return Ok(key);
    }
    let Some(secret) = &args.key_secret else {
        bail!("expected the key: --key-file, POSTROOM_UNSUBSCRIBE_KEY or --key-secret");
    };
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let request = aws_sdk_secretsmanager::Client::new(&config)
        .get_secret_value()
        .secret_id(secret);
    let answer = request.send().await;
    let answer = answer.map_err(|error| AwsFailed::new(format!("GetSecretValue: {}", DisplayErrorContext(&error))))?;
    answer.secret_string.context("the secret holds no text")
}

//! `postroomctl delegate check`: evaluates the policies that an identity has in SES.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::Args;
use notification_model::AccountId;
use serde_json::{Value as Json, json};
use ses_settings::{Decision, Field, Object, Part, SendAction, SendRequest, Value, evaluate};

use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::ses::{SesAccess, SesArgs};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The identity of this account: a domain or a mail address.
    #[arg(long)]
    identity: String,
    /// The account that sends.
    #[arg(long)]
    account: AccountId,
    /// The From address, without a display name.
    #[arg(long)]
    from: String,
    /// What the account calls. SMTP is SendRawEmail.
    #[arg(long, default_value = "SendEmail", value_parser = parse_action)]
    action: SendAction,
    /// The display name of the From address.
    #[arg(long)]
    display_name: Option<String>,
    /// A recipient. May be given several times.
    #[arg(long = "to", value_name = "ADDRESS")]
    recipients: Vec<String>,
    /// The return path (feedback address).
    #[arg(long)]
    return_path: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ses: SesArgs,
}

fn parse_action(text: &str) -> Result<SendAction, String> {
    text.parse()
        .map_err(|_| "expected SendEmail, SendRawEmail, SendTemplatedEmail or SendBulkTemplatedEmail".to_owned())
}

pub(super) async fn run(args: &CheckArgs) -> anyhow::Result<Output> {
    let Some((_, domain)) = args.from.rsplit_once('@') else {
        bail!("--from: expected a mail address, not {}", args.from);
    };
    let is_of_identity = args.identity.eq_ignore_ascii_case(&args.from)
        || domain.eq_ignore_ascii_case(&args.identity)
        || domain
            .to_lowercase()
            .ends_with(&format!(".{}", args.identity.to_lowercase()));
    if !is_of_identity {
        bail!(
            "--from: {} is not an address of the identity {}",
            args.from,
            args.identity
        );
    }
    let access = args.ses.open().await?;
    // The policies of a verified address replace those of its domain.
    let address = if args.identity.contains('@') {
        None
    } else {
        policies(&access, &args.from).await?
    };
    let (identity, policies) = match address {
        Some(policies) => (&args.from, policies),
        None => match policies(&access, &args.identity).await? {
            Some(policies) => (&args.identity, policies),
            None => bail!("{} is no identity of account {}", args.identity, access.context.account),
        },
    };
    let request = SendRequest {
        account: args.account.clone(),
        action: args.action,
        identity_arn: access.context.identity_arn(identity),
        from: args.from.clone(),
        display_name: args.display_name.clone(),
        recipients: args.recipients.clone(),
        feedback_address: args.return_path.clone(),
    };
    let (answer, reasons) = match evaluate(&policies, &request) {
        Decision::Allowed(reason) => ("allowed", vec![reason]),
        Decision::Denied(reason) => ("denied", vec![reason]),
        Decision::NotAllowed(reasons) => ("not allowed", reasons),
        Decision::Unknown(reasons) => ("unknown", reasons),
    };
    let text = if args.json {
        json_text(&json!({"answer": answer, "identity": identity, "reasons": reasons}))
    } else {
        let mut text = Text::default();
        let (account, action) = (&args.account, args.action.as_str());
        writeln!(text, "{answer}: {account} calls {action} with From {}", args.from)?;
        if *identity != args.identity {
            writeln!(
                text,
                "  {identity} is an identity of its own, so its policies apply instead of those of {}",
                args.identity
            )?;
        }
        for reason in reasons {
            writeln!(text, "  {reason}")?;
        }
        text
    };
    Ok(Output::answer(answer == "allowed", text))
}

/// The policies of an identity by name; `None` when it is no identity of the account.
async fn policies(access: &SesAccess, identity: &str) -> Result<Option<BTreeMap<String, Json>>, AwsError> {
    let object = Object::Identity(identity.to_owned());
    let reading = access.settings.read_part(&object, Part::EmailIdentity).await?;
    if reading.is_missing() {
        return Ok(None);
    }
    let policies = reading
        .fields()
        .iter()
        .filter_map(|(field, value)| match (field, value) {
            (Field::Policy(name), Value::Document(document)) => Some((name.clone(), document.clone())),
            _ => None,
        });
    Ok(Some(policies.collect()))
}

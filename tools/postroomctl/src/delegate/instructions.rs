//! `postroomctl delegate instructions`: what the account of a delegate has to set up.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use notification_model::AccountId;
use serde_json::{Value as Json, json};
use ses_settings::{Context, Delegate, IdentityEntry, TopicChoice, is_pattern};

use crate::config::{self, Config};
use crate::output::{Output, json_text};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct InstructionsArgs {
    /// The name of the delegate in the file.
    name: String,
    /// The configuration file, for example postroom.toml.
    file: PathBuf,
    /// The account that owns the identities: its id, or the name of an [[account]].
    #[arg(long, value_name = "ACCOUNT")]
    owner: String,
    /// The Region of SES.
    #[arg(long, env = "AWS_REGION")]
    region: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What the other party needs to know.
struct Instructions {
    delegate: Delegate,
    /// Names and patterns of the identities.
    identities: BTreeSet<String>,
    /// The topics of the delegate's account to which SES publishes for the owner.
    topics: BTreeSet<String>,
    context: Context,
}

pub(super) fn run(args: &InstructionsArgs) -> anyhow::Result<Output> {
    let config = config::read(&args.file)?;
    let owner = account(&config, &args.owner)?;
    let context = Context {
        partition: Context::partition_of(&args.region).to_owned(),
        region: args.region.clone(),
        account: owner,
        own_topic: None,
    };
    let instructions = Instructions::of(&config, &args.name, context)?;
    Ok(Output::done(if args.json {
        json_text(&instructions.json())
    } else {
        instructions.text()?
    }))
}

fn account(config: &Config, text: &str) -> anyhow::Result<AccountId> {
    let named = config.names.iter().find(|(_, name)| *name == text);
    let account = named.map(|(account, _)| account.clone()).or_else(|| text.parse().ok());
    account
        .with_context(|| format!("--owner: expected a 12-digit account id or the name of an [[account]], not {text}"))
}

impl Instructions {
    fn of(config: &Config, name: &str, context: Context) -> anyhow::Result<Self> {
        let entries = config.ses.identities.as_deref().unwrap_or_default();
        let with_delegate =
            |entry: &IdentityEntry| entry.delegates.iter().find(|delegate| delegate.name == name).cloned();
        let found: Vec<(&IdentityEntry, Delegate)> = entries
            .iter()
            .filter_map(|entry| Some((entry, with_delegate(entry)?)))
            .collect();
        let Some((_, delegate)) = found.first() else {
            let known: BTreeSet<&str> = entries
                .iter()
                .flat_map(|entry| &entry.delegates)
                .map(|delegate| delegate.name.as_str())
                .collect();
            let known: Vec<&str> = known.into_iter().collect();
            bail!("no delegate {name} in the file; it has: {}", known.join(", "));
        };
        if let Some((entry, _)) = found.iter().find(|(_, other)| other != delegate) {
            bail!(
                "delegate {name} differs between entries ({}): give the delegates names of their own",
                entry.names.join(", ")
            );
        }
        let of_delegate = |arn: &&String| arn.split(':').nth(4) == Some(delegate.account.as_str());
        let topics = found.iter().flat_map(|(entry, _)| entry.topics.values());
        let topics = topics.filter_map(|topic| match topic {
            TopicChoice::Arn(arn) => Some(arn),
            _ => None,
        });
        Ok(Self {
            identities: found.iter().flat_map(|(entry, _)| entry.names.clone()).collect(),
            topics: topics.filter(of_delegate).cloned().collect(),
            delegate: delegate.clone(),
            context,
        })
    }

    /// The statement for a customer managed key of a topic. SNS needs none: it uses the key with the permissions of SES.
    fn key_statement(&self) -> Json {
        json!({
            "Sid": "AllowSes", "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
            "Condition": {"StringEquals": {"AWS:SourceAccount": self.context.account.as_str()}},
        })
    }

    fn topic_statement(&self, topic: &str) -> Json {
        self.context
            .topic_statement(topic, std::slice::from_ref(&self.context.account))
    }

    fn json(&self) -> Json {
        let topics: Vec<Json> = self
            .topics
            .iter()
            .map(|topic| json!({"arn": topic, "statement": self.topic_statement(topic)}))
            .collect();
        let arns: Vec<String> = self
            .identities
            .iter()
            .map(|name| self.context.identity_arn(name))
            .collect();
        let actions: Vec<&str> = self.delegate.actions.iter().map(|action| action.as_str()).collect();
        json!({
            "delegate": self.delegate.name, "account": self.delegate.account.as_str(),
            "owner": self.context.account.as_str(), "region": self.context.region, "identityArns": arns,
            "actions": actions, "from": self.delegate.from, "recipients": self.delegate.recipients,
            "displayNames": self.delegate.display_names, "topics": topics,
            "keyStatement": (!topics.is_empty()).then(|| self.key_statement()),
        })
    }

    fn text(&self) -> anyhow::Result<Text> {
        let (delegate, context) = (&self.delegate, &self.context);
        let (account, owner, region) = (&delegate.account, &context.account, &context.region);
        let mut text = Text::default();
        writeln!(
            text,
            "Account {account} may send from these identities of account {owner} in {region}:"
        )?;
        for name in &self.identities {
            writeln!(text, "  {}", context.identity_arn(name))?;
        }
        let actions: Vec<&str> = delegate.actions.iter().map(|action| action.as_str()).collect();
        writeln!(text, "Calls: {}. SMTP is SendRawEmail.", actions.join(", "))?;
        for (what, allowed) in [
            ("From addresses", &delegate.from),
            ("Recipients", &delegate.recipients),
            ("Display names", &delegate.display_names),
        ] {
            if !allowed.is_empty() {
                let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
                writeln!(text, "{what} (upper and lower case differ): {}", allowed.join(", "))?;
            }
        }
        writeln!(text)?;
        writeln!(text, "In account {account}:")?;
        let exact = self.identities.iter().find(|name| !is_pattern(name));
        let arn = context.identity_arn(exact.map_or("IDENTITY", String::as_str));
        let steps = [
            format!("Use SES in {region}. A policy does not reach other Regions."),
            "Leave the sandbox (request production access): in it, each recipient must be verified in your account."
                .to_owned(),
            "Allow your users or roles the calls above on the identity's ARN in IAM.".to_owned(),
            format!(
                "Name the identity with each message: --from-email-address-identity-arn {arn} (API v2), SourceArn (v1), or the \
                 header X-SES-SOURCE-ARN (SMTP)."
            ),
            "Name a configuration set of your own account, if you use one. The owner's are not usable from yours."
                .to_owned(),
            "Sending quota, bounces and complaints count for your account.".to_owned(),
        ];
        for (index, step) in steps.iter().enumerate() {
            writeln!(text, "{}. {step}", index + 1)?;
        }
        for topic in &self.topics {
            writeln!(text)?;
            writeln!(
                text,
                "Add this statement to the policy of {topic}, before the owner applies the configuration:"
            )?;
            text.push(&Text::of_json(&self.topic_statement(topic)));
        }
        if !self.topics.is_empty() {
            writeln!(text)?;
            writeln!(
                text,
                "When a topic is encrypted, add this statement to the policy of its key, which must be customer managed:"
            )?;
            text.push(&Text::of_json(&self.key_statement()));
        }
        Ok(text)
    }
}

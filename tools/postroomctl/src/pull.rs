//! `postroomctl pull`: writes the settings that SES has as configuration, so that a plan with it is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use ses_settings::{Object, Part};

use crate::aws_error::AwsError;
use crate::config::sections_text;
use crate::output::Output;
use crate::plan::TableRows;
use crate::ses::{SesAccess, SesArgs, pulled_text, show_progress};
use crate::table::open_table;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Only these identities: names, patterns with *, or ARNs of identities of other accounts (legacy cross-account
    /// notifications, which SES does not list). Without it all identities and configuration sets, and the sections of the
    /// table.
    #[arg(long = "identity", value_name = "NAME")]
    identities: Vec<String>,
    /// Leave out policies and default configuration sets, which take one call for each identity.
    #[arg(long)]
    notifications_only: bool,
    /// Write a new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The stack's table (output TableName or TableArn), whose sections are written too.
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    ses: SesArgs,
}

pub(crate) async fn run(args: &PullArgs) -> anyhow::Result<Output> {
    if let Some(file) = args.output.as_ref().filter(|file| file.exists()) {
        bail!("{}: the file exists; pull writes a new one", file.display());
    }
    let access = args.ses.open().await?;
    let wanted = wanted(args, &access).await?;
    let actual = access
        .settings
        .read(&wanted, show_progress)
        .await
        .map_err(AwsError::from)?;
    let mut toml = pulled_text(&actual, &access.context)?;
    if args.notifications_only {
        let line = "# --notifications-only: policies and default configuration sets are left out. A plan removes policies of \
                    delegates that apply created and that this file does not name.\n";
        let end = toml.find('\n').map_or(0, |end| end + 1);
        toml.insert_str(end, line);
    }
    if let Some(table) = args.table.as_ref().filter(|_| args.identities.is_empty()) {
        let rows = TableRows::read(&open_table(table).await)
            .await
            .map_err(AwsError::from)?;
        toml.push_str(&format!(
            "\n# Sections of the table {table}. Names of accounts are not kept in it.\n\n"
        ));
        toml.push_str(&sections_text(&rows.into_config())?);
    }
    let Some(file) = &args.output else {
        return Ok(Output::done(lines(&toml)));
    };
    std::fs::write(file, &toml).with_context(|| file.display().to_string())?;
    let line = format!("{} objects are written to {}", wanted.len(), file.display());
    Ok(Output::done(Text::of_line(&line)))
}

async fn wanted(args: &PullArgs, access: &SesAccess) -> anyhow::Result<BTreeMap<Object, BTreeSet<Part>>> {
    let existing = access.settings.identities().await.map_err(AwsError::from)?;
    let is_wanted = |identity: &String| {
        args.identities.is_empty()
            || args
                .identities
                .iter()
                .any(|pattern| ses_settings::matches_name(pattern, identity))
    };
    let mut parts = BTreeSet::from([Part::Notifications]);
    if !args.notifications_only {
        parts.insert(Part::EmailIdentity);
    }
    let identities = existing.into_iter().filter(is_wanted);
    let mut wanted: BTreeMap<Object, BTreeSet<Part>> = identities
        .map(|identity| (Object::Identity(identity), parts.clone()))
        .collect();
    let legacy = args.identities.iter().filter(|name| name.starts_with("arn:"));
    let legacy = legacy.map(|arn| Object::Identity(arn.clone()));
    wanted.extend(legacy.map(|object| (object, BTreeSet::from([Part::Notifications]))));
    if args.identities.is_empty() {
        let sets = access.settings.configuration_sets().await.map_err(AwsError::from)?;
        let parts = BTreeSet::from([Part::ConfigurationSet, Part::EventDestinations]);
        wanted.extend(
            sets.into_iter()
                .map(|set| (Object::ConfigurationSet(set), parts.clone())),
        );
    } else if wanted.is_empty() {
        bail!("no identity matches {}", args.identities.join(", "));
    }
    Ok(wanted)
}

fn lines(toml: &str) -> Text {
    let mut text = Text::default();
    toml.lines().for_each(|line| text.push_line(line));
    text
}

//! A configuration file against the table and SES.

use clap::Args;
use ses_settings::{LargeRemoval, PlanProblem};
use store::Store;

use super::changes::{Section, compare};
use super::table_rows::TableRows;
use crate::aws_error::AwsError;
use crate::config::Config;
use crate::ses::{SesArgs, SesPlan};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) ses: SesArgs,
}

/// The changes from what the table and SES have to what a file says.
pub(crate) struct Planned {
    pub(crate) store: Store,
    /// The changes of the table, then those of SES.
    pub(crate) sections: Vec<Section>,
    /// The plan for SES, when the file has settings of it.
    pub(crate) ses: Option<SesPlan>,
    current: TableRows,
    desired: TableRows,
}

impl Planned {
    /// Reads the table, and of SES what the file names.
    pub(crate) async fn read(config: &Config, args: &TargetArgs) -> anyhow::Result<Self> {
        let store = args.table.open().await;
        let current = TableRows::read(&store).await.map_err(AwsError::from)?;
        let desired = TableRows::of_config(config, &current);
        let mut sections = compare(&current, &desired, &config.names);
        let ses = if config.ses.is_empty() {
            None
        } else {
            let access = args.ses.open().await?;
            let plan = SesPlan::read(&config.ses, access, &store).await?;
            sections.extend(plan.sections());
            Some(plan)
        };
        Ok(Self {
            store,
            sections,
            ses,
            current,
            desired,
        })
    }

    pub(crate) fn differs(&self) -> bool {
        self.sections.iter().any(|section| !section.changes.is_empty())
    }

    /// What prevents that the configuration is applied.
    pub(crate) fn problems(&self) -> &[PlanProblem] {
        self.ses.as_ref().map(SesPlan::problems).unwrap_or_default()
    }

    /// The warnings about the file, and about changes that cannot be undone.
    pub(crate) fn warnings(&self, config: &Config) -> Vec<String> {
        let of_ses = self.ses.iter().flat_map(SesPlan::warnings);
        config.warnings.iter().cloned().chain(of_ses).collect()
    }

    /// The sections that the file does not have although the table has rows of them, for example `3 routes`. They stay.
    pub(crate) fn unchanged(&self, config: &Config) -> Vec<String> {
        let current = &self.current;
        let sections = [
            (
                config.sections.accounts,
                current.identities.len(),
                ["account", "accounts"],
            ),
            (
                config.sections.routes,
                current.routes.values().map(Vec::len).sum(),
                ["route", "routes"],
            ),
            (
                config.sections.thresholds,
                current.thresholds.len(),
                ["threshold", "thresholds"],
            ),
            (
                config.sections.mailboxes,
                current.mailboxes.len(),
                ["mailbox", "mailboxes"],
            ),
        ];
        let left = sections
            .into_iter()
            .filter(|(is_in_file, rows, _)| !is_in_file && *rows > 0);
        left.map(|(_, rows, [one, many])| format!("{rows} {}", if rows == 1 { one } else { many }))
            .collect()
    }

    /// The removals that need force.
    pub(crate) fn large_removals(&self) -> Vec<LargeRemoval> {
        let mut removals = self.current.large_removals(&self.desired);
        removals.extend(self.ses.iter().flat_map(SesPlan::large_removals));
        removals
    }

    /// Writes the rows of the table that differ.
    pub(crate) async fn write_table(&self) -> Result<(), AwsError> {
        Ok(self.current.change_to(&self.desired, &self.store).await?)
    }
}

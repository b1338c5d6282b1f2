//! `postroomctl reputation undo`.

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use operations::operator_name;
use reputation::{Undo, UndoError, undo};

use super::reputation_report::{change_text, enforcement_json, status_text};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The id of the enforcement, from the alert or from `reputation status`.
    #[arg(value_name = "ENFORCEMENT_ID")]
    enforcement: String,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &UndoArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let config = crate::sdk_config::load().await;
    let ses = aws_sdk_sesv2::Client::new(&config);
    let result = undo(&store, &ses, &args.enforcement, &operator_name(), Timestamp::now()).await;
    let (enforcement, text) = match result {
        Ok(Undo::Undone(enforcement)) => {
            let text = format!("undone: {}", change_text(&enforcement));
            (enforcement, text)
        }
        Ok(Undo::Already(enforcement)) => {
            let text = format!("nothing to undo: {}", status_text(&enforcement.status));
            (enforcement, text)
        }
        Err(error @ UndoError::NeverDone(_)) => return Ok(Output::answer(false, Text::of_line(&error.to_string()))),
        Err(error @ UndoError::Unknown(_)) => {
            bail!("{error}; `postroomctl reputation enforcements` lists the ids");
        }
        Err(UndoError::Store(error)) => return Err(AwsError::from(error).into()),
        Err(UndoError::Ses(error)) => return Err(AwsError::from(error).into()),
    };
    if args.table.json {
        return Ok(Output::done(json_text(&enforcement_json(&enforcement))));
    }
    Ok(Output::done(Text::of_line(&text)))
}

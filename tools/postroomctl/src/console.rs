//! `postroomctl console`.

use std::io::{IsTerminal, Write};

use clap::Args;
use postroom_console::{Console, DEFAULT_PORT, IDLE_LIMIT, Settings, bind, serve};

use crate::aws_error::sdk_error_text;
use crate::output::Output;
use crate::sdk_config;
use crate::table::open_table;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// The stack's table: output TableName, or TableArn for a table in another Region or account.
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    table: String,
    /// Allow changes: to suppress and release recipients.
    #[arg(long)]
    write: bool,
    /// The loopback port.
    #[arg(long, default_value_t = DEFAULT_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

/// Returns when the console ends.
pub(crate) async fn run(args: &ConsoleArgs) -> anyhow::Result<Output> {
    let config = sdk_config::load().await;
    let listener = bind(args.port).await?;
    let console = Console::new(Settings {
        store: open_table(&args.table).await,
        context: context(&args.table, &config).await,
        port: args.port,
        is_writable: args.write,
    });
    print_link(&console)?;
    if std::io::stdin().is_terminal() {
        let console = console.clone();
        // Reading a terminal blocks, and ends with the process.
        std::thread::spawn(move || {
            for _ in std::io::stdin().lines().map_while(Result::ok) {
                let _ = print_link(&console);
            }
        });
    }
    serve(listener, &console).await?;
    let minutes = IDLE_LIMIT.as_secs() / 60;
    Ok(Output::done(Text::of_line(&format!(
        "the console ended: {minutes} minutes without use"
    ))))
}

/// Prints a new sign-in link. It is not passed to another program, because every user of a computer can see the arguments
/// of all its programs.
fn print_link(console: &Console) -> anyhow::Result<()> {
    let link = console.sign_in_link()?;
    let text = Text::of_line(&format!("open {link}"));
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_str().as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The head of each page: the table, and who reads it where.
async fn context(table: &str, config: &aws_config::SdkConfig) -> Vec<(&'static str, String)> {
    let mut context = vec![("Table", table.to_owned())];
    if let Some(region) = config.region() {
        context.push(("Region", region.to_string()));
    }
    // The console works without it: a missing answer is shown, not an error.
    match aws_sdk_sts::Client::new(config).get_caller_identity().send().await {
        Ok(identity) => {
            context.push(("Account", identity.account().unwrap_or("unknown").to_owned()));
            context.push(("Caller", identity.arn().unwrap_or("unknown").to_owned()));
        }
        Err(error) => context.push(("Caller", format!("unknown: {}", sdk_error_text(&error)))),
    }
    context
}

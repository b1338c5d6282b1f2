//! Inbound mail: parsing its header or all of its parts, and forwarding it.

use std::hint::black_box;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use inbound::mail::forward::{ForwardMark, Rewrite, rewrite};
use inbound::mail::report::{self, Arrival};
use inbound::mail::{HeaderBlock, Limits, MailFacts};
use mail_parser::{MessageParser, PartType};
use notification_model::EmailAddress;

use crate::classify::{print_result, processor_time};

#[derive(Args)]
pub(crate) struct Options {
    /// File with a mail as SES stores it
    #[arg(long)]
    mail: PathBuf,
    /// Operation
    #[arg(long, value_enum)]
    operation: Operation,
    /// How often the operation is repeated
    #[arg(long, default_value_t = 1)]
    times: u32,
    /// Print the peak memory of the process in KiB instead of the time
    #[arg(long)]
    peak: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Operation {
    /// Parse the header and collect the facts that decide about the mail
    Header,
    /// Decode every part with the crate mail-parser
    Parts,
    /// Read a delivery report
    Report,
    /// Rewrite the mail as a forward
    Forward,
}

/// Prints the nanoseconds of processor time per mail, or the peak memory in KiB.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mail = std::fs::read(&options.mail)?;
    let limits = Limits::default();
    let began = processor_time()?;
    for _ in 0..options.times {
        let octets = run_once(black_box(&mail), options.operation, &limits)?;
        black_box(octets);
    }
    let nanoseconds = (processor_time()? - began) / f64::from(options.times);
    print_result(if options.peak { peak_memory()? } else { nanoseconds });
    Ok(())
}

/// Runs the operation. Returns a number that depends on the result, so that the compiler removes nothing.
fn run_once(mail: &[u8], operation: Operation, limits: &Limits) -> anyhow::Result<usize> {
    Ok(match operation {
        Operation::Header => {
            let header = HeaderBlock::parse(mail, limits)?;
            black_box(MailFacts::read(&header, None, limits));
            header.as_bytes().len()
        }
        Operation::Parts => {
            let message = MessageParser::default().parse(mail).context("not a mail")?;
            let octets = message.parts.iter().map(|part| match &part.body {
                PartType::Multipart(_) => 0,
                _ => part.contents().len(),
            });
            octets.sum()
        }
        Operation::Report => {
            let arrival = Arrival {
                message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            report::read(mail, limits)?.notifications(&arrival).len()
        }
        Operation::Forward => {
            let (from, to) = (address("forward@shop.example")?, [address("owner@target.example")?]);
            let how = Rewrite {
                mailbox: "info@shop.example",
                from: &from,
                to: &to,
                recipients: &[],
                mark: ForwardMark::None,
                verdicts: "spam=PASS; virus=PASS; spf=PASS; dkim=PASS; dmarc=PASS",
                message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            black_box(rewrite(mail, &how, limits)?.to_vec()).len()
        }
    })
}

fn address(text: &str) -> anyhow::Result<EmailAddress> {
    EmailAddress::parse(text).context("not an email address")
}

fn peak_memory() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_ascii_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

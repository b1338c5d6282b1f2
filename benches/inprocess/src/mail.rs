//! What a mail costs that arrives: its header alone, all of its parts, its forward.

use std::hint::black_box;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use inbound::mail::forward::{Rewrite, rewrite};
use inbound::mail::report::{self, Arrival};
use inbound::mail::{HeaderBlock, Limits, MailFacts};
use mail_parser::{MessageParser, PartType};
use notification_model::EmailAddress;

use crate::classify::{processor_time, tell};

#[derive(Args)]
pub(crate) struct Options {
    /// A mail as SES stores it
    #[arg(long)]
    mail: PathBuf,
    /// What is done with it
    #[arg(long, value_enum)]
    work: Work,
    /// How many times
    #[arg(long, default_value_t = 1)]
    times: u32,
    /// Print the process's peak memory in KiB instead of the time
    #[arg(long)]
    peak: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Work {
    /// The header block and what is decided by; all the function reads of most mails
    Header,
    /// Every part decoded, by the mail-parser crate
    Parts,
    /// A delivery report, as the function reads one
    Report,
    /// The forward's bytes
    Forward,
}

/// Prints nanoseconds of processor time per mail, or KiB.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mail = std::fs::read(&options.mail)?;
    let limits = Limits::default();
    let began = processor_time()?;
    for _ in 0..options.times {
        let octets = once(black_box(&mail), options.work, &limits)?;
        black_box(octets);
    }
    let took = (processor_time()? - began) / f64::from(options.times);
    tell(if options.peak { peak_memory()? } else { took });
    Ok(())
}

/// How many octets there were in the end, so that nothing is left out as unused.
fn once(mail: &[u8], work: Work, limits: &Limits) -> anyhow::Result<usize> {
    Ok(match work {
        Work::Header => {
            let header = HeaderBlock::parse(mail, limits)?;
            black_box(MailFacts::read(&header, None, limits));
            header.as_bytes().len()
        }
        Work::Parts => {
            let message = MessageParser::default().parse(mail).context("not a mail")?;
            let octets = message.parts.iter().map(|part| match &part.body {
                PartType::Multipart(_) => 0,
                _ => part.contents().len(),
            });
            octets.sum()
        }
        Work::Report => {
            let arrival = Arrival {
                message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            report::read(mail, limits)?.notifications(&arrival).len()
        }
        Work::Forward => {
            let (from, to) = (address("forward@shop.example")?, [address("owner@target.example")?]);
            let how = Rewrite {
                mailbox: "info@shop.example",
                from: &from,
                to: &to,
                verdicts: "spam=PASS; virus=PASS; spf=PASS; dkim=PASS; dmarc=PASS",
                message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            black_box(rewrite(mail, &how, limits)?.to_vec()).len()
        }
    })
}

fn address(text: &str) -> anyhow::Result<EmailAddress> {
    EmailAddress::parse(text).context("not an address")
}

fn peak_memory() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_ascii_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

//! Dead-letter queues: what is in them and why, and sending it back.
//!
//! SQS can move a whole queue back itself (StartMessageMoveTask). It is not used here: it takes everything or nothing,
//! knows no dry run, and refuses messages that no SQS queue moved there, as those that SNS could not hand over and those
//! that the router parked. Here a message is sent first and deleted after, so that an interruption leaves it in both
//! queues, never in none; the functions handle a message that comes twice as one.

mod cause;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::cause::Finding;
pub(crate) use self::cause::{Cause, Function};
use crate::Output;
use crate::cli::{DlqExplainArgs, DlqListArgs, DlqRedriveArgs};
use crate::queue::{Queue, Waiting};

/// How long a message is out of others' sight at most while it is looked at.
const LOOK: Duration = Duration::from_secs(60);
const REDRIVE: Duration = Duration::from_secs(300);

/// A message with what the function's code says of it.
struct Found {
    message: Waiting,
    finding: Finding,
}

impl Found {
    fn new(message: Waiting, queue: &Queue, function: Option<Function>) -> Self {
        let function = function.unwrap_or_else(|| Function::of(queue.name(), &message.body));
        let said = |name: &str| message.attributes.get(name)?.string_value();
        let finding = function.find(&message.body, said("reason"));
        Self { message, finding }
    }
}

pub(crate) async fn list(args: &DlqListArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let mut text = String::new();
    let mut rows = Vec::new();
    for url in &args.queues {
        let queue = Queue::open(url).await;
        let counts = queue.counts().await?;
        let found = look(&queue, args.sample, args.function).await?;
        let oldest = found.iter().filter_map(|one| one.message.sent).min();
        let mut causes: BTreeMap<Cause, usize> = BTreeMap::new();
        for one in &found {
            *causes.entry(one.finding.cause).or_default() += 1;
        }
        let lost = oldest
            .zip(counts.kept)
            .and_then(|(oldest, kept)| oldest.checked_add(kept).ok());
        rows.push(json!({
            "queue": url, "messages": counts.waiting, "lookedAt": found.len(),
            "causes": causes.iter().map(|(cause, count)| (cause.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "oldest": oldest.map(|at| at.to_string()), "firstLostAt": lost.map(|at| at.to_string()),
        }));

        writeln!(text, "{}", queue.name())?;
        if found.is_empty() {
            match counts.waiting {
                0 => writeln!(text, "  empty")?,
                waiting => writeln!(text, "  about {waiting} messages, all in somebody's hands just now")?,
            }
            continue;
        }
        let waiting = counts.waiting.max(u64::try_from(found.len()).unwrap_or_default());
        let all = if usize::try_from(waiting).is_ok_and(|waiting| waiting > found.len()) {
            format!("about {waiting} messages, {} of them looked at", found.len())
        } else {
            format!("{} message(s)", found.len())
        };
        writeln!(text, "  {all}")?;
        for (cause, count) in &causes {
            writeln!(text, "  {count:>6}  {cause}: {}", cause.advice())?;
        }
        if let Some(oldest) = oldest {
            write!(text, "  the oldest was sent {} ago", span(now.duration_since(oldest)))?;
            if let Some(lost) = lost {
                write!(text, "; SQS throws it away in {}", span(lost.duration_since(now)))?;
            }
            writeln!(text)?;
        }
    }
    if args.json {
        text = format!("{:#}\n", json!(rows));
    }
    Ok(Output::yes(text))
}

pub(crate) async fn explain(args: &DlqExplainArgs) -> anyhow::Result<Output> {
    let queue = Queue::open(&args.queue).await;
    let found = look(&queue, args.sample, args.choose.function).await?;
    let chosen: Vec<&Found> = found.iter().filter(|one| args.choose.takes(one)).collect();
    if args.json {
        let rows: Vec<Value> = chosen.iter().map(|one| found_json(one)).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for one in &chosen {
        write_found(&mut text, one)?;
        writeln!(text, "  redrive: {}", one.finding.cause.advice())?;
    }
    if chosen.is_empty() {
        writeln!(text, "no such message among the {} looked at", found.len())?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn redrive(args: &DlqRedriveArgs) -> anyhow::Result<Output> {
    let queue = Queue::open(&args.queue).await;
    let to = match &args.to {
        Some(url) => url.clone(),
        None => source(&queue).await?,
    };
    if to == args.queue {
        bail!("--to is the dead-letter queue itself");
    }
    if !args.yes {
        let found = look(&queue, args.limit, args.choose.function).await?;
        let chosen: Vec<&Found> = found.iter().filter(|one| args.choose.takes(one)).collect();
        return plan(args, &to, &chosen, found.len());
    }
    let target = Queue::open(&to).await;
    let moved = Move::new(args, &queue, &target).run().await?;
    moved.report(args, &to)
}

async fn look(queue: &Queue, most: usize, function: Option<Function>) -> anyhow::Result<Vec<Found>> {
    let messages = queue.look(most, LOOK).await?;
    let mut found: Vec<Found> = messages
        .into_iter()
        .map(|message| Found::new(message, queue, function))
        .collect();
    found.sort_by(|a, b| (a.message.sent, &a.message.id).cmp(&(b.message.sent, &b.message.id)));
    Ok(found)
}

async fn source(queue: &Queue) -> anyhow::Result<String> {
    match queue.sources().await?.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!(
            "{} is no queue's dead-letter queue; --to names the queue to send to",
            queue.name()
        ),
        several => bail!("several queues end here; --to names one of {}", several.join(", ")),
    }
}

fn plan(args: &DlqRedriveArgs, to: &str, chosen: &[&Found], looked_at: usize) -> anyhow::Result<Output> {
    let yes = chosen.is_empty();
    if args.json {
        let rows: Vec<Value> = chosen.iter().map(|one| found_json(one)).collect();
        let text = format!("{:#}\n", json!({"to": to, "dryRun": true, "chosen": rows}));
        return Ok(Output { text, yes });
    }
    let mut text = String::new();
    for one in chosen {
        write_found(&mut text, one)?;
    }
    let count = chosen.len();
    let again: BTreeSet<Cause> = chosen
        .iter()
        .map(|one| one.finding.cause)
        .filter(|cause| *cause != Cause::Around)
        .collect();
    for cause in again {
        writeln!(text, "note: {cause}: {}", cause.advice())?;
    }
    writeln!(
        text,
        "a dry run: {count} of {looked_at} message(s) would go to {to}; --yes sends them"
    )?;
    Ok(Output { text, yes })
}

/// A redrive under way.
struct Move<'a> {
    args: &'a DlqRedriveArgs,
    from: &'a Queue,
    to: &'a Queue,
    /// Everything ever received, so that no message is sent twice by one run.
    seen: BTreeSet<String>,
    kept: Vec<Waiting>,
    moved: Vec<(String, Cause)>,
    /// Sent, and not deleted.
    both: Vec<String>,
    refused: Vec<(String, String)>,
}

impl<'a> Move<'a> {
    fn new(args: &'a DlqRedriveArgs, from: &'a Queue, to: &'a Queue) -> Self {
        Self {
            args,
            from,
            to,
            seen: BTreeSet::new(),
            kept: Vec::new(),
            moved: Vec::new(),
            both: Vec::new(),
            refused: Vec::new(),
        }
    }

    async fn run(mut self) -> anyhow::Result<Self> {
        let mut empty = 0;
        let mut trouble = None;
        while empty < 2 && self.moved.len() < self.args.limit {
            let taken = match self.from.take(REDRIVE).await {
                Ok(taken) => taken,
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            };
            let (new, again): (Vec<Waiting>, Vec<Waiting>) = taken
                .into_iter()
                .partition(|message| self.seen.insert(message.id.clone()));
            // Back already: it was kept longer than this run may hold it.
            self.kept.extend(again);
            empty = if new.is_empty() { empty + 1 } else { 0 };
            self.batch(new).await;
            if !self.refused.is_empty() {
                break;
            }
        }
        let given_back = self.from.give_back(&self.kept).await;
        match trouble {
            // What was done is done: it is told with the error.
            Some(error) if self.moved.is_empty() => Err(error.into()),
            Some(error) => {
                self.refused
                    .push(("the dead-letter queue".to_owned(), error.to_string()));
                Ok(self)
            }
            None => {
                given_back?;
                Ok(self)
            }
        }
    }

    async fn batch(&mut self, new: Vec<Waiting>) {
        let (mut chosen, mut rest): (Vec<Found>, Vec<Found>) = new
            .into_iter()
            .map(|message| Found::new(message, self.from, self.args.choose.function))
            .partition(|one| self.args.choose.takes(one));
        rest.extend(chosen.split_off(chosen.len().min(self.args.limit - self.moved.len())));
        self.kept.extend(rest.into_iter().map(|one| one.message));
        if chosen.is_empty() {
            return;
        }
        let messages: Vec<_> = chosen
            .iter()
            .map(|one| (one.message.body.as_str(), &one.message.attributes))
            .collect();
        let refused = self.to.send(&messages).await;
        let is_refused = |index: usize| refused.iter().any(|(refused, _)| *refused == index);
        let sent = chosen.iter().enumerate().filter(|(index, _)| !is_refused(*index));
        let sent: Vec<&Found> = sent.map(|(_, one)| one).collect();
        let messages: Vec<&Waiting> = sent.iter().map(|one| &one.message).collect();
        self.both.extend(self.from.delete(&messages).await);
        self.moved
            .extend(sent.iter().map(|one| (one.message.id.clone(), one.finding.cause)));
        let pause = f64::from(u32::try_from(sent.len()).unwrap_or(u32::MAX)) / f64::from(self.args.rate);
        for (index, why) in &refused {
            if let Some(one) = chosen.get(*index) {
                self.refused.push((one.message.id.clone(), why.clone()));
                self.kept.push(one.message.clone());
            }
        }
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }

    fn report(&self, args: &DlqRedriveArgs, to: &str) -> anyhow::Result<Output> {
        let yes = self.refused.is_empty() && self.both.is_empty();
        if args.json {
            let moved: Vec<Value> = self
                .moved
                .iter()
                .map(|(id, cause)| json!({"id": id, "cause": cause.as_str()}))
                .collect();
            let refused: Vec<Value> = self
                .refused
                .iter()
                .map(|(id, why)| json!({"id": id, "why": why}))
                .collect();
            let told = json!({"to": to, "dryRun": false, "moved": moved, "inBoth": self.both, "refused": refused});
            return Ok(Output {
                text: format!("{told:#}\n"),
                yes,
            });
        }
        let mut text = String::new();
        for (id, cause) in &self.moved {
            writeln!(text, "{id}  {cause}")?;
        }
        writeln!(text, "{} message(s) sent to {to}", self.moved.len())?;
        if !self.both.is_empty() {
            writeln!(
                text,
                "{} of them could not be deleted and are in both queues, which does no harm: {}",
                self.both.len(),
                self.both.join(", ")
            )?;
        }
        for (id, why) in &self.refused {
            writeln!(text, "stopped at {id}, which stays: {why}")?;
        }
        Ok(Output { text, yes })
    }
}

impl crate::cli::DlqChoice {
    fn takes(&self, found: &Found) -> bool {
        let id = self.id.is_empty() || self.id.contains(&found.message.id);
        let cause = self.cause.is_empty() || self.cause.contains(&found.finding.cause);
        id && cause
    }
}

fn write_found(text: &mut String, one: &Found) -> std::fmt::Result {
    let Found { message, finding } = one;
    writeln!(text, "{}", finding.what)?;
    let sent = message.sent.map(|at| format!(", sent {at}")).unwrap_or_default();
    writeln!(text, "  id {}{sent}", message.id)?;
    writeln!(text, "  {}: {}", finding.cause, finding.why)
}

fn found_json(one: &Found) -> Value {
    json!({
        "id": one.message.id, "sent": one.message.sent.map(|at| at.to_string()), "what": one.finding.what,
        "cause": one.finding.cause.as_str(), "why": one.finding.why,
    })
}

/// The two largest units of a time: `3 d 4 h`.
fn span(time: SignedDuration) -> String {
    let minutes = time.as_mins().max(0);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

//! Caps on what the function sends, as `docs/inbound.md` describes them.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;

/// The caps of a seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// Each target of a forward counts.
    pub(super) forwards: Limits,
    /// Automatic replies.
    pub(super) answers: Limits,
}

/// The limits of one kind of mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    per_domain: usize,
    per_mailbox: usize,
    per_day: usize,
}

/// A mail that the function sends, if no cap stops it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// SES's id of the received mail.
    pub(super) id: &'a str,
    /// Its envelope sender.
    pub(super) writer: &'a str,
    /// When SES received it.
    pub(super) received_at: Timestamp,
    /// The mailbox whose action sends.
    pub(super) mailbox: &'static str,
    /// The recipient.
    pub(super) to: &'a str,
}

/// What a cap counts: the words of its reason in the index, what it is for, and the number of the hour or day.
type Counter<'a> = (&'static str, &'a str, i64);

impl Caps {
    /// In half of the seeds caps that a seed can reach, otherwise caps that none reaches.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let is_low = rng.bool();
        let mut draw = |low| if is_low { rng.usize(1..=low) } else { 1000 };
        Self {
            forwards: Limits {
                per_domain: draw(8),
                per_mailbox: draw(6),
                per_day: draw(20),
            },
            answers: Limits {
                per_domain: draw(2),
                per_mailbox: draw(3),
                per_day: draw(3),
            },
        }
    }

    /// The environment variables of the function.
    pub(super) fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("FORWARDS_PER_DOMAIN", self.forwards.per_domain.to_string()),
            ("FORWARDS_PER_MAILBOX", self.forwards.per_mailbox.to_string()),
            ("FORWARDS_PER_DAY", self.forwards.per_day.to_string()),
            ("ANSWERS_PER_DOMAIN", self.answers.per_domain.to_string()),
            ("ANSWERS_PER_MAILBOX", self.answers.per_mailbox.to_string()),
            ("ANSWERS_PER_DAY", self.answers.per_day.to_string()),
        ]
    }
}

impl Limits {
    /// No counter counts more sent mail than its limit.
    ///
    /// # Errors
    /// The counter.
    pub(super) fn check<'a>(&self, sent: impl Iterator<Item = Candidate<'a>>) -> Result<(), String> {
        for (counter, number) in count(self, sent) {
            let (_, limit) = self.with_limits(counter);
            if number > limit {
                return Err(format!("{number} mails were sent {counter:?}, and the cap is {limit}"));
            }
        }
        Ok(())
    }

    /// Whether a cap may stop a mail: it counts more candidates than its limit, and a reason of the received mail names it.
    pub(super) fn may_stop(&self, stopped: Candidate<'_>, candidates: &[Candidate<'_>], reasons: &[String]) -> bool {
        let numbers = count(self, candidates.iter().copied());
        self.counters(stopped).into_iter().any(|(counter, limit)| {
            let words = format!("a cap allows {limit} ");
            let is_named = reasons
                .iter()
                .any(|reason| reason.contains(&words) && reason.contains(counter.0));
            is_named && numbers.get(&counter).is_some_and(|number| *number > limit)
        })
    }

    fn counters<'a>(&self, candidate: Candidate<'a>) -> [(Counter<'a>, usize); 3] {
        let seconds = candidate.received_at.as_second();
        let (hour, day) = (seconds.div_euclid(3600), seconds.div_euclid(86_400));
        let domain = candidate.writer.split_once('@').map_or("", |(_, domain)| domain);
        [
            ("for the domain of its return path within an hour", domain, hour),
            ("of the mailbox within an hour", candidate.mailbox, hour),
            ("of the stack within a day", "", day),
        ]
        .map(|counter| self.with_limits(counter))
    }

    fn with_limits<'a>(&self, counter: Counter<'a>) -> (Counter<'a>, usize) {
        let limit = match counter.0 {
            "for the domain of its return path within an hour" => self.per_domain,
            "of the mailbox within an hour" => self.per_mailbox,
            _ => self.per_day,
        };
        (counter, limit)
    }
}

fn count<'a>(limits: &Limits, candidates: impl Iterator<Item = Candidate<'a>>) -> BTreeMap<Counter<'a>, usize> {
    let mut numbers = BTreeMap::new();
    for candidate in candidates {
        for (counter, _) in limits.counters(candidate) {
            *numbers.entry(counter).or_default() += 1;
        }
    }
    numbers
}

//! Measures the classification on labelled SMTP replies, against the goals that Postroom promises. `make
//! classification-report` prints the figures and every miss.

#![expect(clippy::expect_used, reason = "a bad row fails the test")]

use std::fmt;

use feedback::classification::{BounceClassification, BounceKind, Certainty, Evidence, classify};
use notification_model::{BounceSubType, BounceType, DsnAction, StatusCode};

/// Real replies.
const REPLIES: &str = include_str!("replies.tsv");
/// Replies in other wordings of the same kinds.
const VARIED: &str = include_str!("replies-varied.tsv");

/// Percentages.
struct Goals {
    condemned_at_most: f64,
    dead_at_least: f64,
    decision_at_least: f64,
    reason_at_least: f64,
}

const GOALS: Goals = Goals {
    condemned_at_most: 0.5,
    dead_at_least: 97.0,
    decision_at_least: 97.0,
    reason_at_least: 85.0,
};

/// A labelled reply. `meaning` and `reason` list alternatives.
struct Row {
    meaning: &'static str,
    reason: &'static str,
    status: StatusCode,
    reply: String,
}

fn rows(table: &'static str) -> Vec<Row> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let cells: Vec<_> = line.split('\t').collect();
            let [meaning, reason, status, reply] = cells.try_into().expect("four cells");
            Row {
                meaning,
                reason,
                status: status.parse().expect("a status code"),
                reply: reply.replace(r"\r\n", "\r\n"),
            }
        })
        .collect()
}

impl Row {
    /// As SES reports it: a status of class 4 is Transient, and the subtype says nothing.
    fn classify(&self) -> BounceClassification {
        let bounce_type = if self.status.is_transient() {
            BounceType::Transient
        } else {
            BounceType::Permanent
        };
        classify(&Evidence {
            bounce_type: &bounce_type,
            sub_type: &BounceSubType::General,
            action: Some(&DsnAction::Failed),
            status: Some(self.status),
            diagnostic: Some(&format!("smtp; {}", self.reply)),
        })
    }

    fn allows(&self, meaning: &str) -> bool {
        self.meaning.split('|').any(|one| one == meaning)
    }
}

/// The decision in the words of the labels.
fn meaning(is: &BounceClassification) -> &'static str {
    match (is.kind, is.certainty) {
        (BounceKind::Hard, Certainty::Assumed) | (BounceKind::Undetermined, _) => "unclear",
        (BounceKind::Hard, Certainty::Stated | Certainty::DecidedBySes) => "dead",
        (BounceKind::Soft, _) => "passing",
        (BounceKind::SenderFault, _) => "sender",
        (BounceKind::AutoReply | BounceKind::SuppressedBySes, _) => "not a bounce",
    }
}

#[derive(Default)]
struct Share {
    part: usize,
    whole: usize,
}

impl Share {
    fn count(&mut self, is_part: bool) {
        self.part += usize::from(is_part);
        self.whole += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred rows")]
    fn percent(&self) -> f64 {
        100.0 * self.part as f64 / self.whole.max(1) as f64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} % ({} of {})", self.percent(), self.part, self.whole)
    }
}

#[derive(Default)]
struct Report {
    /// Condemned by positive evidence, of those that are not dead.
    condemned: Share,
    /// Recognised, of those that are surely dead.
    dead: Share,
    decision: Share,
    reason: Share,
    misses: String,
}

impl Report {
    fn of(table: &'static str) -> Self {
        let mut report = Self::default();
        for row in rows(table) {
            let is = row.classify();
            let found = meaning(&is);
            let decision = row.allows(found);
            let reason = row.reason.split('|').any(|one| one == is.reason.as_str());
            report.decision.count(decision);
            report.reason.count(reason);
            if row.meaning == "dead" {
                report.dead.count(found == "dead");
            }
            if !row.allows("dead") {
                report.condemned.count(found == "dead");
            }
            if !decision || !reason {
                let kind = if decision { "reason  " } else { "DECISION" };
                let reply: String = row.reply.chars().take(120).collect();
                report.misses += &format!(
                    "  {kind} {}/{} is {found}/{} ({}): {} {reply:?}\n",
                    row.meaning, row.reason, is.reason, is.because, row.status
                );
            }
        }
        report
    }

    fn check(&self, name: &str) {
        eprintln!("{name}\n{self}");
        assert!(self.condemned.percent() <= GOALS.condemned_at_most, "{self}");
        assert!(self.dead.percent() >= GOALS.dead_at_least, "{self}");
        assert!(self.decision.percent() >= GOALS.decision_at_least, "{self}");
        assert!(self.reason.percent() >= GOALS.reason_at_least, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.misses)?;
        writeln!(
            f,
            "  condemned although not dead  {} (goal: at most {} %)",
            self.condemned, GOALS.condemned_at_most
        )?;
        writeln!(
            f,
            "  dead recognised              {} (goal: at least {} %)",
            self.dead, GOALS.dead_at_least
        )?;
        writeln!(
            f,
            "  decision right               {} (goal: at least {} %)",
            self.decision, GOALS.decision_at_least
        )?;
        writeln!(
            f,
            "  reason right                 {} (goal: at least {} %)",
            self.reason, GOALS.reason_at_least
        )
    }
}

#[test]
fn real_replies_meet_the_goals() {
    let report = Report::of(REPLIES);
    assert!(report.decision.whole >= 380, "most of the table is gone");
    report.check("replies.tsv");
}

#[test]
fn varied_replies_meet_the_goals() {
    let report = Report::of(VARIED);
    assert!(report.decision.whole >= 600, "most of the table is gone");
    report.check("replies-varied.tsv");
}

//! The reputation monitor: rates, levels and alerts, written from `docs/routing.md`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::state::{CountedEvent, Expected};
use crate::scenario::EventKind;

const BUCKET_SECONDS: i64 = 600;

/// The thresholds that the simulation configures, in percent: the scenarios have few events.
pub const WARN_PERCENT: usize = 20;
/// See [`WARN_PERCENT`].
pub const ENFORCE_PERCENT: usize = 50;
/// The minimum recipients of both windows.
pub const MIN_RECIPIENTS: usize = 2;

/// Sender (`owner/account/identity`), window and measure.
pub type AlertKey = (String, &'static str, &'static str);

/// An alert that must be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedAlert {
    /// `normal`, `warn` or `enforce`.
    pub level: &'static str,
    /// Hard bounces or complaints.
    pub count: usize,
    /// Recipients mailed.
    pub volume: usize,
}

/// The windows: name and hours.
const WINDOWS: [(&str, i64); 2] = [("hour", 1), ("day", 24)];
/// The measures: name and the kind that they count.
const MEASURES: [(&str, EventKind); 2] = [("bounces", EventKind::Hard), ("complaints", EventKind::Complaint)];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Level {
    #[default]
    Normal,
    Warn,
    Enforce,
}

/// The level of a sender in a window and measure.
#[derive(Debug, Default)]
struct State {
    level: Level,
    below_since: Option<Timestamp>,
}

/// The reputation monitor of the model.
#[derive(Debug, Default)]
pub struct ReputationModel {
    states: BTreeMap<AlertKey, State>,
    /// The configuration sets that enforcements paused.
    pub paused: BTreeSet<&'static str>,
}

/// The start of the ten minutes that contain a time.
#[must_use]
pub fn bucket_start(at: Timestamp) -> Timestamp {
    let seconds = at.as_second().div_euclid(BUCKET_SECONDS) * BUCKET_SECONDS;
    Timestamp::from_second(seconds).expect("a time")
}

impl ReputationModel {
    /// The alerts of a check of every sender at this time. `own_account` can pause its configuration sets.
    pub fn check(
        &mut self,
        expected: &Expected,
        now: Timestamp,
        own_account: &str,
    ) -> BTreeMap<AlertKey, ExpectedAlert> {
        let mut alerts = BTreeMap::new();
        for (sender, events) in &expected.counted {
            for (window, hours) in WINDOWS {
                for (measure, kind) in MEASURES {
                    let figures = figures_of(in_window(events, hours, now), kind);
                    let key = (sender.clone(), window, measure);
                    let state = self.states.entry(key.clone()).or_default();
                    let Some(level) = state.advance(level_of(figures), hours, now) else {
                        continue;
                    };
                    if level == Level::Enforce && sender.split('/').nth(1) == Some(own_account) {
                        self.paused.extend(responsible(in_window(events, 24, now), kind));
                    }
                    let (count, volume) = figures;
                    let level = level.name();
                    alerts.insert(key, ExpectedAlert { level, count, volume });
                }
            }
        }
        alerts
    }
}

/// Count and volume of a sender at a time, by window and measure.
#[must_use]
pub fn figures_at(
    expected: &Expected,
    (sender, window, measure): (&str, &str, &str),
    now: Timestamp,
) -> (usize, usize) {
    let hours = WINDOWS
        .iter()
        .find(|(name, _)| *name == window)
        .map_or(24, |(_, hours)| *hours);
    let kind = MEASURES
        .iter()
        .find(|(name, _)| *name == measure)
        .map_or(EventKind::Hard, |(_, kind)| *kind);
    expected
        .counted
        .get(sender)
        .map_or((0, 0), |events| figures_of(in_window(events, hours, now), kind))
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

impl State {
    /// The level that an alert is about, if there is one.
    fn advance(&mut self, reached: Level, window_hours: i64, now: Timestamp) -> Option<Level> {
        if reached > self.level {
            *self = Self {
                level: reached,
                below_since: None,
            };
            return Some(reached);
        }
        if self.level == Level::Normal {
            return None;
        }
        match (reached, self.below_since) {
            (Level::Normal, None) => self.below_since = Some(now),
            (Level::Normal, Some(since)) if now.duration_since(since) >= SignedDuration::from_hours(window_hours) => {
                *self = Self::default();
                return Some(Level::Normal);
            }
            (Level::Normal, Some(_)) => {}
            (Level::Warn | Level::Enforce, _) => self.below_since = None,
        }
        None
    }
}

/// The events of a sender within a window, to the full ten minutes.
fn in_window(events: &BTreeSet<CountedEvent>, hours: i64, now: Timestamp) -> Vec<&CountedEvent> {
    let first = bucket_start(now - SignedDuration::from_hours(hours));
    let end = bucket_start(now) + SignedDuration::from_secs(BUCKET_SECONDS);
    let within = |event: &&CountedEvent| event.at >= first && event.at < end;
    events.iter().filter(within).collect()
}

/// The number of events of a kind, and the recipients that were mailed: the sends, or the deliveries and bounces if that is
/// more. Without sends and deliveries the volume is unknown. A bounce that is only claimed adds nothing to it.
fn figures_of(events: Vec<&CountedEvent>, kind: EventKind) -> (usize, usize) {
    // An event that both channels report is one event, and a claim only if both are.
    let mut unique: BTreeMap<(EventKind, &str, &str), bool> = BTreeMap::new();
    for event in events {
        let is_claim = unique
            .entry((event.kind, event.message_id.as_str(), event.recipient.as_str()))
            .or_insert(true);
        *is_claim &= event.is_claim;
    }
    let number = |wanted: EventKind| unique.keys().filter(|(kind, ..)| *kind == wanted).count();
    let (sends, deliveries) = (
        number(EventKind::Batched("send")),
        number(EventKind::Batched("delivery")),
    );
    let bounced = |((kind, ..), is_claim): &(&(EventKind, &str, &str), &bool)| {
        matches!(kind, EventKind::Hard | EventKind::Soft) && !**is_claim
    };
    let volume = if sends + deliveries == 0 {
        0
    } else {
        sends.max(deliveries + unique.iter().filter(bounced).count())
    };
    (number(kind), volume)
}

fn level_of((count, volume): (usize, usize)) -> Level {
    if volume < MIN_RECIPIENTS || count == 0 {
        Level::Normal
    } else if count * 100 >= volume * ENFORCE_PERCENT {
        Level::Enforce
    } else if count * 100 >= volume * WARN_PERCENT {
        Level::Warn
    } else {
        Level::Normal
    }
}

/// The configuration sets that reach the enforcement threshold themselves, or else the one with more than half of the events.
fn responsible(day: Vec<&CountedEvent>, kind: EventKind) -> Vec<&'static str> {
    // An event that the identity reports too belongs to the stream that the configuration set reports.
    let id = |event: &CountedEvent| (event.kind, event.message_id.clone(), event.recipient.clone());
    let mut stream_of = BTreeMap::new();
    for event in &day {
        let stream = stream_of.entry(id(event)).or_insert(event.stream);
        *stream = event.stream.max(*stream);
    }
    let mut by_stream: BTreeMap<_, Vec<&CountedEvent>> = BTreeMap::new();
    for event in day {
        by_stream.entry(stream_of[&id(event)]).or_default().push(event);
    }
    let mut total = 0;
    let mut by_set: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for ((set, _), events) in by_stream {
        let (count, volume) = figures_of(events, kind);
        total += count;
        if let Some(set) = set {
            let sum = by_set.entry(set).or_default();
            *sum = (sum.0 + count, sum.1 + volume);
        }
    }
    let sets_where = |condition: &dyn Fn((usize, usize)) -> bool| -> Vec<&'static str> {
        let matching = by_set.iter().filter(|(_, figures)| condition(**figures));
        matching.map(|(set, _)| *set).collect()
    };
    let at_threshold = sets_where(&|figures| level_of(figures) == Level::Enforce);
    if at_threshold.is_empty() {
        sets_where(&|(count, _)| count * 2 > total)
    } else {
        at_threshold
    }
}

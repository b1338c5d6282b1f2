//! The scenario of a seed.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::accepted_then_bounced::with_delivery_before;
use super::decision::ManualDecision;
use super::event::{Report, ScenarioEvent};
use super::participants::{DOMAINS, HOME_ACCOUNT, RECIPIENTS, Sender};
use super::publication::{Envelopes, Publication, other_message, publish};
use super::race::{publish_race_event, race_events};
use super::random::{chance, choose, start};
use super::random_event::random_event;
use super::route::ScenarioRoute;

/// Every seed that is divisible by this is a race. Random scenarios almost never contain one.
const SEEDS_PER_RACE: u64 = 25;

/// Which messages an invocation receives together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batching {
    /// Random messages of a queue.
    Random,
    /// Deliveries in one invocation, all other messages in another, at the same time.
    DeliveriesApart,
}

/// Everything that happens in one seed.
#[derive(Debug)]
pub struct Scenario {
    /// The events.
    pub events: Vec<ScenarioEvent>,
    /// The published messages, with duplicates.
    pub publications: Vec<Publication>,
    /// The decisions of operators.
    pub decisions: Vec<ManualDecision>,
    /// The routes.
    pub routes: Vec<ScenarioRoute>,
    /// Registered identities: maps each sending account to its sending domains, and each domain to its owner.
    pub registered_identities: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
    /// Messages arrive when they are published (true) or all at the end.
    pub in_real_time: bool,
    /// How messages are divided into batches.
    pub batching: Batching,
    /// The start of the simulation's clock.
    pub start: Timestamp,
    /// A time after every event.
    pub end: Timestamp,
    /// The scenario's duration in days.
    pub days: i64,
}

impl Scenario {
    /// The scenario of a seed, or its first `max_events` events.
    #[must_use]
    pub fn new(seed: u64, max_events: Option<usize>) -> Self {
        if seed.is_multiple_of(SEEDS_PER_RACE) {
            Self::race(seed, max_events)
        } else {
            Self::random(seed, max_events)
        }
    }

    fn random(seed: u64, max_events: Option<usize>) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let days = match rng.u32(..100) {
            0..15 => 1,
            15..70 => 10,
            70..96 => 60,
            _ => 170,
        };
        let whole = if chance(rng, 10) {
            rng.usize(1..=60)
        } else {
            rng.usize(1..=24)
        };
        // Few recipients and senders, so that several events concern the same ones.
        let recipients = &RECIPIENTS[..rng.usize(1..=RECIPIENTS.len())];
        let senders: Vec<Sender> = (0..rng.usize(1..=3)).map(|_| Sender::random(rng)).collect();
        let soft_percent = choose(rng, &[20, 50, 80]);
        let mut events: Vec<ScenarioEvent> = (0..whole)
            .flat_map(|number| {
                let sender = &senders[rng.usize(..senders.len())];
                let event = random_event(rng, number, sender, recipients, soft_percent, days);
                if chance(rng, 15) {
                    with_delivery_before(rng, event)
                } else {
                    vec![event]
                }
            })
            .collect();
        let in_real_time = rng.bool();
        let envelopes = if chance(rng, 25) {
            Envelopes::Raw
        } else {
            Envelopes::Mixed
        };
        let routes = (0..rng.usize(0..=8)).map(|_| ScenarioRoute::random(rng)).collect();
        let registered_identities = ["222233334444", HOME_ACCOUNT]
            .into_iter()
            .filter(|_| chance(rng, 70))
            .map(|account| {
                let domains = DOMAINS[..2].iter().map(|domain| (*domain, HOME_ACCOUNT));
                (account, domains.collect())
            })
            .collect();
        events.truncate(max_events.unwrap_or(usize::MAX));

        let end = end_after(days);
        let mut publications: Vec<Publication> = (0..)
            .zip(&events)
            .flat_map(|(index, event)| publish(&mut rng_of_event(seed, index), index as usize, event, envelopes))
            .collect();
        let mut decisions = Vec::new();
        for number in 0..events.len() as u64 {
            let rng = &mut Rng::with_seed(seed.rotate_left(17) ^ number);
            if chance(rng, 6) {
                let all_at_end = (!in_real_time).then_some(end);
                decisions.push(ManualDecision::random(
                    rng, number, recipients, &senders, days, all_at_end,
                ));
            }
            if chance(rng, 5) {
                publications.push(other_message(rng, number));
            }
        }
        publications.sort_by_key(|publication| publication.published_at);
        decisions.sort_by_key(|decision| decision.decided_at);
        Self {
            events,
            publications,
            decisions,
            routes,
            registered_identities,
            in_real_time,
            batching: Batching::Random,
            start: start(),
            end,
            days,
        }
    }

    /// Deliveries race soft bounces of the same recipients.
    fn race(seed: u64, max_events: Option<usize>) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let days = 10;
        let sender = Sender::random(rng);
        let mut events = race_events(rng, &sender);
        events.truncate(max_events.unwrap_or(events.len()));
        let publications = (0..)
            .zip(&events)
            .map(|(index, event)| publish_race_event(&mut rng_of_event(seed, index), index as usize, event))
            .collect();
        Self {
            events,
            publications,
            decisions: Vec::new(),
            routes: Vec::new(),
            registered_identities: BTreeMap::new(),
            in_real_time: false,
            batching: Batching::DeliveriesApart,
            start: start(),
            end: end_after(days),
            days,
        }
    }

    /// What these publications report.
    #[must_use]
    pub fn reports<'a>(&self, publications: impl IntoIterator<Item = &'a usize>) -> BTreeSet<Report> {
        publications
            .into_iter()
            .filter_map(|index| self.publications[*index].reports)
            .collect()
    }

    /// What all publications report.
    #[must_use]
    pub fn all_reports(&self) -> BTreeSet<Report> {
        let publications = self.publications.iter();
        publications.filter_map(|publication| publication.reports).collect()
    }
}

/// A random number generator per event, so that the first events of a scenario do not depend on the later ones.
fn rng_of_event(seed: u64, index: u64) -> Rng {
    Rng::with_seed(seed ^ (0x9e37_79b9_7f4a_7c15u64.wrapping_mul(index + 1)))
}

fn end_after(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days + 12)
}

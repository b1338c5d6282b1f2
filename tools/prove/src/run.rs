//! Queues, clock and processes: works a story off, whatever fails and whoever dies, until nothing waits any more.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use delegate_router::effects::Effects as RouterEffects;
use delegate_router::settings::Settings;
use fastrand::Rng;
use feedback::effects::{Effects, MirrorQueue};
use feedback::policy::{Policy, SuppressionPeriod};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{
    HistoryEntry, Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey, SenderMatch, Store, SuppressionEntry,
    SuppressionSource,
};

use crate::aws::{Aws, DELIVER_URL, MIRROR_URL, PARK_URL, UNROUTED};
use crate::scenario::{Channel, Decision, Grant, HOME, Scenario};
use crate::{Figures, Options, check, model};

/// As the template's `MaxReceiveCount`.
const MAX_RECEIVES: u32 = 5;
const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);
/// As the template's `Timeout`.
const LAMBDA_TIMEOUT: Duration = Duration::from_secs(60);
/// Processes of the router that stay warm.
const SLOTS: usize = 3;

/// A queue with its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Feedback,
    Router,
    Deliver,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Feedback, Self::Router, Self::Deliver];

    const fn arn(self) -> &'static str {
        match self {
            Self::Feedback => "arn:aws:sqs:us-east-1:111122223333:postroom-feedback",
            Self::Router => "arn:aws:sqs:us-east-1:111122223333:postroom-router",
            Self::Deliver => "arn:aws:sqs:us-east-1:111122223333:postroom-deliver",
        }
    }
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    /// Of the story; none in the deliver queue.
    publication: Option<usize>,
    body: String,
    receives: u32,
    visible_at: Timestamp,
}

/// What became of everything that was queued.
#[derive(Debug, Default)]
pub struct Journal {
    /// Publications that the feedback function acknowledged, at least one copy of each.
    pub feedback_done: BTreeSet<usize>,
    /// The same of the router.
    pub router_done: BTreeSet<usize>,
    /// Bodies in the deliver queue's dead-letter queue.
    pub undelivered: Vec<String>,
}

struct World<'a> {
    story: &'a Scenario,
    aws: Aws,
    rng: Rng,
    clock: Timestamp,
    waiting: BTreeMap<Lane, Vec<Message>>,
    dead: BTreeMap<Lane, Vec<Message>>,
    queued: BTreeMap<Lane, usize>,
    acknowledged: BTreeMap<Lane, BTreeSet<String>>,
    books: Journal,
    feedback: Effects,
    router: Vec<Option<RouterEffects>>,
    settings: Settings,
    decisions: Vec<Decision>,
    kill_percent: u32,
}

/// Runs a seed.
///
/// # Errors
/// What is wrong afterwards.
pub async fn run(seed: u64, options: &Options) -> Result<Figures, String> {
    let story = Scenario::new(seed, options.size);
    let mut world = World::new(seed, &story, options);
    world.furnish().await;

    let (fault_rate, kill_percent) = match (options.calm, world.rng.u8(..6)) {
        (true, _) | (_, 0) => (0, 0),
        (_, 1) => (20, 0),
        (_, 2) => (0, 40),
        (_, 3) => (60, 20),
        (_, 4) => (150, 10),
        _ => (300, 30),
    };
    world.aws.set_fault_rate(fault_rate);
    world.kill_percent = kill_percent;
    world.work_off().await;
    world.aws.set_fault_rate(0);
    world.kill_percent = 0;

    world.balance()?;
    let rows = world.aws.state().rows();
    check::so_far(&story, &rows, &world.aws.state().taken, &world.books)?;

    // What an operator does once the cause is mended.
    world.move_dead_letters_back();
    world.work_off().await;
    world.balance()?;
    world.only_poison_is_dead()?;
    let rows = world.aws.state().rows();
    check::in_the_end(&story, &rows, &world.aws.state().taken)?;
    check::as_the_reader_sees_it(&story, &world.feedback.store).await?;

    world.send_digests(fault_rate, kill_percent).await?;
    check::digests(&rows, &world.aws.state().mails)?;

    let mut figures = world.aws.state().figures.clone();
    figures.add("notifications published", story.publications.len() as u64);
    figures.add("decisions of people", story.decisions.len() as u64);
    Ok(figures)
}

impl<'a> World<'a> {
    fn new(seed: u64, story: &'a Scenario, options: &Options) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xd1ce);
        let aws = Aws::new(seed, options.trace);
        let store = Store::new(aws.dynamodb(), "postroom");
        let concurrency = [1, 4, 16][rng.usize(..3)];
        let policy = Policy {
            concurrency,
            // The longest stories are longer than the default keeps.
            deliveries: if story.days > 80 {
                SuppressionPeriod::Days(400)
            } else {
                SuppressionPeriod::Days(90)
            },
            mirror_unsubscribes: rng.bool(),
            ..Policy::default()
        };
        let settings = Settings {
            table: "postroom".to_owned(),
            account: HOME.parse().expect("an account"),
            delivery_queue_url: DELIVER_URL.to_owned(),
            dead_letter_queue_url: PARK_URL.to_owned(),
            unrouted_topic_arn: UNROUTED.to_owned(),
            digest_from: EmailAddress::parse("postroom@house.example"),
            digest_window: SignedDuration::from_hours(1),
            route_cache: Duration::from_secs(60),
            route_cache_keys: 1000,
            concurrency,
        };
        let mirror = (rng.u8(..3) == 0).then(|| MirrorQueue::new(aws.sqs(), MIRROR_URL.to_owned()));
        let mut world = Self {
            story,
            feedback: Effects { store, policy, mirror },
            router: (0..SLOTS).map(|_| None).collect(),
            settings,
            aws,
            rng,
            clock: if story.live {
                crate::scenario::start()
            } else {
                story.end
            },
            waiting: BTreeMap::new(),
            dead: BTreeMap::new(),
            queued: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            books: Journal::default(),
            decisions: story.decisions.iter().rev().cloned().collect(),
            kill_percent: 0,
        };
        for lane in [Lane::Feedback, Lane::Router] {
            for (index, publication) in story.publications.iter().enumerate() {
                let visible_at = if story.live { publication.at } else { story.end };
                world.queue(lane, Some(index), publication.body.clone(), visible_at);
            }
        }
        world
    }

    fn queue(&mut self, lane: Lane, publication: Option<usize>, body: String, visible_at: Timestamp) {
        let number = self.queued.entry(lane).or_default();
        *number += 1;
        let message = Message {
            id: format!("{lane:?}-{number}"),
            publication,
            body,
            receives: 0,
            visible_at,
        };
        self.waiting.entry(lane).or_default().push(message);
    }

    /// Puts the routes and the parties into the table.
    async fn furnish(&self) {
        let mut by_key: BTreeMap<RouteKey, Vec<Route>> = BTreeMap::new();
        for (number, grant) in self.story.grants.iter().enumerate() {
            let route = as_route(number, grant);
            let key = RouteKey::new(route.senders.clone()).expect("somebody's");
            by_key.entry(key).or_default().push(route);
        }
        let store = &self.feedback.store;
        for (key, routes) in by_key {
            store.put_routes(&key, &routes).await.expect("no fault yet");
        }
        for (account, domains) in &self.story.registry {
            let known: Vec<RegisteredIdentity> = domains
                .iter()
                .map(|(domain, owner)| RegisteredIdentity {
                    identity: (*domain).into(),
                    owner: owner.parse().expect("an account"),
                })
                .collect();
            let account = account.parse().expect("an account");
            store.register_identities(&account, &known).await.expect("no fault yet");
        }
    }

    async fn work_off(&mut self) {
        loop {
            self.take_in_deliveries();
            self.decide_what_is_due().await;
            let invocations = self.receive();
            if invocations.is_empty() {
                if self.let_time_pass() {
                    continue;
                }
                self.aws.state().raise_zombies(true);
                if self.aws.state().enqueued.is_empty() && self.decisions.is_empty() {
                    return;
                }
                if let Some(decision) = self.decisions.last() {
                    self.clock = self.clock.max(decision.at);
                }
                continue;
            }
            self.invoke(invocations).await;
            self.aws.state().raise_zombies(false);
            self.clock += SignedDuration::from_secs(self.rng.i64(0..30));
        }
    }

    fn take_in_deliveries(&mut self) {
        let bodies: Vec<String> = self.aws.state().enqueued.drain(..).collect();
        for body in bodies {
            self.queue(Lane::Deliver, None, body, self.clock);
        }
    }

    async fn decide_what_is_due(&mut self) {
        while let Some(decision) = self.decisions.pop_if(|decision| decision.at <= self.clock) {
            let rate = self.aws.pause_faults();
            self.aws
                .state()
                .note(|| format!("{} a person decides: {decision:?}", self.clock));
            decide(&self.feedback.store, &decision).await;
            self.aws.set_fault_rate(rate);
        }
    }

    /// Moves the clock to the next thing that comes; false if nothing will.
    fn let_time_pass(&mut self) -> bool {
        let waiting = self.waiting.values().flatten().map(|message| message.visible_at);
        let decision = self.decisions.last().map(|decision| decision.at);
        match waiting.chain(decision).min() {
            Some(next) => {
                self.clock = self.clock.max(next);
                true
            }
            None => false,
        }
    }

    /// Batches for up to three processes, cut anywhere. What was received too often goes to the dead-letter queue.
    fn receive(&mut self) -> Vec<(Lane, Vec<Message>)> {
        let mut invocations = Vec::new();
        for _ in 0..self.rng.usize(1..=SLOTS) {
            let ready: Vec<Lane> = Lane::ALL
                .into_iter()
                .filter(|lane| {
                    let waiting = self.waiting.get(lane).into_iter().flatten();
                    waiting.into_iter().any(|message| message.visible_at <= self.clock)
                })
                .collect();
            if ready.is_empty() {
                break;
            }
            let lane = ready[self.rng.usize(..ready.len())];
            let most = if self.rng.bool() {
                self.rng.usize(1..=10)
            } else {
                self.rng.usize(1..=60)
            };
            let waiting = self.waiting.entry(lane).or_default();
            self.rng.shuffle(waiting);
            let mut batch = Vec::new();
            let mut index = 0;
            while index < waiting.len() && batch.len() < most {
                if waiting[index].visible_at > self.clock {
                    index += 1;
                    continue;
                }
                let mut message = waiting.swap_remove(index);
                if message.receives == MAX_RECEIVES {
                    self.aws
                        .state()
                        .note(|| format!("{} {} is a dead letter", self.clock, message.id));
                    self.dead.entry(lane).or_default().push(message);
                    continue;
                }
                message.receives += 1;
                batch.push(message);
            }
            if !batch.is_empty() {
                invocations.push((lane, batch));
            }
        }
        invocations
    }

    async fn invoke(&mut self, invocations: Vec<(Lane, Vec<Message>)>) {
        let now = self.clock;
        let mut lives = Vec::new();
        for (slot, (lane, batch)) in invocations.iter().enumerate() {
            let polls = (self.rng.u32(..100) < self.kill_percent)
                .then(|| self.rng.u32(1..=8 + 6 * u32::try_from(batch.len()).unwrap_or(60)));
            let ids: Vec<&str> = batch.iter().map(|message| message.id.as_str()).collect();
            let death = polls.map_or(String::new(), |polls| format!(", to die after {polls} polls"));
            self.aws
                .state()
                .note(|| format!("{now} {lane:?} gets {}{death}", ids.join(" ")));
            let router = match lane {
                Lane::Feedback => None,
                Lane::Router | Lane::Deliver => {
                    let fresh =
                        || RouterEffects::new(self.feedback.store.clone(), self.aws.clients(), self.settings.clone());
                    Some(self.router[slot].take().unwrap_or_else(fresh))
                }
            };
            lives.push((polls, event(*lane, batch), router));
        }
        let feedback = &self.feedback;
        let running = lives.into_iter().map(|(polls, event, router)| async move {
            let ended = {
                let life = async {
                    let mut metrics = Metrics::default();
                    match &router {
                        None => feedback::handle(&event, feedback, &mut metrics, now)
                            .await
                            .ok()
                            .map(json),
                        Some(router) => {
                            let answer = delegate_router::handle(&event, router, &mut metrics, now).await;
                            answer.ok().map(json)
                        }
                    }
                };
                let life = tokio::time::timeout(LAMBDA_TIMEOUT, life);
                KillAfter {
                    life: Some(Box::pin(life)),
                    polls,
                }
                .await
            };
            (ended, router)
        });
        let ended = join_all(running).await;
        for (slot, ((lane, batch), (end, router))) in invocations.into_iter().zip(ended).enumerate() {
            let mut state = self.aws.state();
            state.figures.add("invocations", 1);
            state.figures.add("records handed to a function", batch.len() as u64);
            let failed: Option<BTreeSet<String>> = match end {
                None => {
                    state.figures.add("processes killed between two awaits", 1);
                    state.note(|| format!("  {lane:?} was killed"));
                    None
                }
                Some(Err(_)) => {
                    state.figures.add("invocations ended by Lambda's timeout", 1);
                    state.note(|| format!("  {lane:?} timed out"));
                    None
                }
                Some(Ok(answer)) => {
                    // A process that lives on keeps what it remembers.
                    if self.rng.bool() {
                        self.router[slot] = router;
                    }
                    let failed = answer.map(|answer| failures(&answer));
                    state.note(|| format!("  {lane:?} answers {failed:?}"));
                    failed
                }
            };
            // SQS may deliver again what was deleted.
            let deleted_in_vain = state.chance(2) && self.kill_percent > 0;
            drop(state);
            for mut message in batch {
                let done = failed.as_ref().is_some_and(|failed| !failed.contains(&message.id));
                if done {
                    self.acknowledge(lane, &message);
                }
                if !done || deleted_in_vain {
                    message.visible_at = now + VISIBILITY;
                    self.aws.state().figures.add("records delivered again", 1);
                    self.waiting.entry(lane).or_default().push(message);
                }
            }
        }
    }

    fn acknowledge(&mut self, lane: Lane, message: &Message) {
        self.acknowledged.entry(lane).or_default().insert(message.id.clone());
        match lane {
            Lane::Feedback => self.books.feedback_done.extend(message.publication),
            Lane::Router => self.books.router_done.extend(message.publication),
            Lane::Deliver => {}
        }
    }

    /// The schedule mails the digests: first as badly as everything else went, then until nothing is due.
    async fn send_digests(&mut self, fault_rate: u32, kill_percent: u32) -> Result<(), String> {
        self.clock += SignedDuration::from_hours(3);
        let event = json!({"postroom": "digest"});
        for round in 0..24 {
            let in_trouble = round < 6;
            self.aws.set_fault_rate(if in_trouble { fault_rate } else { 0 });
            let dies = in_trouble && self.rng.u32(..100) < kill_percent;
            let polls = dies.then(|| self.rng.u32(1..=60));
            let router = RouterEffects::new(self.feedback.store.clone(), self.aws.clients(), self.settings.clone());
            let mut metrics = Metrics::default();
            self.aws
                .state()
                .note(|| format!("{} the digests are due, to die after {polls:?} polls", self.clock));
            let life = delegate_router::handle(&event, &router, &mut metrics, self.clock);
            let life = tokio::time::timeout(LAMBDA_TIMEOUT, life);
            let _ = KillAfter {
                life: Some(Box::pin(life)),
                polls,
            }
            .await;
            self.aws.set_fault_rate(0);
            self.aws.state().raise_zombies(round == 8);
            let due = self.feedback.store.due_digests(self.clock).await;
            if !in_trouble && due.is_ok_and(|due| due.is_empty()) {
                return Ok(());
            }
            // A run that died keeps its claim for a while.
            self.clock += SignedDuration::from_mins(5);
        }
        Err("digests stay due".to_owned())
    }

    /// Applied + dead letters = published, in each queue.
    fn balance(&mut self) -> Result<(), String> {
        self.books.undelivered = self
            .dead
            .get(&Lane::Deliver)
            .into_iter()
            .flatten()
            .map(|one| one.body.clone())
            .collect();
        for lane in Lane::ALL {
            let mut accounted: BTreeSet<&str> = self
                .dead
                .get(&lane)
                .into_iter()
                .flatten()
                .map(|one| one.id.as_str())
                .collect();
            accounted.extend(self.acknowledged.get(&lane).into_iter().flatten().map(String::as_str));
            let queued = self.queued.get(&lane).copied().unwrap_or_default();
            if accounted.len() != queued {
                return Err(format!(
                    "{lane:?}: {queued} queued, {} acknowledged or dead",
                    accounted.len()
                ));
            }
        }
        Ok(())
    }

    fn move_dead_letters_back(&mut self) {
        for lane in Lane::ALL {
            let dead = self.dead.remove(&lane).unwrap_or_default();
            self.aws.state().figures.add("dead letters", dead.len() as u64);
            for mut message in dead {
                message.receives = 0;
                message.visible_at = self.clock;
                self.waiting.entry(lane).or_default().push(message);
            }
        }
    }

    fn only_poison_is_dead(&self) -> Result<(), String> {
        for lane in Lane::ALL {
            let dead: BTreeSet<_> = self
                .dead
                .get(&lane)
                .into_iter()
                .flatten()
                .map(|one| one.publication)
                .collect();
            let poison: BTreeSet<_> = match lane {
                Lane::Deliver => BTreeSet::new(),
                _ => {
                    let all = self.story.publications.iter().enumerate();
                    all.filter(|(_, one)| one.poison)
                        .map(|(index, _)| Some(index))
                        .collect()
                }
            };
            if dead != poison {
                return Err(format!("{lane:?}: dead letters {dead:?}, unreadable {poison:?}"));
            }
        }
        Ok(())
    }
}

fn json(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(&answer).expect("an answer in JSON")
}

fn event(lane: Lane, batch: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({
            "eventSource": "aws:sqs", "messageId": message.id, "body": message.body, "eventSourceARN": lane.arn(),
            "attributes": {"ApproximateReceiveCount": message.receives.to_string()},
        })
    };
    json!({"Records": batch.iter().map(record).collect::<Vec<_>>()})
}

fn failures(answer: &Value) -> BTreeSet<String> {
    let failed = answer["batchItemFailures"].as_array().expect("a batch response").iter();
    failed
        .map(|one| one["itemIdentifier"].as_str().expect("an id").to_owned())
        .collect()
}

fn as_route(number: usize, grant: &Grant) -> Route {
    let words = |words: &BTreeSet<&str>| words.iter().map(|word| (*word).to_owned()).collect();
    Route {
        name: format!("route-{number}"),
        senders: SenderMatch {
            owner: grant.owner.map(|owner| owner.parse().expect("an account")),
            account: grant.account.map(|account| account.parse().expect("an account")),
            identity: grant.identity.as_deref().map(Into::into),
        },
        filter: RouteFilter {
            configuration_sets: words(&grant.sets),
            tenants: words(&grant.tenants),
            events: words(&grant.events),
        },
        target: grant.target.parse().expect("a target"),
        redaction: if grant.full {
            Redaction::None
        } else {
            Redaction::Standard
        },
    }
}

/// As `postroomctl` writes it: the explanation first.
async fn decide(store: &Store, decision: &Decision) {
    let address = EmailAddress::parse(decision.address).expect("an address");
    let scope = decision.scope.parse().expect("a scope");
    let entry = SuppressionEntry {
        at: decision.at,
        id: model::manual_id(decision),
        blocked: decision.suppress,
        until: None,
        reason: "a person's decision".to_owned(),
        address: decision.address.to_owned(),
        evidence: BTreeMap::new(),
    };
    let history = HistoryEntry {
        at: entry.at,
        id: entry.id.clone(),
        kind: "manual".to_owned(),
        reason: entry.reason.clone(),
        scope,
        suppresses: entry.blocked,
        evidence: BTreeMap::new(),
        expires_at: None,
    };
    let source = if decision.suppress {
        SuppressionSource::Manual
    } else {
        SuppressionSource::Released
    };
    store
        .append_history(&address, &history)
        .await
        .expect("no faults for people");
    let recorded = store
        .record_suppression(&address, &history.scope, &source, &entry, entry.at)
        .await;
    recorded.expect("no faults for people");
}

/// Which tellings these publications are.
#[must_use]
pub fn tellings<'a>(story: &Scenario, publications: impl IntoIterator<Item = &'a usize>) -> BTreeSet<(usize, bool)> {
    let told = publications
        .into_iter()
        .filter_map(|index| story.publications[*index].tells);
    told.map(|(happening, channel)| (happening, channel == Channel::ConfigurationSet))
        .collect()
}

/// A process that ends after so many polls, wherever it is.
struct KillAfter<F> {
    life: Option<Pin<Box<F>>>,
    polls: Option<u32>,
}

impl<F: Future> Future for KillAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == Some(0) {
            self.life = None;
        }
        self.polls = self.polls.map(|polls| polls.saturating_sub(1));
        match &mut self.life {
            Some(life) => life.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

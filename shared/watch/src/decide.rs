//! From rates, lines and the state before to the state after. Pure.

use jiff::{SignedDuration, Timestamp};
use ledger::{ActKind, Count, Figures, Level, Line, Lines, Measure, SenderRates, Tally, Threshold, WatchState, Window};
use notification_model::AccountId;

/// How long an invocation may take to tell the parties before another one tells them.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(5);

/// A state to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The new state, with the version of the one it replaces.
    pub state: WatchState,
    /// Whether the parties have to be told, by whoever succeeds in writing it.
    pub tell: bool,
}

/// What changes for a sender at the time `now`; nothing, mostly.
#[must_use]
pub fn decide(rates: &SenderRates, lines: &Lines, before: &[WatchState], now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for window in Window::ALL {
        for measure in Measure::ALL {
            let known = before
                .iter()
                .find(|state| (state.window, state.measure) == (*window, *measure));
            let state = known.cloned().unwrap_or_else(|| WatchState::unknown(*window, *measure));
            let figures = figures(tally_of(rates, *window), *measure);
            let stands = level(figures, *window, threshold(lines, *measure));
            steps.extend(step(&state, stands, figures, now));
        }
    }
    steps
}

fn step(before: &WatchState, stands: Level, figures: Figures, now: Timestamp) -> Option<Step> {
    let told = |level: Level| {
        let state = WatchState {
            level,
            since: now,
            figures,
            below_since: None,
            claimed_at: Some(now),
            ..before.clone()
        };
        Some(Step { state, tell: true })
    };
    let noted = |below_since: Option<Timestamp>| {
        let state = WatchState {
            below_since,
            ..before.clone()
        };
        Some(Step { state, tell: false })
    };
    if stands > before.level {
        return told(stands);
    }
    if before.level != Level::Calm {
        match (stands, before.below_since) {
            (Level::Calm, None) => return noted(Some(now)),
            (Level::Calm, Some(since)) if now.duration_since(since) >= span(before.window) => {
                return told(Level::Calm);
            }
            (Level::Warn | Level::Act, Some(_)) => return noted(None),
            _ => {}
        }
    }
    let abandoned = before.claimed_at.is_some_and(|at| now.duration_since(at) >= CLAIM);
    abandoned.then(|| Step {
        state: WatchState {
            claimed_at: Some(now),
            ..before.clone()
        },
        tell: true,
    })
}

fn level(figures: Figures, window: Window, threshold: &Threshold) -> Level {
    let enough = match window {
        Window::Hour => threshold.hour_recipients,
        Window::Day => threshold.day_recipients,
    };
    // Without the lower bound of one, no mail at all would be on every line.
    if figures.volume < enough.max(1) || figures.count < threshold.events.max(1) {
        Level::Calm
    } else if threshold.act.is_reached_by(figures) {
        Level::Act
    } else if threshold.warn.is_reached_by(figures) {
        Level::Warn
    } else {
        Level::Calm
    }
}

pub(crate) fn span(window: Window) -> SignedDuration {
    match window {
        Window::Hour => SignedDuration::from_hours(1),
        Window::Day => SignedDuration::from_hours(24),
    }
}

fn tally_of(rates: &SenderRates, window: Window) -> &Tally {
    match window {
        Window::Hour => &rates.hour,
        Window::Day => &rates.day,
    }
}

pub(crate) fn threshold(lines: &Lines, measure: Measure) -> &Threshold {
    match measure {
        Measure::Bounces => &lines.bounces,
        Measure::Complaints => &lines.complaints,
    }
}

fn figures(tally: &Tally, measure: Measure) -> Figures {
    Figures {
        count: tally.get(match measure {
            Measure::Bounces => Count::Hard,
            Measure::Complaints => Count::Complaint,
        }),
        // Bounces without a volume tell nothing.
        volume: tally.volume().unwrap_or_default(),
    }
}

/// What ought to be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The sending of this configuration set.
    PauseConfigurationSet(String),
    /// The sending of this tenant.
    SuspendTenant(String),
    /// The authorization of this account to send from this identity.
    WithdrawPolicy {
        /// The identity, as SES names it.
        identity: String,
        /// The delegate.
        delegate: AccountId,
    },
}

/// What ought to be done at the act line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What can be tried.
    pub acts: Vec<Wish>,
    /// What was asked for and cannot be, with the reason.
    pub left: Vec<String>,
}

/// What ought to be done about a sender that crossed the act line, seen from the account `own`.
#[must_use]
pub fn wishes(rates: &SenderRates, lines: &Lines, crossing: &WatchState, own: &AccountId) -> Wishes {
    let mut wishes = Wishes::default();
    if crossing.level != Level::Act {
        return wishes;
    }
    let sends_here = rates.sender.account == own.as_str();
    for kind in &lines.acts {
        match kind {
            ActKind::PauseConfigurationSet | ActKind::SuspendTenant if !sends_here => {
                wishes.left.push(format!(
                    "{}: it belongs to the sending account, which is not this one",
                    kind.as_str()
                ));
            }
            ActKind::PauseConfigurationSet => {
                let names = culprits(rates, lines, crossing.measure, |line| line.configuration_set.as_deref());
                wishes.add(*kind, names, Wish::PauseConfigurationSet);
            }
            ActKind::SuspendTenant => {
                let names = culprits(rates, lines, crossing.measure, |line| line.tenant.as_deref());
                wishes.add(*kind, names, Wish::SuspendTenant);
            }
            ActKind::WithdrawPolicy => wishes.withdraw(rates, own),
        }
    }
    wishes
}

impl Wishes {
    fn add(&mut self, kind: ActKind, names: Vec<String>, wish: impl Fn(String) -> Wish) {
        if names.is_empty() {
            self.left
                .push(format!("{}: the figures point to no single one", kind.as_str()));
        }
        self.acts.extend(names.into_iter().map(wish));
    }

    fn withdraw(&mut self, rates: &SenderRates, own: &AccountId) {
        let sender = &rates.sender;
        let delegate = sender
            .account
            .parse::<AccountId>()
            .ok()
            .filter(|account| account != own);
        let reason = match delegate {
            _ if sender.owner != own.as_str() => "the identity belongs to another account",
            None => "the identity's owner sends itself",
            Some(delegate) => {
                self.acts.push(Wish::WithdrawPolicy {
                    identity: sender.identity.clone(),
                    delegate,
                });
                return;
            }
        };
        self.left
            .push(format!("{}: {reason}", ActKind::WithdrawPolicy.as_str()));
    }
}

/// The configuration sets or tenants that are on the act line themselves; else the one behind more than half of the
/// bounces or complaints. Whoever did no harm is left alone.
fn culprits(rates: &SenderRates, lines: &Lines, measure: Measure, name: impl Fn(&Line) -> Option<&str>) -> Vec<String> {
    let mut tallies: Vec<(&str, Figures)> = Vec::new();
    let mut all = 0;
    for (line, tally) in &rates.day_by_line {
        let one = figures(tally, measure);
        all += one.count;
        let Some(name) = name(line) else { continue };
        match tallies.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => {
                sum.count += one.count;
                sum.volume += one.volume;
            }
            None => tallies.push((name, one)),
        }
    }
    let threshold = threshold(lines, measure);
    let worst = |(_, one): &&(&str, Figures)| level(*one, Window::Day, threshold) == Level::Act;
    let mut names: Vec<String> = tallies
        .iter()
        .filter(worst)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    if names.is_empty() {
        let most = tallies.iter().filter(|(_, one)| one.count * 2 > all);
        names.extend(most.map(|(name, _)| (*name).to_owned()));
    }
    names
}

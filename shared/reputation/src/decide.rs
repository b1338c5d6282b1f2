//! From rates, lines and the state before to the state after. Pure.

use jiff::{SignedDuration, Timestamp};
use notification_model::AccountId;
use store::{
    EnforcementKind, EventCounts, EventKind, Figures, Level, Measure, ReputationState, SenderRates, SendingStream,
    Threshold, Thresholds, Window,
};

/// How long an invocation may take to tell the parties before another one tells them.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(5);

/// A state to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The new state, with the version of the one it replaces.
    pub state: ReputationState,
    /// Whether the parties have to be told, by whoever succeeds in writing it.
    pub tell: bool,
}

/// What changes for a sender at the time `now`; nothing, mostly.
#[must_use]
pub fn decide(rates: &SenderRates, lines: &Thresholds, before: &[ReputationState], now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for window in Window::ALL {
        for measure in Measure::ALL {
            let known = before
                .iter()
                .find(|state| (state.window, state.measure) == (*window, *measure));
            let state = known
                .cloned()
                .unwrap_or_else(|| ReputationState::unknown(*window, *measure));
            let figures = figures(tally_of(rates, *window), *measure);
            let stands = level(figures, *window, threshold(lines, *measure));
            steps.extend(step(&state, stands, figures, now));
        }
    }
    steps
}

fn step(before: &ReputationState, stands: Level, figures: Figures, now: Timestamp) -> Option<Step> {
    let told = |level: Level| {
        let state = ReputationState {
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
        let state = ReputationState {
            below_since,
            ..before.clone()
        };
        Some(Step { state, tell: false })
    };
    if stands > before.level {
        return told(stands);
    }
    if before.level != Level::Normal {
        match (stands, before.below_since) {
            (Level::Normal, None) => return noted(Some(now)),
            (Level::Normal, Some(since)) if now.duration_since(since) >= span(before.window) => {
                return told(Level::Normal);
            }
            (Level::Warn | Level::Enforce, Some(_)) => return noted(None),
            _ => {}
        }
    }
    let abandoned = before.claimed_at.is_some_and(|at| now.duration_since(at) >= CLAIM);
    abandoned.then(|| Step {
        state: ReputationState {
            claimed_at: Some(now),
            ..before.clone()
        },
        tell: true,
    })
}

fn level(figures: Figures, window: Window, threshold: &Threshold) -> Level {
    let enough = match window {
        Window::Hour => threshold.min_hour_recipients,
        Window::Day => threshold.min_day_recipients,
    };
    // Without the lower bound of one, no mail at all would be on every line.
    if figures.volume < enough.max(1) || figures.count < threshold.min_events.max(1) {
        Level::Normal
    } else if threshold.enforce.is_reached_by(figures) {
        Level::Enforce
    } else if threshold.warn.is_reached_by(figures) {
        Level::Warn
    } else {
        Level::Normal
    }
}

pub(crate) fn span(window: Window) -> SignedDuration {
    match window {
        Window::Hour => SignedDuration::from_hours(1),
        Window::Day => SignedDuration::from_hours(24),
    }
}

fn tally_of(rates: &SenderRates, window: Window) -> &EventCounts {
    match window {
        Window::Hour => &rates.hour,
        Window::Day => &rates.day,
    }
}

pub(crate) fn threshold(lines: &Thresholds, measure: Measure) -> &Threshold {
    match measure {
        Measure::Bounces => &lines.bounces,
        Measure::Complaints => &lines.complaints,
    }
}

fn figures(tally: &EventCounts, measure: Measure) -> Figures {
    Figures {
        count: tally.get(match measure {
            Measure::Bounces => EventKind::Hard,
            Measure::Complaints => EventKind::Complaint,
        }),
        // Bounces without a volume tell nothing.
        volume: tally.volume().unwrap_or_default(),
    }
}

/// What ought to be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnforcementRequest {
    /// The sending of this configuration set.
    PauseConfigurationSet(String),
    /// The sending of this tenant.
    DisableTenant(String),
    /// The authorization of this account to send from this identity.
    RevokeAuthorization {
        /// The identity, as SES names it.
        identity: String,
        /// The delegate.
        delegate: AccountId,
    },
}

/// What ought to be done at the act line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnforcementRequests {
    /// What can be tried.
    pub enforcements: Vec<EnforcementRequest>,
    /// What was asked for and cannot be, with the reason.
    pub left: Vec<String>,
}

/// What ought to be done about a sender that crossed the act line, seen from the account `own`.
#[must_use]
pub fn enforcement_requests(
    rates: &SenderRates,
    lines: &Thresholds,
    crossing: &ReputationState,
    own: &AccountId,
) -> EnforcementRequests {
    let mut enforcement_requests = EnforcementRequests::default();
    if crossing.level != Level::Enforce {
        return enforcement_requests;
    }
    let sends_here = rates.sender.account == own.as_str();
    for kind in &lines.enforcements {
        match kind {
            EnforcementKind::PauseConfigurationSet | EnforcementKind::DisableTenant if !sends_here => {
                enforcement_requests.left.push(format!(
                    "{}: it belongs to the sending account, which is not this one",
                    kind.as_str()
                ));
            }
            EnforcementKind::PauseConfigurationSet => {
                let names = culprits(rates, lines, crossing.measure, |line| line.configuration_set.as_deref());
                enforcement_requests.add(*kind, names, EnforcementRequest::PauseConfigurationSet);
            }
            EnforcementKind::DisableTenant => {
                let names = culprits(rates, lines, crossing.measure, |line| line.tenant.as_deref());
                enforcement_requests.add(*kind, names, EnforcementRequest::DisableTenant);
            }
            EnforcementKind::RevokeAuthorization => enforcement_requests.withdraw(rates, own),
        }
    }
    enforcement_requests
}

impl EnforcementRequests {
    fn add(&mut self, kind: EnforcementKind, names: Vec<String>, request: impl Fn(String) -> EnforcementRequest) {
        if names.is_empty() {
            self.left
                .push(format!("{}: the figures point to no single one", kind.as_str()));
        }
        self.enforcements.extend(names.into_iter().map(request));
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
                self.enforcements.push(EnforcementRequest::RevokeAuthorization {
                    identity: sender.identity.clone(),
                    delegate,
                });
                return;
            }
        };
        self.left
            .push(format!("{}: {reason}", EnforcementKind::RevokeAuthorization.as_str()));
    }
}

/// The configuration sets or tenants that are on the act line themselves; else the one behind more than half of the
/// bounces or complaints. Whoever did no harm is left alone.
fn culprits(
    rates: &SenderRates,
    lines: &Thresholds,
    measure: Measure,
    name: impl Fn(&SendingStream) -> Option<&str>,
) -> Vec<String> {
    let mut tallies: Vec<(&str, Figures)> = Vec::new();
    let mut all = 0;
    for (line, tally) in &rates.day_by_stream {
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
    let worst = |(_, one): &&(&str, Figures)| level(*one, Window::Day, threshold) == Level::Enforce;
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

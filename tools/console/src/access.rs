//! Who may use the console: one-time sign-in tokens, sessions, and the end after a time without use.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::secret::Secret;

/// The time without a request of a signed-in browser after which the console ends.
pub const IDLE_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How often the console looks whether it is idle.
const IDLE_CHECK: Duration = Duration::from_secs(15);

/// A signed-in browser.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    id: Secret,
    /// The token that every form must have.
    pub(crate) form_token: Secret,
}

/// The access to one running console.
#[derive(Debug)]
pub(crate) struct Access(Mutex<State>);

#[derive(Debug)]
struct State {
    /// None after it was used.
    sign_in_token: Option<Secret>,
    session: Option<Session>,
    /// What the page after a change reports, once.
    notice: Option<String>,
    last_use: LastUse,
}

/// The time of the last use, by both clocks: a computer that sleeps stops the first, and setting the time moves the second.
#[derive(Debug, Clone, Copy)]
struct LastUse {
    instant: Instant,
    time: Timestamp,
}

impl LastUse {
    fn now() -> Self {
        Self {
            instant: Instant::now(),
            time: Timestamp::now(),
        }
    }

    fn is_over(self, now: Self) -> bool {
        let limit = SignedDuration::try_from(IDLE_LIMIT).unwrap_or(SignedDuration::MAX);
        now.instant.duration_since(self.instant) >= IDLE_LIMIT || now.time.duration_since(self.time) >= limit
    }
}

impl Access {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            sign_in_token: None,
            session: None,
            notice: None,
            last_use: LastUse::now(),
        }))
    }

    /// Creates a sign-in token, which works once. An unused one before it no longer works.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub(crate) fn new_sign_in_token(&self) -> Result<Secret, getrandom::Error> {
        let token = Secret::random()?;
        self.state().sign_in_token = Some(token.clone());
        Ok(token)
    }

    /// Exchanges a sign-in token for a session, whose id is returned for the cookie. The session before it ends. None: the
    /// token is wrong or was used.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub(crate) fn sign_in(&self, token: &str) -> Result<Option<Secret>, getrandom::Error> {
        let session = Session {
            id: Secret::random()?,
            form_token: Secret::random()?,
        };
        let mut state = self.state();
        if !state
            .sign_in_token
            .as_ref()
            .is_some_and(|expected| expected.matches(token))
        {
            return Ok(None);
        }
        let id = session.id.clone();
        state.sign_in_token = None;
        state.session = Some(session);
        state.last_use = LastUse::now();
        Ok(Some(id))
    }

    /// Returns the session of a cookie, and counts as use.
    pub(crate) fn session(&self, cookie: &str) -> Option<Session> {
        let mut state = self.state();
        let now = LastUse::now();
        if state.last_use.is_over(now) {
            state.session = None;
        }
        let session = state.session.clone().filter(|session| session.id.matches(cookie))?;
        state.last_use = now;
        Some(session)
    }

    /// Ends the session.
    pub(crate) fn sign_out(&self) {
        self.state().session = None;
    }

    /// Sets what the next page reports.
    pub(crate) fn set_notice(&self, notice: String) {
        self.state().notice = Some(notice);
    }

    pub(crate) fn take_notice(&self) -> Option<String> {
        self.state().notice.take()
    }

    /// Returns when nobody has used the console for [`IDLE_LIMIT`].
    pub(crate) async fn idle(&self) {
        while !self.state().last_use.is_over(LastUse::now()) {
            tokio::time::sleep(IDLE_CHECK).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{IDLE_LIMIT, LastUse};
    use jiff::SignedDuration;

    #[test]
    fn a_computer_that_slept_was_idle() {
        let used = LastUse::now();
        let mut now = used;
        assert!(!used.is_over(now));
        now.time = used.time + SignedDuration::from_mins(30);
        assert!(
            used.is_over(now),
            "the time of day moved, as it does while a computer sleeps"
        );
        now.time = used.time - SignedDuration::from_hours(1);
        now.instant += IDLE_LIMIT;
        assert!(used.is_over(now), "the time of day was set back");
    }
}

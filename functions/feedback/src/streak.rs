//! Streaks: bounces of a series without a delivery between them, which suppress the recipient. An unconfirmed hard bounce
//! is a streak of one message.

use jiff::Timestamp;
use store::SeriesBounce;

use crate::policy::StreakPolicy;

/// A completed streak and the suppression that results from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streak {
    /// When the last bounce of the streak happened.
    pub at: Timestamp,
    /// The SES message id of that bounce.
    pub message_id: String,
    /// What is known of that bounce.
    pub detail: String,
    /// The number of messages that bounced.
    pub messages: usize,
    /// 1 for the first suppression since the last delivery, 2 for the second, ...
    pub level: usize,
    /// When the suppression ends. `None`: never.
    pub until: Option<Timestamp>,
}

/// Returns the newest suppression that results from the bounces since the last delivery, whether active or expired.
///
/// `bounces` are in ascending order. Bounces during a suppression do not count, because the messages were already on their
/// way. After a suppression a new streak starts from zero, and its suppression lasts longer.
#[must_use]
pub fn evaluate(bounces: &[SeriesBounce], policy: &StreakPolicy) -> Option<Streak> {
    let mut newest: Option<Streak> = None;
    let mut run: Vec<&SeriesBounce> = Vec::new();
    for bounce in bounces {
        match newest.as_ref().map(|streak| streak.until) {
            Some(None) => break,
            Some(Some(until)) if bounce.at <= until => continue,
            _ => {}
        }
        if run.iter().any(|earlier| earlier.message_id == bounce.message_id) {
            continue;
        }
        run.push(bounce);
        // A mailbox in use is full occasionally, so old bounces do not count.
        run.retain(|earlier| bounce.at.duration_since(earlier.at) <= policy.window);
        let long_enough = run
            .first()
            .is_some_and(|first| bounce.at.duration_since(first.at) >= policy.span);
        if run.len() >= policy.messages && long_enough {
            let level = newest.as_ref().map_or(0, |streak| streak.level) + 1;
            let period = policy.periods.get(level - 1).or(policy.periods.last());
            newest = Some(Streak {
                at: bounce.at,
                message_id: bounce.message_id.clone(),
                detail: bounce.detail.clone(),
                messages: run.len(),
                level,
                until: period.and_then(|period| period.end(bounce.at)),
            });
            run.clear();
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use store::SeriesBounce;

    use super::evaluate;
    use crate::policy::Policy;

    /// One soft bounce of a message of its own for each number of hours after 2026-01-01.
    fn bounces(hours: &[i64]) -> Vec<SeriesBounce> {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let bounce = |hour: &i64| SeriesBounce {
            at: start + SignedDuration::from_hours(*hour),
            message_id: hour.to_string(),
            detail: String::new(),
        };
        hours.iter().map(bounce).collect()
    }

    /// The level and the full days of the suppression.
    fn outcome(hours: &[i64]) -> Option<(usize, Option<i64>)> {
        let streak = evaluate(&bounces(hours), &Policy::default().streak)?;
        Some((
            streak.level,
            streak
                .until
                .map(|until| until.duration_since(streak.at).as_hours() / 24),
        ))
    }

    #[test]
    fn five_messages_over_three_days_suppress() {
        assert_eq!(outcome(&[0, 24, 48, 60]), None, "four are not enough");
        assert_eq!(outcome(&[0, 1, 2, 3, 4, 5, 6]), None, "a single day is not enough");
        assert_eq!(outcome(&[0, 1, 2, 3, 71]), None, "72 hours, not 71");
        assert_eq!(outcome(&[0, 1, 2, 3, 72]), Some((1, Some(30))));
        assert_eq!(outcome(&[0, 1, 2, 3, 4, 5, 80]), Some((1, Some(30))));
    }

    #[test]
    fn each_further_streak_suppresses_for_longer() {
        let day = 24;
        let first = [0, 24, 48, 60, 72];
        let during = [4 * day, 10 * day, 20 * day, 30 * day];
        let second = [40 * day, 41 * day, 42 * day, 43 * day, 44 * day];
        let third = [140 * day, 141 * day, 142 * day, 143 * day, 144 * day, 500 * day];
        let all = |parts: &[&[i64]]| parts.concat();
        assert_eq!(outcome(&all(&[&first, &during])), Some((1, Some(30))));
        assert_eq!(outcome(&all(&[&first, &during, &second])), Some((2, Some(90))));
        assert_eq!(outcome(&all(&[&first, &during, &second, &third])), Some((3, None)));
    }

    #[test]
    fn soft_bounces_outside_the_window_do_not_count() {
        let year = 365 * 24;
        assert_eq!(outcome(&[0, year, 2 * year, 3 * year, 4 * year, 5 * year]), None);
        assert_eq!(
            outcome(&[0, year, year + 24, year + 48, year + 72]),
            None,
            "the first is too old"
        );
        assert_eq!(
            outcome(&[0, year, year + 24, year + 48, year + 72, year + 96]),
            Some((1, Some(30)))
        );
    }

    #[test]
    fn a_message_that_bounces_repeatedly_counts_once() {
        let mut same = bounces(&[0, 24, 48, 60, 72]);
        for bounce in &mut same {
            bounce.message_id = "one".to_owned();
        }
        assert_eq!(evaluate(&same, &Policy::default().streak), None);
    }

    #[test]
    fn each_unconfirmed_bounce_suppresses_for_longer() {
        let day = 24;
        let outcome = |hours: &[i64]| {
            let streak = evaluate(&bounces(hours), &Policy::default().unconfirmed).unwrap();
            (streak.message_id, streak.level, streak.until.is_none())
        };
        assert_eq!(outcome(&[0]), ("0".to_owned(), 1, false));
        assert_eq!(
            outcome(&[0, 30 * day]),
            ("0".to_owned(), 1, false),
            "already on its way"
        );
        assert_eq!(outcome(&[0, 31 * day]), ((31 * day).to_string(), 2, false));
        assert_eq!(outcome(&[0, 31 * day, 400 * day]), ((400 * day).to_string(), 3, true));
    }
}

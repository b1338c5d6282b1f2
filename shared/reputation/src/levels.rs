//! The level that the figures of a sender reach. Pure.

use jiff::SignedDuration;
use store::{EventCounts, EventKind, Figures, Level, Measure, Threshold, Thresholds, Window};

/// The level that these figures reach within the window.
pub(crate) fn level(figures: Figures, window: Window, threshold: &Threshold) -> Level {
    let min_recipients = match window {
        Window::Hour => threshold.min_hour_recipients,
        Window::Day => threshold.min_day_recipients,
    };
    // At least 1, because without any mail every rate would be reached.
    if figures.volume < min_recipients.max(1) || figures.count < threshold.min_events.max(1) {
        Level::Normal
    } else if threshold.enforce.is_reached_by(figures) {
        Level::Enforce
    } else if threshold.warn.is_reached_by(figures) {
        Level::Warn
    } else {
        Level::Normal
    }
}

/// The figures of a measure. Without a volume a count says nothing, so the volume is 0.
pub(crate) fn figures(counts: &EventCounts, measure: Measure) -> Figures {
    let kind = match measure {
        Measure::Bounces => EventKind::Hard,
        Measure::Complaints => EventKind::Complaint,
    };
    Figures {
        count: counts.get(kind),
        volume: counts.volume().unwrap_or_default(),
    }
}

/// The threshold of a measure.
pub(crate) fn threshold(thresholds: &Thresholds, measure: Measure) -> &Threshold {
    match measure {
        Measure::Bounces => &thresholds.bounces,
        Measure::Complaints => &thresholds.complaints,
    }
}

/// The length of a window.
pub(crate) fn window_length(window: Window) -> SignedDuration {
    match window {
        Window::Hour => SignedDuration::from_hours(1),
        Window::Day => SignedDuration::from_hours(24),
    }
}

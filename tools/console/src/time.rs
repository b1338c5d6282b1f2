//! Times on pages.

use jiff::Timestamp;
use maud::{Markup, html};

/// A time in UTC, to the second.
pub(crate) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) { (at.strftime("%Y-%m-%d %H:%M:%S")) } }
}

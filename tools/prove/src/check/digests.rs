//! The digests that SES sent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::stored::string;
use crate::aws::{SentMail, check_sent_once};

/// Every digest item is in a mail that contains all items of its window, and no digest was sent twice without need.
///
/// # Errors
/// The digest that was not sent completely, or too often.
pub fn check_digests(items: &[Value], mails: &[SentMail]) -> Result<(), String> {
    let mut expected: BTreeMap<(String, Timestamp), usize> = BTreeMap::new();
    for item in items {
        if let Some(address) = string(item, "pk").strip_prefix("DIGEST#")
            && let Some((window, _)) = string(item, "sk").split_once('#')
        {
            let window = window.parse().expect("a time");
            *expected.entry((address.to_owned(), window)).or_default() += 1;
        }
    }
    for ((address, window), number) in expected {
        let period = format!("{} to ", window.strftime("%Y-%m-%d %H:%M"));
        let sent: Vec<usize> = mails
            .iter()
            .filter(|mail| mail.to == address && first_line(&mail.text).contains(&period))
            .map(|mail| items_in(&mail.text))
            .collect();
        if !sent.contains(&number) {
            return Err(format!(
                "{address}: the digest of {window} has {number} items, mails with {sent:?} items were sent"
            ));
        }
    }
    let claim = SignedDuration::from_mins(16);
    check_sent_once(mails, claim, |mail| {
        (mail.to.clone(), first_line(&mail.text).to_owned())
    })
}

/// The line that names the period of a digest.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The number of items in a digest: one per line of the list, and the items that a line summarises (`and 3 more`).
fn items_in(text: &str) -> usize {
    let summarised = |line: &str| -> Option<usize> {
        let number = line.strip_prefix("  and ")?.strip_suffix(" more")?;
        number.parse().ok()
    };
    text.lines()
        .map(|line| summarised(line).unwrap_or(usize::from(line.starts_with("- "))))
        .sum()
}

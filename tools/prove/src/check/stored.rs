//! The table's items, read as `ARCHITECTURE.md` describes them and without the store's code.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Entries, EntryState};
use crate::scenario::EventKind;

/// The content of the table.
#[derive(Debug, Default)]
pub(super) struct StoredState {
    /// Suppression entries by address.
    pub(super) entries: BTreeMap<String, Entries>,
    /// Statistics with an item per event. By sender and kind: the recipients of each message.
    pub(super) events: BTreeMap<(String, EventKind), BTreeMap<String, BTreeSet<String>>>,
    /// Statistics with an item per batch. By sender and kind: the hashes of message and recipient.
    pub(super) batched: BTreeMap<(String, EventKind), BTreeSet<[u8; 8]>>,
    /// By sender and hour: whether an item is listed, so that the sender is found by the hour.
    pub(super) listed: BTreeMap<(String, String), bool>,
    /// Number of history items by recipient, message id and scope.
    pub(super) history: BTreeMap<(String, String, String), usize>,
    /// Digest items by address: text and idempotency key.
    pub(super) digest_items: BTreeMap<String, Vec<(String, String)>>,
}

/// A string attribute; empty if it is missing.
pub(super) fn string<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

impl StoredState {
    pub(super) fn read(items: &[Value]) -> Self {
        let mut stored = Self::default();
        for item in items {
            let (pk, sk) = (string(item, "pk"), string(item, "sk"));
            if let Some(address) = pk.strip_prefix("RECIPIENT#") {
                stored.read_recipient(address, sk, item);
            } else if let Some(sender) = pk.strip_prefix("SENDER#") {
                stored.read_statistics(sender, sk, item);
            } else if let Some(address) = pk.strip_prefix("DIGEST#")
                && let Some((_, key)) = sk.split_once('#')
            {
                let digest_item = (string(item, "item").to_owned(), key.to_owned());
                stored
                    .digest_items
                    .entry(address.to_owned())
                    .or_default()
                    .push(digest_item);
            }
        }
        stored
    }

    fn read_recipient(&mut self, address: &str, sk: &str, item: &Value) {
        if sk == "SUPPRESSION" {
            self.entries.insert(address.to_owned(), read_entries(item));
        } else if !matches!(string(item, "kind"), "streak" | "recovered") {
            // Items about streaks depend on the order of events.
            let key = (
                address.to_owned(),
                string(item, "id").to_owned(),
                string(item, "scope").to_owned(),
            );
            *self.history.entry(key).or_default() += 1;
        }
    }

    fn read_statistics(&mut self, sender: &str, sk: &str, item: &Value) {
        let parts: Vec<&str> = sk.split('#').collect();
        match parts.as_slice() {
            [_, "batch", _] => self.read_batch(sender, item),
            [_, kind, message, recipient] => {
                let kind = match *kind {
                    "hard" => EventKind::Hard,
                    "soft" => EventKind::Soft,
                    "complaint" => EventKind::Complaint,
                    other => panic!("unknown event kind: {other}"),
                };
                let messages = self.events.entry((sender.to_owned(), kind)).or_default();
                let recipients = messages.entry((*message).to_owned()).or_default();
                recipients.insert((*recipient).to_owned());
            }
            _ => panic!("unknown statistics item: {sk}"),
        }
        let hour: String = sk.chars().take("2026-01-02T03".len()).collect();
        let is_listed =
            string(item, "listKey") == format!("HOUR#{hour}") && string(item, "listSort") == string(item, "pk");
        *self.listed.entry((sender.to_owned(), hour)).or_default() |= is_listed;
    }

    fn read_batch(&mut self, sender: &str, item: &Value) {
        for name in ["send", "delivery", "reject", "renderingFailure", "delay"] {
            let packed = item[name]["B"].as_str().unwrap_or_default();
            let packed = aws_smithy_types::base64::decode(packed).expect("base64");
            if !packed.is_empty() {
                let key = (sender.to_owned(), EventKind::Batched(name));
                let ids = packed.as_chunks::<8>().0.iter().copied();
                self.batched.entry(key).or_default().extend(ids);
            }
        }
    }
}

fn read_entries(item: &Value) -> Entries {
    let mut entries = Entries::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        let (Some((scope, source)), Some(map)) = (name.split_once('|'), value.get("M")) else {
            continue;
        };
        let until = map["until"]["N"].as_str().and_then(|text| text.parse().ok());
        let entry = EntryState {
            at: string(map, "at").parse().expect("a time"),
            id: string(map, "id").to_owned(),
            blocked: map["blocked"]["BOOL"] == true,
            until: until.map(|seconds| Timestamp::from_second(seconds).expect("a time")),
        };
        entries.insert((scope.to_owned(), source.to_owned()), entry);
    }
    entries
}

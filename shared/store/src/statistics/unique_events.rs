//! Counts unique events in rows that may repeat them.

use std::collections::BTreeMap;

use super::counts::{EventCounts, EventKind};
use super::events::CLAIM;
use super::sender::SendingStream;
use crate::item::{Item, bytes, hash, text};

/// An event as its rows describe it.
struct UniqueEvent {
    /// The most specific sending stream.
    stream: SendingStream,
    /// Whether every row is a claim.
    is_claim: bool,
}

/// Unique event ids.
#[derive(Default)]
pub(super) struct UniqueEvents {
    events: BTreeMap<(EventKind, u64), UniqueEvent>,
}

impl UniqueEvents {
    pub(super) fn add(&mut self, row: &Item) {
        let stream = SendingStream::read(row);
        let mut add = |kind: EventKind, id: u64, is_claim: bool| {
            let event = self.events.entry((kind, id)).or_insert_with(|| UniqueEvent {
                stream: SendingStream::default(),
                is_claim,
            });
            event.is_claim &= is_claim;
            if stream > event.stream {
                event.stream.clone_from(&stream);
            }
        };
        for kind in EventKind::BATCHED {
            for id in bytes(row, kind.as_str()).as_chunks::<8>().0 {
                add(kind, u64::from_be_bytes(*id), false);
            }
        }
        let sk = text(row, "sk").unwrap_or_default();
        if let Some((_, event)) = sk.split_once('#')
            && let Some((name, id)) = event.split_once('#')
            && let Some(kind) = EventKind::read(name)
        {
            match id.strip_suffix(CLAIM) {
                Some(id) => add(kind, hash(&[id]), true),
                None => add(kind, hash(&[id]), false),
            }
        }
    }

    pub(super) fn total(&self) -> EventCounts {
        let mut counts = EventCounts::default();
        for ((kind, _), event) in &self.events {
            counts.add(*kind, event.is_claim);
        }
        counts
    }

    pub(super) fn by_stream(&self) -> BTreeMap<SendingStream, EventCounts> {
        let mut streams: BTreeMap<SendingStream, EventCounts> = BTreeMap::new();
        for ((kind, _), event) in &self.events {
            let counts = streams.entry(event.stream.clone()).or_default();
            counts.add(*kind, event.is_claim);
        }
        streams
    }
}

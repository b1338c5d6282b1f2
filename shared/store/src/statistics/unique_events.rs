//! Counts unique events in rows that may repeat them.

use std::collections::BTreeMap;

use super::counts::{EventCounts, EventKind};
use super::sender::SendingStream;
use crate::item::{Item, bytes, hash, text};

/// Unique event ids, each attributed to the most specific sending stream reported for it.
#[derive(Default)]
pub(super) struct UniqueEvents {
    ids: BTreeMap<(EventKind, u64), SendingStream>,
}

impl UniqueEvents {
    pub(super) fn add(&mut self, row: &Item) {
        let stream = SendingStream::read(row);
        let mut add = |kind: EventKind, id: u64| {
            let attributed = self.ids.entry((kind, id)).or_default();
            if stream > *attributed {
                attributed.clone_from(&stream);
            }
        };
        for kind in EventKind::BATCHED {
            for id in bytes(row, kind.as_str()).as_chunks::<8>().0 {
                add(kind, u64::from_be_bytes(*id));
            }
        }
        let sk = text(row, "sk").unwrap_or_default();
        if let Some((_, event)) = sk.split_once('#')
            && let Some((name, id)) = event.split_once('#')
            && let Some(kind) = EventKind::read(name)
        {
            add(kind, hash(&[id]));
        }
    }

    pub(super) fn total(&self) -> EventCounts {
        let mut counts = EventCounts::default();
        for (kind, _) in self.ids.keys() {
            *counts.counts.entry(*kind).or_default() += 1;
        }
        counts
    }

    pub(super) fn by_stream(&self) -> BTreeMap<SendingStream, EventCounts> {
        let mut streams: BTreeMap<SendingStream, EventCounts> = BTreeMap::new();
        for ((kind, _), stream) in &self.ids {
            *streams
                .entry(stream.clone())
                .or_default()
                .counts
                .entry(*kind)
                .or_default() += 1;
        }
        streams
    }
}

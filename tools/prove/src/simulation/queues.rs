//! The SQS queues of the functions.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

/// `MaxReceiveCount` of the template.
const MAX_RECEIVES: u32 = 5;
/// The visibility timeout.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);

/// A queue that invokes a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Queue {
    Feedback,
    Router,
    Delivery,
    /// No queue: the schedule of the reputation monitor.
    Schedule,
}

impl Queue {
    pub(super) const ALL: [Self; 3] = [Self::Feedback, Self::Router, Self::Delivery];

    pub(super) const fn arn(self) -> &'static str {
        match self {
            Self::Feedback => "arn:aws:sqs:us-east-1:111122223333:postroom-feedback",
            Self::Router => "arn:aws:sqs:us-east-1:111122223333:postroom-router",
            Self::Delivery => "arn:aws:sqs:us-east-1:111122223333:postroom-delivery",
            Self::Schedule => "-",
        }
    }
}

/// A message of a queue.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    /// The index of the publication; `None` in the delivery queue.
    pub(super) publication: Option<usize>,
    pub(super) body: String,
    /// `ApproximateReceiveCount`.
    pub(super) receives: u32,
    /// `SentTimestamp`: the same in every delivery, also after a redrive.
    pub(super) sent_at: Timestamp,
    visible_at: Timestamp,
}

/// Every queue with its dead-letter queue.
#[derive(Debug, Default)]
pub(super) struct Queues {
    waiting: BTreeMap<Queue, Vec<Message>>,
    dead: BTreeMap<Queue, Vec<Message>>,
    /// How many messages were sent to each queue.
    sent: BTreeMap<Queue, usize>,
    acknowledged: BTreeMap<Queue, BTreeSet<String>>,
}

impl Queues {
    pub(super) fn send(
        &mut self,
        queue: Queue,
        publication: Option<usize>,
        body: String,
        (sent_at, visible_at): (Timestamp, Timestamp),
    ) {
        let number = self.sent.entry(queue).or_default();
        *number += 1;
        let message = Message {
            id: format!("{queue:?}-{number}"),
            publication,
            body,
            receives: 0,
            sent_at,
            visible_at,
        };
        self.waiting.entry(queue).or_default().push(message);
    }

    /// The queues that have a visible message.
    pub(super) fn ready(&self, now: Timestamp) -> Vec<Queue> {
        let is_ready = |queue: &Queue| {
            let waiting = self.waiting.get(queue).into_iter().flatten();
            waiting.into_iter().any(|message| message.visible_at <= now)
        };
        Queue::ALL.into_iter().filter(is_ready).collect()
    }

    /// Receives up to `limit` visible messages that `accepts` returns true for, in random order. Also returns the ids of
    /// the messages that move to the dead-letter queue because they were received too often.
    pub(super) fn receive(
        &mut self,
        queue: Queue,
        limit: usize,
        now: Timestamp,
        rng: &mut Rng,
        accepts: impl Fn(&Message) -> bool,
    ) -> (Vec<Message>, Vec<String>) {
        let waiting = self.waiting.entry(queue).or_default();
        rng.shuffle(waiting);
        let (mut batch, mut dead_lettered) = (Vec::new(), Vec::new());
        let mut index = 0;
        while index < waiting.len() && batch.len() < limit {
            if waiting[index].visible_at > now || !accepts(&waiting[index]) {
                index += 1;
                continue;
            }
            let mut message = waiting.swap_remove(index);
            if message.receives == MAX_RECEIVES {
                dead_lettered.push(message.id.clone());
                self.dead.entry(queue).or_default().push(message);
                continue;
            }
            message.receives += 1;
            batch.push(message);
        }
        (batch, dead_lettered)
    }

    /// Deletes a message.
    pub(super) fn acknowledge(&mut self, queue: Queue, message: &Message) {
        self.acknowledged.entry(queue).or_default().insert(message.id.clone());
    }

    /// Makes a received message visible again after the visibility timeout.
    pub(super) fn return_message(&mut self, queue: Queue, mut message: Message, now: Timestamp) {
        message.visible_at = now + VISIBILITY;
        self.waiting.entry(queue).or_default().push(message);
    }

    /// The time at which the next message becomes visible.
    pub(super) fn next_visible_at(&self) -> Option<Timestamp> {
        self.waiting.values().flatten().map(|message| message.visible_at).min()
    }

    /// The messages in a dead-letter queue.
    pub(super) fn dead(&self, queue: Queue) -> impl Iterator<Item = &Message> {
        self.dead.get(&queue).into_iter().flatten()
    }

    /// Moves every dead letter back to its queue. Returns their number.
    pub(super) fn redrive(&mut self, now: Timestamp) -> usize {
        let mut number = 0;
        for (queue, dead) in std::mem::take(&mut self.dead) {
            for mut message in dead {
                number += 1;
                message.receives = 0;
                message.visible_at = now;
                self.waiting.entry(queue).or_default().push(message);
            }
        }
        number
    }

    /// Every message that was sent was acknowledged or is a dead letter.
    pub(super) fn check_nothing_lost(&self) -> Result<(), String> {
        for queue in Queue::ALL {
            let mut accounted_for: BTreeSet<&str> = self.dead(queue).map(|message| message.id.as_str()).collect();
            accounted_for.extend(self.acknowledged.get(&queue).into_iter().flatten().map(String::as_str));
            let sent = self.sent.get(&queue).copied().unwrap_or_default();
            if accounted_for.len() != sent {
                return Err(format!(
                    "{queue:?}: {sent} messages sent, {} acknowledged or dead letters",
                    accounted_for.len()
                ));
            }
        }
        Ok(())
    }
}

//! Combines nouns and predicates into statements: whom does `not found` speak about?
//!
//! A predicate belongs to the nearest noun of its clause, and nouns that stand together are one noun (`domain of sender
//! address @` is about the sender). This covers wordings that no table lists.

use super::BounceReason::*;
use super::Fault;
use super::automaton::{Hit, Pattern};
use super::evidence::Clue;
use super::rank::{Meaning, Rank};
use super::vocabulary::{Noun, Predicate, Side};

/// The longest distance in bytes between a noun and its predicate: `account that you tried to reach does not exist`.
const NOUN_FIRST_DISTANCE: usize = 48;
/// `no such virtual local user`
const NOUN_LAST_DISTANCE: usize = 28;
/// Words after which a new statement starts: `mailbox not found or access denied`.
const CONJUNCTIONS: &[&str] = &["and", "or", "in", "on", "at", "for", "by", "to", "und", "et", "y", "e"];
/// The number of nouns and predicates of a reply that are looked at.
const MOST_WORDS: usize = 96;

/// The nouns and predicates of a reply.
#[derive(Debug, Default)]
pub(super) struct Wording {
    nouns: Vec<(Hit, Noun)>,
    predicates: Vec<(Hit, Predicate, Side)>,
}

impl Wording {
    /// Takes a noun or predicate. Hits arrive in the order in which they end.
    pub(super) fn add(&mut self, hit: Hit) {
        match hit.pattern {
            Pattern::Noun(noun) if self.nouns.len() < MOST_WORDS => {
                // A longer noun replaces the ones inside it: `email address` is one noun.
                self.nouns.retain(|(inner, _)| inner.start < hit.start);
                if self
                    .nouns
                    .last()
                    .is_none_or(|(last, _)| last.end <= hit.start || last.end < hit.end)
                {
                    self.nouns.push((hit, noun));
                }
            }
            Pattern::Predicate(predicate, side) if self.predicates.len() < MOST_WORDS => {
                self.predicates.push((hit, predicate, side));
            }
            _ => {}
        }
    }

    /// The statements of the reply, each with the number of bytes that it covers.
    pub(super) fn statements<'w>(&'w self, words: &'w str) -> impl Iterator<Item = (Meaning, Clue, usize)> + 'w {
        self.predicates.iter().filter_map(move |(hit, predicate, side)| {
            let last = || self.noun_after(words, hit).map(|found| (found, false));
            let first = || self.noun_before(words, hit).map(|found| (found, true));
            let ((index, noun), noun_first) = match side {
                Side::NounFirst => first(),
                Side::NounLast => last(),
                Side::Either => last().filter(|_| self.noun_follows(words, hit)).or_else(first),
            }?;
            let meaning = meaning(noun, *predicate)?;
            let (named, _) = self.nouns.get(index)?;
            let between = words.get(named.end..hit.start).unwrap_or_default();
            let meaning = if between.contains("tempor") {
                passing(meaning)
            } else {
                meaning
            };
            let clue = if noun_first {
                Clue::Words(named.text, hit.text)
            } else {
                Clue::Words(hit.text, named.text)
            };
            Some((meaning, clue, named.end.max(hit.end) - named.start.min(hit.start)))
        })
    }

    /// The nearest noun before a predicate, in the same clause.
    fn noun_before(&self, words: &str, predicate: &Hit) -> Option<(usize, Noun)> {
        let index = self.nouns.iter().rposition(|(noun, _)| noun.end <= predicate.start)?;
        let (noun, _) = self.nouns.get(index)?;
        let between = words.get(noun.end..predicate.start)?;
        let kind = self.kind(words, index);
        // `host mx.example.net [#]: 550 not allowed` is not about the IP address.
        let introduces = matches!(kind, Noun::Ip | Noun::Host) && between.contains(':');
        let is_near = between.len() <= NOUN_FIRST_DISTANCE && !ends_a_clause(between);
        (is_near && !introduces).then_some((index, kind))
    }

    /// The next noun after a predicate, with nothing but letters between them.
    fn noun_after(&self, words: &str, predicate: &Hit) -> Option<(usize, Noun)> {
        let index = self.nouns.iter().position(|(noun, _)| noun.start >= predicate.end)?;
        let (noun, _) = self.nouns.get(index)?;
        let between = words.get(predicate.end..noun.start)?;
        let is_plain = between
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '-' | '_'));
        let is_near = between.len() <= NOUN_LAST_DISTANCE && between.split_whitespace().count() <= 3 && is_plain;
        is_near.then(|| (index, self.kind_forward(words, index)))
    }

    /// Whether the next noun follows directly, at most one word later: `invalid recipient`, `unknown virtual user`.
    fn noun_follows(&self, words: &str, predicate: &Hit) -> bool {
        let next = self.nouns.iter().find(|(noun, _)| noun.start >= predicate.end);
        let between = next
            .and_then(|(noun, _)| words.get(predicate.end..noun.start))
            .unwrap_or_default();
        between.split_whitespace().count() <= 1 && !CONJUNCTIONS.contains(&between.trim())
    }

    /// The kind of a noun with the nouns before it that stand together with it.
    fn kind(&self, words: &str, index: usize) -> Noun {
        let mut at = index;
        let mut kind = self.nouns.get(at).map_or(Noun::Other, |(_, noun)| *noun);
        while let Some(previous) = at.checked_sub(1)
            && self.stand_together(words, previous)
        {
            kind = self.nouns.get(previous).map_or(kind, |(_, noun)| combined(*noun, kind));
            at = previous;
        }
        kind
    }

    /// The same for the nouns after it.
    fn kind_forward(&self, words: &str, index: usize) -> Noun {
        let mut at = index;
        let mut kind = self.kind(words, index);
        while self.stand_together(words, at) {
            at += 1;
            kind = self.nouns.get(at).map_or(kind, |(_, noun)| combined(kind, *noun));
        }
        kind
    }

    /// Whether the noun at `index` and the next one are one noun: `recipient address`, `domain of the sender`.
    fn stand_together(&self, words: &str, index: usize) -> bool {
        const LINKS: &[&str] = &[
            "of", "the", "for", "your", "s", "in", "this", "de", "del", "du", "des", "der", "di", "la", "le", "les",
            "el", "da", "do", "della", "dell", "van", "den", "het", "name",
        ];
        let (Some((first, _)), Some((second, _))) = (self.nouns.get(index), self.nouns.get(index + 1)) else {
            return false;
        };
        let between = words.get(first.end..second.start).unwrap_or_default();
        between
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '-'))
            && between
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .all(|word| LINKS.contains(&word))
    }
}

/// The kind of two nouns that stand together.
const fn combined(first: Noun, second: Noun) -> Noun {
    match (first, second) {
        (Noun::Sender, _) | (_, Noun::Sender) => Noun::Sender,
        (Noun::Authentication, _) | (_, Noun::Authentication) => Noun::Authentication,
        (Noun::Host, _) | (_, Noun::Host) => Noun::Host,
        (Noun::Ip, _) | (_, Noun::Ip) => Noun::Ip,
        (_, Noun::Storage) | (Noun::Storage, _) => Noun::Storage,
        (_, Noun::Domain) | (Noun::Domain, Noun::Address) => Noun::Domain,
        (Noun::Recipient, Noun::Other | Noun::Message) => second,
        (Noun::Recipient, _) | (_, Noun::Recipient) => Noun::Recipient,
        (Noun::Message | Noun::Email, Noun::Address) | (Noun::Address, Noun::Message | Noun::Email) => Noun::Address,
        (first, Noun::Email) => first,
        (_, second) => second,
    }
}

fn ends_a_clause(between: &str) -> bool {
    between.contains([';', '!', '?', '(']) || between.contains(", ") || between.contains(" - ") || {
        let bytes = between.as_bytes();
        bytes
            .windows(3)
            .any(|part| matches!(part, [before, b'.', b' '] if *before != b'.'))
    }
}

/// `account is temporarily disabled`
const fn passing(meaning: Meaning) -> Meaning {
    match meaning.fault {
        Fault::Address => Meaning::new(Rank::Mechanism, Fault::Passing, meaning.reason),
        Fault::Passing | Fault::Sender | Fault::Unclear => meaning,
    }
}

/// What a predicate says about a noun.
fn meaning(noun: Noun, predicate: Predicate) -> Option<Meaning> {
    let named = |fault, reason| Some(Meaning::new(Rank::Named, fault, reason));
    match (predicate, noun) {
        (Predicate::Absent, Noun::Recipient | Noun::Address | Noun::Email) => named(Fault::Address, UserUnknown),
        (Predicate::Absent, Noun::Domain) => named(Fault::Address, HostUnknown),
        (Predicate::Absent | Predicate::Disabled | Predicate::Blocked, Noun::Sender) => named(Fault::Sender, Rejected),
        (Predicate::Disabled, Noun::Recipient | Noun::Address | Noun::Email) => named(Fault::Address, Suspended),
        (Predicate::Disabled, Noun::Domain) => named(Fault::Address, HostUnknown),
        (Predicate::Full, Noun::Recipient | Noun::Address | Noun::Storage) | (Predicate::Exceeded, Noun::Storage) => {
            Some(Meaning::new(Rank::Mechanism, Fault::Passing, MailboxFull))
        }
        (Predicate::Blocked, Noun::Host | Noun::Ip) => named(Fault::Sender, Blocked),
        (Predicate::Absent | Predicate::Failed, Noun::Host) => named(Fault::Sender, RequirePtr),
        (Predicate::Blocked, Noun::Message | Noun::Email) => {
            Some(Meaning::new(Rank::Refusal, Fault::Sender, PolicyViolation))
        }
        (Predicate::Failed | Predicate::Absent | Predicate::Blocked, Noun::Authentication) => {
            Some(Meaning::new(Rank::Mechanism, Fault::Sender, AuthFailure))
        }
        _ => None,
    }
}

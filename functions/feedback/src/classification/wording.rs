//! Combines nouns and predicates into statements: whom does `not found` speak about?
//!
//! A predicate belongs to the nearest noun of its clause, and nouns that stand together are one noun (`domain of sender
//! address @` is about the sender). This covers wordings that no table lists.

use super::automaton::{Hit, Pattern};
use super::evidence::Clue;
use super::rank::{Meaning, Rank};
use super::reason::BounceReason::*;
use super::reason::Fault;
use super::vocabulary::{Noun, Predicate, Side};

/// The longest distance in bytes between a noun and its predicate: `account that you tried to reach does not exist`.
const NOUN_FIRST_DISTANCE: usize = 48;
/// `no such virtual local user`
const NOUN_LAST_DISTANCE: usize = 28;
/// Words after which a new statement starts: `mailbox not found or access denied`.
const CONJUNCTIONS: &[&str] = &["and", "or", "in", "on", "at", "for", "by", "to", "und", "et", "y", "e"];
/// Words that make a noun the object of something else: `your message to @`.
const PREPOSITIONS: &[&str] = &["to", "for", "from", "pour", "para", "fur", "fuer"];
/// The most words between a predicate and the noun after it.
const NOUN_LAST_WORDS: usize = 3;
/// The maximum number of nouns, and of predicates, that are kept for a reply. Later ones are ignored.
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
            Pattern::Ignored => self.predicates.retain(|(inner, ..)| inner.start < hit.start),
            _ => {}
        }
    }

    /// The statements of the reply, each with the number of bytes that it covers.
    pub(super) fn statements<'w>(&'w self, words: &'w str) -> impl Iterator<Item = (Meaning, Clue, usize)> + 'w {
        self.predicates.iter().filter_map(move |(hit, predicate, side)| {
            let subject = match side {
                Side::NounFirst => self.noun_before(words, hit),
                Side::NounLast => self.noun_after(words, hit, NOUN_LAST_WORDS),
                Side::Either => self.nearest_noun(words, hit),
            }?;
            let meaning = meaning(subject.kind, *predicate)?;
            let (first, last) = if subject.hit.start < hit.start {
                (&subject.hit, hit)
            } else {
                (hit, &subject.hit)
            };
            let between = words.get(first.end..last.start).unwrap_or_default();
            let clue = Clue::Words {
                first: first.text,
                last: last.text,
                apart: !between.trim().is_empty(),
            };
            let meaning = if between.contains("tempor") {
                passing(meaning)
            } else {
                meaning
            };
            Some((meaning, clue, last.end.saturating_sub(first.start)))
        })
    }

    /// The noun of a predicate that has it on either side. `usuario inexistente neste dominio` is about the user.
    fn nearest_noun(&self, words: &str, predicate: &Hit) -> Option<Subject> {
        let before = self.noun_before(words, predicate);
        let stands_beside = |before: &Subject| {
            let between = words.get(before.hit.end..predicate.start).unwrap_or_default();
            between.chars().all(char::is_whitespace)
        };
        let most = usize::from(!before.as_ref().is_some_and(stands_beside));
        self.noun_after(words, predicate, most).or(before)
    }

    /// The nearest noun before a predicate, in the same clause.
    fn noun_before(&self, words: &str, predicate: &Hit) -> Option<Subject> {
        let index = self.nouns.iter().rposition(|(noun, _)| noun.end <= predicate.start)?;
        let (noun, _) = self.nouns.get(index)?;
        let between = words.get(noun.end..predicate.start)?;
        let subject = self.subject(words, index)?;
        // `host mx.example.net [#]: 550 not allowed` is not about the IP address.
        let introduces = matches!(subject.kind, Noun::Ip | Noun::Host) && between.contains(':');
        // `the message to @ was deleted` and `the recipient has disabled ...` are not about the address.
        let (is_disabled, is_full) = match predicate.pattern {
            Pattern::Predicate(predicate, _) => (
                predicate == Predicate::Disabled,
                matches!(predicate, Predicate::Full | Predicate::Exceeded),
            ),
            _ => (false, false),
        };
        let is_object = subject.is_recipient() && !is_full && self.follows_a_preposition(words, index);
        let follows_has = [" has", " have"].iter().any(|verb| between.trim_end().ends_with(verb));
        // `the host closed the session`
        let has_object = words
            .get(predicate.end..)
            .is_some_and(|after| after.starts_with(" the "));
        let is_active = is_disabled && (follows_has && predicate.text != "expired" || between == " " && has_object);
        let is_near = between.len() <= NOUN_FIRST_DISTANCE && !ends_a_clause(between);
        (is_near && !introduces && !is_object && !is_active).then_some(subject)
    }

    /// The next noun after a predicate, with at most `most` words between them.
    fn noun_after(&self, words: &str, predicate: &Hit, most: usize) -> Option<Subject> {
        let index = self.nouns.iter().position(|(noun, _)| noun.start >= predicate.end)?;
        let (noun, _) = self.nouns.get(index)?;
        let between = words.get(predicate.end..noun.start)?;
        let is_plain = between
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '-' | '_'));
        let count = between.split_whitespace().count();
        let is_near = between.len() <= NOUN_LAST_DISTANCE && count <= most && is_plain;
        if !is_near || CONJUNCTIONS.contains(&between.trim()) {
            return None;
        }
        let subject = self.subject(words, index)?;
        // `the sender does not have a valid address`
        let sender = self
            .noun_before(words, predicate)
            .filter(|before| before.kind == Noun::Sender);
        let of_the_sender = sender.filter(|sender| {
            words
                .get(sender.hit.end..predicate.start)
                .is_some_and(|gap| !gap.contains(':'))
        });
        Some(of_the_sender.unwrap_or(subject))
    }

    /// The noun at `index` with the nouns that stand together with it.
    fn subject(&self, words: &str, index: usize) -> Option<Subject> {
        let (hit, kind) = *self.nouns.get(index)?;
        let mut subject = Subject { hit, kind };
        let mut first = index;
        while let Some(previous) = first.checked_sub(1)
            && self.stand_together(words, previous)
        {
            let (hit, kind) = *self.nouns.get(previous)?;
            subject = subject.combined_with(hit, kind, combined(kind, subject.kind));
            first = previous;
        }
        let mut last = index;
        while self.stand_together(words, last) {
            last += 1;
            let (hit, kind) = *self.nouns.get(last)?;
            subject = subject.combined_with(hit, kind, combined(subject.kind, kind));
        }
        Some(subject)
    }

    /// Whether the noun at `index`, with those that stand together before it, follows `to`, `for` or the like.
    fn follows_a_preposition(&self, words: &str, index: usize) -> bool {
        let mut first = index;
        while let Some(previous) = first.checked_sub(1)
            && self.stand_together(words, previous)
        {
            first = previous;
        }
        // `the mailbox for @` is about a mailbox.
        let owner = first.checked_sub(1).and_then(|previous| self.nouns.get(previous));
        let is_of_a_recipient = owner.is_some_and(|(_, noun)| matches!(noun, Noun::Recipient | Noun::Address));
        let before = self.nouns.get(first).and_then(|(noun, _)| words.get(..noun.start));
        let word = before.and_then(|before| before.split_whitespace().next_back());
        !is_of_a_recipient && word.is_some_and(|word| PREPOSITIONS.contains(&word))
    }

    /// Whether the noun at `index` and the next one are one noun: `recipient address`, `domain of the sender`.
    fn stand_together(&self, words: &str, index: usize) -> bool {
        const LINKS: &[&str] = &[
            "of", "the", "your", "s", "de", "del", "du", "des", "der", "di", "la", "le", "les", "el", "da", "do",
            "della", "dell", "van", "den", "het", "name",
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

/// Whom or what a predicate is about.
#[derive(Debug, Clone, Copy)]
struct Subject {
    /// The noun that says so.
    hit: Hit,
    kind: Noun,
}

impl Subject {
    const fn is_recipient(&self) -> bool {
        matches!(self.kind, Noun::Recipient | Noun::Address | Noun::Email)
    }

    fn combined_with(self, hit: Hit, own: Noun, kind: Noun) -> Self {
        let decides = own == kind && self.kind != kind;
        Self {
            hit: if decides { hit } else { self.hit },
            kind,
        }
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
        (Noun::Other, Noun::Address) => Noun::Other,
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
        (Predicate::Full, Noun::Recipient | Noun::Address | Noun::Storage)
        | (Predicate::Exceeded | Predicate::Absent, Noun::Storage) => {
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

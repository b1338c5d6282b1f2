//! One Aho-Corasick automaton over all phrases, nouns and predicates. A reply is read once, whatever the number of
//! phrases, and nothing is allocated per phrase. [`ReplyText`](super::reply_text::ReplyText) folds the case before: an
//! automaton that ignores the case takes nearly three times as long to build.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::phrases::{self, auto_reply, ses, unclear};
use super::rank::Meaning;
use super::vocabulary::{NOUNS, Noun, PREDICATES, Predicate, Side};

/// What a pattern of the automaton is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A phrase that classifies the bounce by itself.
    Phrase(Meaning),
    /// SES did not send, because of a list of the account or tenant.
    OwnList,
    /// A phrase of an absence note.
    AutoReply,
    /// Words that look like a statement about the recipient, but say nothing.
    Ignored,
    Noun(Noun),
    Predicate(Predicate, Side),
}

/// A pattern found in a reply, as byte positions of its words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: &'static str,
    pub(super) pattern: Pattern,
}

/// At the end of a pattern: a stem, whatever follows.
const STEM: char = '*';

/// Built at the first bounce and not at start: most invocations carry none.
static AUTOMATON: LazyLock<Automaton> = LazyLock::new(Automaton::build);

struct Automaton {
    patterns: Vec<(&'static str, Pattern)>,
    /// `None` if the automaton cannot be built, which a test rules out. Bounces are then classified by codes alone.
    search: Option<AhoCorasick>,
}

impl Automaton {
    fn build() -> Self {
        let patterns: Vec<_> = patterns().collect();
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .dense_depth(1)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(patterns.iter().map(|(text, _)| text.trim_end_matches(STEM)))
            .ok();
        Self { patterns, search }
    }
}

fn patterns() -> impl Iterator<Item = (&'static str, Pattern)> {
    let groups = phrases::TABLES.iter().copied().flatten();
    let phrases = groups.flat_map(|&(rank, fault, reason, texts)| {
        let pattern = Pattern::Phrase(Meaning::new(rank, fault, reason));
        texts.iter().map(move |text| (*text, pattern))
    });
    let own_lists = ses::OWN_LISTS.iter().map(|text| (*text, Pattern::OwnList));
    let auto_replies = auto_reply::PHRASES.iter().map(|text| (*text, Pattern::AutoReply));
    let ignored = unclear::IGNORED.iter().map(|text| (*text, Pattern::Ignored));
    let nouns = NOUNS
        .iter()
        .flat_map(|&(noun, texts)| texts.iter().map(move |text| (*text, Pattern::Noun(noun))));
    let predicates = PREDICATES.iter().flat_map(|&(predicate, side, texts)| {
        texts
            .iter()
            .map(move |text| (*text, Pattern::Predicate(predicate, side)))
    });
    phrases
        .chain(own_lists)
        .chain(auto_replies)
        .chain(ignored)
        .chain(nouns)
        .chain(predicates)
}

/// Every pattern that `words` contains, at the borders of words, in the order in which they end.
pub(super) fn find(words: &str) -> impl Iterator<Item = Hit> {
    let automaton = &*AUTOMATON;
    let matches = automaton
        .search
        .as_ref()
        .map(|search| search.find_overlapping_iter(words));
    matches.into_iter().flatten().filter_map(|found| {
        let (text, pattern) = *automaton.patterns.get(found.pattern().as_usize())?;
        let (start, mut end) = (found.start(), found.end());
        let is_word = matches!(pattern, Pattern::Noun(_) | Pattern::Predicate(..));
        let (before, after) = (words.get(..start)?, words.get(end..)?);
        if starts_in_a_word(text, before, is_word) {
            return None;
        }
        if is_word && !text.ends_with(STEM) && ends_in_a_word(text, after) {
            let rest = after.strip_prefix("'s").or_else(|| after.strip_prefix('s'))?;
            if ends_in_a_word(text, rest) {
                return None;
            }
            end += after.len() - rest.len();
        }
        Some(Hit {
            start,
            end,
            text,
            pattern,
        })
    })
}

/// Whether a pattern that starts with a letter or digit starts in the middle of a word. A noun or predicate may not be
/// part of a host name or URL either.
fn starts_in_a_word(text: &str, before: &str, is_word: bool) -> bool {
    let starts_with_letter = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mut previous = before.chars().rev();
    starts_with_letter
        && match previous.next() {
            Some(c) if is_letter(c) => true,
            Some('/' | '=' | '@') => is_word,
            Some('.') => is_word && previous.next().is_some_and(is_letter),
            _ => false,
        }
}

fn ends_in_a_word(text: &str, after: &str) -> bool {
    let ends_with_letter = text.ends_with(|c: char| c.is_ascii_alphanumeric());
    let mut next = after.chars();
    ends_with_letter
        && match next.next() {
            Some(c) if is_letter(c) => true,
            Some('/' | '=' | '@') => true,
            Some('.' | '-') => next.next().is_some_and(is_letter),
            _ => false,
        }
}

/// Letters of scripts without spaces between words, such as Japanese, end a word.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || (c.is_alphabetic() && c < '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::super::reply_text::ReplyText;
    use super::{AUTOMATON, patterns};
    use std::collections::BTreeSet;

    #[test]
    fn the_automaton_can_be_built() {
        assert!(AUTOMATON.search.is_some());
    }

    #[test]
    fn patterns_are_spelled_as_replies_are() {
        for (text, _) in patterns() {
            assert_eq!(text.to_ascii_lowercase(), text);
            let read = ReplyText::read(&format!("x {text}"));
            let has_placeholder = text.contains(['#', '@']);
            assert!(
                read.words == format!("x {text}") || has_placeholder,
                "{text:?} reads as {:?}",
                read.words
            );
        }
    }

    #[test]
    fn no_pattern_is_listed_twice_with_the_same_meaning() {
        let mut seen = BTreeSet::new();
        for (text, pattern) in patterns() {
            assert!(seen.insert((text, format!("{pattern:?}"))), "{text:?} {pattern:?}");
        }
    }
}

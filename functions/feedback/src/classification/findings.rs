//! Everything that the reply and its codes say, and which of it counts.

use super::automaton::{self, Pattern};
use super::codes::Code;
use super::evidence::{Clue, Evidence};
use super::rank::{Meaning, Rank};
use super::reason::{BounceReason, Fault};
use super::reply_text::ReplyText;
use super::vocabulary::Noun;
use super::wording::Wording;

/// One thing that the reply says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finding {
    pub(super) meaning: Meaning,
    pub(super) clue: Clue,
    /// The number of bytes of the wording.
    length: usize,
}

impl Finding {
    const fn weight(&self) -> (Rank, u8, usize) {
        self.meaning.weight(self.length)
    }

    pub(super) const fn is_words(&self) -> bool {
        matches!(self.clue, Clue::Phrase(_) | Clue::Words { .. })
    }
}

/// What a reply says.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The finding that counts.
    pub(super) best: Option<Finding>,
    /// SES did not send, because of a list of the account or tenant.
    pub(super) own_list: Option<&'static str>,
    pub(super) auto_reply: Option<&'static str>,
    /// Whether the notification carries a reply at all.
    pub(super) has_text: bool,
    /// Whether the reply has words besides its codes.
    pub(super) has_words: bool,
}

impl Findings {
    pub(super) fn of(evidence: &Evidence<'_>, text: &ReplyText) -> Self {
        let mut findings = Self {
            has_text: evidence.diagnostic.is_some_and(|text| !text.trim().is_empty()),
            has_words: text.words.contains(char::is_alphabetic),
            ..Self::default()
        };
        let mut wording = Wording::default();
        for hit in automaton::find(&text.words) {
            match hit.pattern {
                Pattern::Phrase(meaning) => findings.consider(Finding {
                    meaning,
                    clue: Clue::Phrase(hit.text),
                    length: hit.text.len(),
                }),
                Pattern::OwnList => findings.own_list = findings.own_list.or(Some(hit.text)),
                Pattern::AutoReply => findings.auto_reply = findings.auto_reply.or(Some(hit.text)),
                Pattern::Noun(noun) => {
                    if let Some(meaning) = mention_of_the_sender(noun) {
                        findings.consider(Finding {
                            meaning,
                            clue: Clue::Phrase(hit.text),
                            length: 0,
                        });
                    }
                    wording.add(hit);
                }
                Pattern::Predicate(..) | Pattern::Ignored => wording.add(hit),
            }
        }
        for (meaning, clue, length) in wording.statements(&text.words) {
            findings.consider(Finding { meaning, clue, length });
        }
        if let Some(code) = Code::of(evidence, text)
            && let Some((meaning, _)) = code.says(&text.words)
        {
            findings.doubt_the_domain(meaning);
            findings.consider(Finding {
                meaning,
                clue: code.clue(&text.words),
                length: 0,
            });
        }
        findings
    }

    /// `domain not found` is also said of the sender's domain. A code against the sender (5.7.x) means that one.
    fn doubt_the_domain(&mut self, code: Meaning) {
        if let Some(best) = &mut self.best
            && best.meaning.reason == BounceReason::HostUnknown
            && best.meaning.fault == Fault::Address
            && code.fault == Fault::Sender
        {
            best.meaning = Meaning::new(best.meaning.rank, Fault::Sender, BounceReason::Rejected);
        }
    }

    fn consider(&mut self, finding: Finding) {
        if self.best.is_none_or(|best| finding.weight() > best.weight()) {
            self.best = Some(finding);
        }
    }
}

/// A reply that speaks about the sender, in whatever words, refuses the sender.
const fn mention_of_the_sender(noun: Noun) -> Option<Meaning> {
    match noun {
        Noun::Sender => Some(Meaning::new(Rank::Refusal, Fault::Sender, BounceReason::Rejected)),
        Noun::Host => Some(Meaning::new(Rank::Refusal, Fault::Sender, BounceReason::Blocked)),
        _ => None,
    }
}

//! The reply of a remote server, prepared for the phrase tables in one pass: codes are taken out and kept, addresses
//! become placeholders, case and accents are folded, and white space is collapsed.

use std::borrow::Cow;

use notification_model::StatusCode;

use super::fold::fold;

/// Stands for an email address.
pub(super) const ADDRESS: char = '@';
/// Stands for an IPv4 address.
pub(super) const IP: char = '#';

/// The subjects of RFC 3463 run from 0 to 7. A larger number is a version, as in `Exim 4.96.1`.
const LAST_SUBJECT: u16 = 7;

/// The bytes of a reply that are read. Servers answer in far less, and the work per reply stays bounded.
const LONGEST_REPLY: usize = 16 * 1024;

/// A line of a message has at most 998 characters.
const LONGEST_SUBJECT: usize = 1_000;

/// A reply without its codes, addresses and IP addresses. A reply of several lines repeats its codes in the middle of a
/// sentence (`550-5.1.1 ... does not\n550-5.1.1 exist`), so numbers are removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReplyText {
    pub(super) words: String,
    /// The first SMTP reply code that reports a failure.
    pub(super) reply: Option<u16>,
    /// The first enhanced status code.
    pub(super) status: Option<StatusCode>,
}

impl ReplyText {
    pub(super) fn read(diagnostic: &str) -> Self {
        let read = diagnostic.floor_char_boundary(LONGEST_REPLY);
        let text = without_subject(diagnostic.get(..read).unwrap_or(diagnostic));
        let mut reader = Reader {
            read: Self {
                words: String::with_capacity(text.len()),
                ..Self::default()
            },
            before: None,
            introduced: true,
            candidate: None,
        };
        let mut rest = text.as_ref();
        while let Some(first) = rest.chars().next() {
            let end = if is_delimiter(first) {
                first.len_utf8()
            } else {
                rest.find(is_delimiter).unwrap_or(rest.len())
            };
            let Some((part, after)) = rest.split_at_checked(end) else {
                break;
            };
            if is_delimiter(first) {
                reader.delimiter(first);
            } else {
                reader.word(part, after);
            }
            rest = after;
        }
        reader.read
    }
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | ',' | ';' | ':' | '=' | '\'' | '’'
        )
}

struct Reader {
    read: ReplyText,
    /// The last visible character.
    before: Option<char>,
    /// Whether the previous word introduces a reply code, as in `said 550`.
    introduced: bool,
    /// A number that is a reply code if a status code of the same class follows.
    candidate: Option<u16>,
}

impl Reader {
    fn delimiter(&mut self, c: char) {
        match c {
            '<' | '>' | '"' => {}
            '’' => self.read.words.push('\''),
            c if c.is_whitespace() => return self.space(),
            c => self.read.words.push(c),
        }
        self.before = Some(c);
    }

    fn space(&mut self) {
        if !self.read.words.is_empty() && !self.read.words.ends_with(' ') {
            self.read.words.push(' ');
        }
    }

    fn word(&mut self, word: &str, after: &str) {
        let bare = word.trim_start_matches('#');
        let introduced = self.introduced
            || self
                .before
                .is_none_or(|c| matches!(c, ':' | ';' | '\'' | '"' | '(' | '<' | '>' | '[' | '=' | '-'))
            || bare.len() != word.len();
        if word.contains('@') {
            self.read.words.push(ADDRESS);
        } else if is_ipv4(bare) || is_masked_ip(word) {
            self.read.words.push(IP);
        } else if is_host_name_of_server(word, after) {
            // `host mx.example.net[198.51.100.7] said`: the name is no statement of the server.
        } else if let Some(rest) = self.codes(bare, introduced, after) {
            let is_spelled_out = rest.bytes().all(|b| b == b'_' || b.is_ascii_alphabetic());
            let spaced = |c| if c == '_' && is_spelled_out { ' ' } else { fold(c) };
            self.read.words.extend(rest.chars().map(spaced));
        }
        self.introduced = introduces_a_code(word);
        self.before = word.chars().next_back();
    }

    /// Takes the codes at the start of a word and returns the text that follows them, `None` for a mere number.
    fn codes<'t>(&mut self, word: &'t str, introduced: bool, after: &str) -> Option<&'t str> {
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            self.candidate = None;
            return Some(word).filter(|word| !word.is_empty());
        }
        let (number, rest) = match word.split_once('-') {
            Some((number, rest)) => (number, Some(rest)),
            None => (word, None),
        };
        if let Some(reply) = failure_reply(number) {
            if introduced || rest.is_some() {
                self.read.reply.get_or_insert(reply);
            } else {
                self.candidate = (!is_a_quantity(after)).then_some(reply);
            }
            return match rest {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => self.codes(rest, true, after),
                rest => rest.filter(|rest| !rest.is_empty()),
            };
        }
        if let Some(status) = enhanced_status(word) {
            let same_class = |reply: &u16| *reply / 100 == u16::from(status.class);
            if let Some(reply) = self.candidate.take().filter(same_class) {
                self.read.reply.get_or_insert(reply);
            }
            self.read.status.get_or_insert(status);
            return None;
        }
        let is_number = word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-'));
        (!is_number).then_some(word)
    }
}

/// 4xx or 5xx. The second digit is not checked: servers answer with 591 and 5.7.x replies such as 570, too.
fn failure_reply(number: &str) -> Option<u16> {
    let reply = Some(number).filter(|number| number.len() == 3)?.parse().ok()?;
    (400..600).contains(&reply).then_some(reply)
}

fn enhanced_status(word: &str) -> Option<StatusCode> {
    let status: StatusCode = word.trim_end_matches(['.', '-']).parse().ok()?;
    (status.subject <= LAST_SUBJECT).then_some(status)
}

fn introduces_a_code(word: &str) -> bool {
    [
        "said",
        "error",
        "code",
        "returned",
        "responded",
        "with",
        "status",
        "reply",
        "<<<",
    ]
    .iter()
    .any(|known| word.eq_ignore_ascii_case(known))
}

/// `unable to deliver in 480 minutes`
fn is_a_quantity(after: &str) -> bool {
    let next = after
        .trim_start()
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    [
        "minutes",
        "seconds",
        "hours",
        "days",
        "bytes",
        "kb",
        "mb",
        "kbytes",
        "messages",
        "mails",
        "recipients",
    ]
    .iter()
    .any(|unit| next.eq_ignore_ascii_case(unit))
}

fn is_ipv4(word: &str) -> bool {
    let mut parts = word.trim_end_matches('.').split('.');
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.clone().count() == 4 && parts.all(number)
}

/// An IP address that someone removed before publishing: `#.#.#.#`.
fn is_masked_ip(word: &str) -> bool {
    word.starts_with("#.") && word.bytes().all(|b| matches!(b, b'#' | b'.'))
}

fn is_host_name_of_server(word: &str, after: &str) -> bool {
    after
        .trim_start_matches(' ')
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
        .is_some_and(|(inside, _)| is_ipv4(inside) || inside.contains(':') || is_masked_ip(inside))
        && (after.starts_with('[') || word.contains('.'))
}

/// A quoted subject is text of the sender, and says nothing for the server.
fn without_subject(text: &str) -> Cow<'_, str> {
    const WORD: &str = "subject";
    let lower = text.to_ascii_lowercase();
    if !lower.contains(WORD) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(WORD)) {
        let end = at + found + WORD.len();
        kept.push_str(text.get(at..end).unwrap_or_default());
        at = end + subject_length(text.get(end..).unwrap_or_default());
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(kept)
}

/// The length of the subject at the start of `after`, with its quotes: `: "Hello"`, ` of (Hello)`, `: Hello Date: ...`.
fn subject_length(after: &str) -> usize {
    let inner = after.trim_start_matches(" of").trim_start_matches([' ', ':']);
    let skipped = after.len() - inner.len();
    let inner = inner
        .get(..inner.floor_char_boundary(LONGEST_SUBJECT))
        .unwrap_or_default();
    for (open, close) in [('"', '"'), ('\'', '\''), ('(', ')'), ('[', ']')] {
        if let Some((quoted, _)) = inner.strip_prefix(open).and_then(|inner| inner.split_once(close)) {
            return skipped + quoted.len() + 2;
        }
    }
    let is_field = after.starts_with(':');
    [" Date:", "\n", " To:", " From:"]
        .iter()
        .filter_map(|end| inner.find(end))
        .min()
        .filter(|_| is_field)
        .map_or(0, |length| skipped + length)
}

#[cfg(test)]
mod tests {
    use super::ReplyText;

    #[test]
    fn reads_codes_and_words() {
        let cases = [
            (
                "smtp; 550-5.1.1 The account does not\r\n550-5.1.1 exist. Try\n550 5.1.1 again",
                550,
                "5.1.1",
                "smtp; the account does not exist. try again",
            ),
            (
                "host mx.example.net[198.51.100.7] said: 450 4.2.0 <a@b.example>: Later (in reply to RCPT TO command)",
                450,
                "4.2.0",
                "host [#] said: @: later (in reply to rcpt to command)",
            ),
            (
                "554 4.4.7 Message expired: unable to deliver in 440 minutes.<421 4.4.2 Connection timed out>",
                554,
                "4.4.7",
                "message expired: unable to deliver in minutes. connection timed out",
            ),
            (
                "refused to talk to me: 220-laposte 421 4.2.1 Service refused",
                421,
                "4.2.1",
                "refused to talk to me: 220-laposte service refused",
            ),
            (
                "did not like our RCPT TO:525 5.7.13 <a@b.example>: Disabled",
                525,
                "5.7.13",
                "did not like our rcpt to: @: disabled",
            ),
            (
                "Sorry, no mailbox here by that name. (#5.1.1)",
                0,
                "5.1.1",
                "sorry, no mailbox here by that name. ()",
            ),
            (
                "Error, ERROR_CODE :421, ERROR_CODE :, Host not reachable.",
                421,
                "",
                "error, error code :, error code :, host not reachable.",
            ),
            (
                "Exim 4.96.1 could not deliver 500 messages",
                0,
                "",
                "exim could not deliver messages",
            ),
            ("with subject \"user unknown\" refused", 0, "", "with subject refused"),
            ("Subject: user unknown Date: today", 0, "", "subject date: today"),
            ("550-User unknown", 550, "", "user unknown"),
            ("", 0, "", ""),
        ];
        for (text, reply, status, words) in cases {
            let read = ReplyText::read(text);
            assert_eq!(read.words.trim(), words, "{text}");
            assert_eq!(read.reply.unwrap_or_default(), reply, "{text}");
            assert_eq!(
                read.status.map(|code| code.to_string()).unwrap_or_default(),
                status,
                "{text}"
            );
        }
    }
}

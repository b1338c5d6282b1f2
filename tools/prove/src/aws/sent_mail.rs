//! Mail that SES accepted, and what the table said of it at that time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A mail that SES accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// The recipient.
    pub to: String,
    /// The text of a digest or alert, or the whole of a raw mail.
    pub text: String,
    /// The value of `claimedAt` of its claim when SES accepted it. `None` without a claim.
    pub claimed_at: Option<Timestamp>,
    /// Whether its claim was done when SES accepted it.
    pub is_done: bool,
    /// The sender's request took effect after the client timed out or was killed.
    pub is_late: bool,
    /// The client received the response.
    pub is_answered: bool,
}

/// Every mail that SES accepted.
#[derive(Debug, Default)]
pub(super) struct SentMails {
    pub(super) mails: Vec<SentMail>,
    /// Addresses to which SES sends nothing.
    pub(super) refused: BTreeSet<&'static str>,
    /// The index of the mail that the last request sent.
    pub(super) last: Option<usize>,
}

/// Recipient and text of a `SendEmail` request. Of a raw mail, the text is the whole mail.
pub(super) fn read_mail(request: &Value) -> (String, String) {
    let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let to = text("/Destination/ToAddresses/0").to_owned();
    let raw = text("/Content/Raw/Data");
    if raw.is_empty() {
        return (to, text("/Content/Simple/Body/Text/Data").to_owned());
    }
    let raw = aws_smithy_types::base64::decode(raw).expect("base64");
    (to, String::from_utf8_lossy(&raw).into_owned())
}

impl SentMails {
    pub(super) fn accept(&mut self, mail: SentMail) {
        self.last = Some(self.mails.len());
        self.mails.push(mail);
    }
}

/// Checks that no claimed action was taken twice outside the window that the documentation names. After a response that the
/// client did not receive, or an interruption before the mark, a second mail is sent only when the claim has expired after
/// `claim_period`. `key` names the claimed action of a mail.
///
/// # Errors
/// The mail that was sent although its action was done or claimed.
pub fn check_sent_once<K: Ord + Debug>(
    mails: &[SentMail],
    claim_period: SignedDuration,
    key: impl Fn(&SentMail) -> K,
) -> Result<(), String> {
    let mut latest: BTreeMap<K, (Timestamp, bool)> = BTreeMap::new();
    for mail in mails.iter().filter(|mail| !mail.is_late) {
        let key = key(mail);
        if mail.is_done {
            return Err(format!("{key:?} was sent again although it is marked as done"));
        }
        let Some(claimed_at) = mail.claimed_at else {
            return Err(format!("{key:?} was sent without a claim"));
        };
        match latest.get(&key) {
            // The client repeats a request whose response it did not receive.
            Some((earlier, false)) if *earlier == claimed_at => {}
            Some((earlier, _)) if claimed_at.duration_since(*earlier) < claim_period => {
                return Err(format!(
                    "{key:?} was sent under the claim of {earlier} and again under that of {claimed_at}"
                ));
            }
            _ => {}
        }
        latest.insert(key, (claimed_at, mail.is_answered));
    }
    Ok(())
}

//! Envelopes in an object of the archive.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;

/// What selects an envelope.
pub(super) struct Envelope {
    /// The event type as SES spells it; `setup` or `without a type` for others.
    pub(super) event_type: String,
    published_at: Option<Timestamp>,
}

impl Envelope {
    pub(super) fn parse(text: &str) -> Self {
        let envelope: Value = serde_json::from_str(text).unwrap_or_default();
        // With raw message delivery there is no envelope.
        let message = match envelope.get("Message").and_then(Value::as_str) {
            Some(message) => serde_json::from_str::<Value>(message).ok(),
            None => Some(envelope.clone()),
        };
        let string = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let event_type = match &message {
            // Setup messages are plain text, except for AmazonSnsSubscriptionSucceeded.
            None => Some("setup".to_owned()),
            Some(message) => string(message, "eventType")
                .or_else(|| string(message, "notificationType"))
                .map(|name| match name.as_str() {
                    "AmazonSnsSubscriptionSucceeded" => "setup".to_owned(),
                    _ => name,
                }),
        };
        let sent_at = message
            .as_ref()
            .and_then(|message| string(message.get("mail")?, "timestamp"));
        let published_at = string(&envelope, "Timestamp").or(sent_at);
        Self {
            event_type: event_type.unwrap_or_else(|| "without a type".to_owned()),
            published_at: published_at.and_then(|text| text.parse().ok()),
        }
    }

    /// Whether the event type is one of `types`, in any spelling; no types are all types.
    pub(super) fn has_type(&self, types: &[String]) -> bool {
        let normalized = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
        let event_type = normalized(&self.event_type);
        types.is_empty() || types.iter().any(|name| normalized(name) == event_type)
    }

    /// Whether it was published in a period. An envelope without a time is in no limited period.
    pub(super) fn is_within(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        since.is_none_or(|since| self.published_at.is_some_and(|at| at >= since))
            && until.is_none_or(|until| self.published_at.is_some_and(|at| at < until))
    }
}

/// The JSON objects of an archived object, unchanged, and the numbers of the lines with anything else.
///
/// SNS ends each envelope with a line break. Firehose adds none, so that objects from other sources are read without.
pub(super) fn split_envelopes(bytes: &[u8]) -> (Vec<&str>, Vec<usize>) {
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.trim_ascii().is_empty()) {
        if let Some((text, end)) = next_object(rest) {
            found.push(text);
            at += end;
            continue;
        }
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        unreadable.push(count_lines(bytes, at + blank) + 1);
        let line_end = rest.iter().skip(blank).position(|byte| *byte == b'\n');
        at += line_end.map_or(rest.len(), |length| blank + length + 1);
    }
    (found, unreadable)
}

/// The JSON object at the start, and the offset after it.
fn next_object(bytes: &[u8]) -> Option<(&str, usize)> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    let end = stream.byte_offset();
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?.trim();
    text.starts_with('{').then_some((text, end))
}

fn count_lines(bytes: &[u8], end: usize) -> usize {
    bytes.iter().take(end).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::split_envelopes;

    #[test]
    fn envelopes_are_split_with_and_without_line_breaks() {
        let cases: [(&str, &[&str], &[usize]); 8] = [
            (
                "{\"a\":1}\n{\"b\":\"x\\n}{\"}\n",
                &["{\"a\":1}", "{\"b\":\"x\\n}{\"}"],
                &[],
            ),
            ("{\"a\":1}{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"], &[]),
            ("\n\n {\"a\": 1 } \r\n", &["{\"a\": 1 }"], &[]),
            ("{\"a\":1}\nbroken{\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"], &[2]),
            ("{\"a\":1}\n\n\n{\"cut\":", &["{\"a\":1}"], &[4]),
            ("12\n[]\n{}", &["{}"], &[1, 2]),
            ("{\"a\":1}{\"cut\n{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"], &[1]),
            ("", &[], &[]),
        ];
        for (text, found, unreadable) in cases {
            assert_eq!(
                split_envelopes(text.as_bytes()),
                (found.to_vec(), unreadable.to_vec()),
                "{text:?}"
            );
        }
        assert_eq!(split_envelopes(b"\xff\xfe{}\n{}\n"), (vec!["{}"], vec![1]));
    }
}

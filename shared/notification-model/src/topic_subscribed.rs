//! The text of `AmazonSnsSubscriptionSucceeded`, with which SES proves that it can publish to the topic of an identity.

/// What SES says when the notification topic of an identity was set: it could publish to the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSubscribed<'a> {
    /// The topic.
    pub topic_arn: &'a str,
    /// `Bounce`, `Complaint` or `Delivery`.
    pub notification_type: &'a str,
    /// The verified domain or address, without its account.
    pub identity: &'a str,
}

/// Longest address, RFC 5321 section 4.5.3.1.
const MAX_IDENTITY: usize = 320;
/// Longest ARN that AWS accepts for a topic, with room for long partitions and Regions.
const MAX_ARN: usize = 512;

impl<'a> TopicSubscribed<'a> {
    /// Reads the text, for example `You have successfully subscribed your Amazon SNS topic 'arn:aws:sns:...' to receive
    /// 'Bounce' notifications from Amazon SES for identity 'example.com'.` Returns `None` if it has another form: the words are
    /// not part of SES's documented interface.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (topic_arn, rest) = quoted(text)?;
        let (notification_type, rest) = quoted(rest)?;
        // The local part of an address may have an apostrophe.
        let (_, rest) = rest.split_once('\'')?;
        let (identity, _) = rest.rsplit_once('\'')?;
        let is_arn = topic_arn.starts_with("arn:") && topic_arn.len() <= MAX_ARN;
        let is_type =
            (1..=64).contains(&notification_type.len()) && notification_type.bytes().all(|b| b.is_ascii_alphabetic());
        let is_identity = (1..=MAX_IDENTITY).contains(&identity.len()) && !identity.contains(char::is_whitespace);
        (is_arn && is_type && is_identity).then_some(Self {
            topic_arn,
            notification_type,
            identity,
        })
    }
}

/// Returns the first text in single quotes and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.split_once('\'')?.1.split_once('\'')
}

#[cfg(test)]
mod tests {
    use super::TopicSubscribed;

    const ARN: &str = "arn:aws:sns:us-east-1:111122223333:feedback";

    fn text(topic: &str, kind: &str, identity: &str) -> String {
        format!(
            "You have successfully subscribed your Amazon SNS topic '{topic}' to receive '{kind}' notifications from Amazon \
             SES for identity '{identity}'."
        )
    }

    #[test]
    fn the_text_names_topic_type_and_identity() {
        for identity in ["example.com", "jane@example.com", "o'neil@example.com"] {
            let text = text(ARN, "Bounce", identity);
            let expected = TopicSubscribed {
                topic_arn: ARN,
                notification_type: "Bounce",
                identity,
            };
            assert_eq!(TopicSubscribed::parse(&text), Some(expected));
        }
    }

    #[test]
    fn another_text_proves_nothing() {
        let long = "a".repeat(321);
        let texts = [
            String::new(),
            "...".to_owned(),
            "You have successfully subscribed your topic to receive Bounce notifications for identity example.com."
                .to_owned(),
            text("feedback", "Bounce", "example.com"),
            text(ARN, "", "example.com"),
            text(ARN, "Bounce#x", "example.com"),
            text(ARN, "Bounce", ""),
            text(ARN, "Bounce", "two words"),
            text(ARN, "Bounce", &long),
        ];
        for text in texts {
            assert_eq!(TopicSubscribed::parse(&text), None, "{text}");
        }
    }
}

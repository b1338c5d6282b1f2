//! Message attributes as SNS and SQS accept them.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::MessageAttributeValue;

use crate::effects::target_error::TargetError;

/// Maximum length of a value. A filter policy of SNS compares no more characters.
const MAX_CHARACTERS: usize = 256;

/// Attributes with values that SNS and SQS accept: not empty, limited in length, and without characters that XML does not
/// allow.
pub(super) fn accepted(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    let replaced = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'.. => c,
        _ => '\u{fffd}',
    };
    attributes
        .iter()
        .map(move |(name, value)| {
            let value: String = value.chars().map(replaced).take(MAX_CHARACTERS).collect();
            (name.clone(), value)
        })
        .filter(|(_, value)| !value.is_empty())
}

/// A string attribute of SQS.
pub(super) fn sqs_string(value: String) -> Result<MessageAttributeValue, TargetError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .map_err(TargetError::temporary)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::accepted;

    #[test]
    fn values_have_only_characters_that_sns_accepts() {
        let attributes: BTreeMap<String, String> = [("a", "x\u{0}y\u{ffff}"), ("b", ""), ("c", "Gr\u{fc}\u{df}e")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let accepted: Vec<_> = accepted(&attributes).collect();
        assert_eq!(
            accepted,
            [
                ("a".to_owned(), "x\u{fffd}y\u{fffd}".to_owned()),
                ("c".to_owned(), "Gr\u{fc}\u{df}e".to_owned())
            ]
        );
    }

    #[test]
    fn values_are_limited_in_length() {
        let attributes = BTreeMap::from([("a".to_owned(), "x".repeat(1000))]);
        assert_eq!(accepted(&attributes).next().unwrap().1.len(), 256);
    }
}

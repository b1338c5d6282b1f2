//! The ARN of a target. The target is often in another account and Region than the function.

use crate::effects::target_error::TargetError;

/// The parts of an ARN `arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TargetArn<'a> {
    partition: &'a str,
    pub(super) region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> TargetArn<'a> {
    /// Reads an ARN of a service.
    ///
    /// # Errors
    /// When it is not such an ARN. The error is permanent.
    pub(super) fn parse(arn: &'a str, service: &str) -> Result<Self, TargetError> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, found, region, account, name]
                if *found == service && is_region(region) && is_account(account) && !name.is_empty() =>
            {
                Ok(Self {
                    partition,
                    region,
                    account,
                    name,
                })
            }
            _ => Err(TargetError::permanent(
                "InvalidArn",
                &format!("expected arn:PARTITION:{service}:REGION:ACCOUNT:NAME"),
            )),
        }
    }

    /// The URL of an SQS queue.
    pub(super) fn queue_url(&self) -> String {
        let suffix = match self.partition {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        format!("https://sqs.{}.{suffix}/{}/{}", self.region, self.account, self.name)
    }
}

/// Only characters of a host name, because the Region becomes part of one.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::TargetArn;

    #[test]
    fn the_url_of_a_queue_is_derived_from_its_arn() {
        let url = |arn: &str| TargetArn::parse(arn, "sqs").map(|arn| arn.queue_url());
        assert_eq!(
            url("arn:aws:sqs:eu-west-1:111122223333:feedback").unwrap(),
            "https://sqs.eu-west-1.amazonaws.com/111122223333/feedback"
        );
        assert_eq!(
            url("arn:aws-cn:sqs:cn-north-1:111122223333:feedback").unwrap(),
            "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/feedback"
        );
        assert_eq!(
            url("arn:aws-eusc:sqs:eusc-de-east-1:111122223333:feedback").unwrap(),
            "https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/feedback"
        );
        assert_eq!(
            url("arn:aws-us-gov:sqs:us-gov-west-1:111122223333:feedback").unwrap(),
            "https://sqs.us-gov-west-1.amazonaws.com/111122223333/feedback"
        );
        for arn in [
            "",
            "feedback",
            "arn:aws:sns:eu-west-1:111122223333:feedback",
            "arn:aws:sqs:evil.example/:111122223333:feedback",
            "arn:aws:sqs:eu-west-1:1:feedback",
            "arn:aws:sqs:eu-west-1:111122223333:",
        ] {
            assert!(url(arn).unwrap_err().is_permanent, "{arn}");
        }
    }
}

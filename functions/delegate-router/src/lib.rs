//! Lambda function: every SES notification reaches the parties that must hear of it, and nobody else.

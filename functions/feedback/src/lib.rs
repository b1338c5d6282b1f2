//! Lambda function: what SES reports becomes suppressions and sender statistics

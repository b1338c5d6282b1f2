//! Lambda event shapes (SNS, SQS, EventBridge) to records, with per-record isolation

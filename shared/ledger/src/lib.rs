//! The DynamoDB table: suppressions, history, sender statistics

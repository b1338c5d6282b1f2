//! What inbound counts for CloudWatch.

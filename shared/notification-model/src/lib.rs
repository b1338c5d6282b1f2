//! Typed Amazon SES notifications, events and inbound mail

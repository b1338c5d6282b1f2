//! Unsubscribe tokens: who may be unsubscribed from what, signed.

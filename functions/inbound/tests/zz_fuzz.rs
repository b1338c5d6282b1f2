#![allow(warnings, clippy::all)]
#[path = "../src"]
mod function { pub mod mail; }
pub use function::mail;
use crate::mail::forward::{ForwardError, rewrite};
use crate::mail::{HeaderBlock, Limits, MailFacts};
#[test] fn compiles() { let _ = HeaderBlock::parse(b"a: b\n\n", &Limits::default()).unwrap(); }

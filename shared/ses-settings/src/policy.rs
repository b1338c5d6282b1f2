//! [Sending authorization policies](https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html): those of
//! delegates, their canonical form, and their evaluation. Pure.

mod canonical;
mod delegate;
mod evaluate;
mod send_action;
mod statement;

pub use canonical::canonical;
pub use delegate::Delegate;
pub(crate) use evaluate::like;
pub use evaluate::{Decision, SendRequest, evaluate};
pub use send_action::{InvalidAction, SendAction};
pub(crate) use statement::{as_list, policy_text};

//! The mail path of the inbound function, compiled alone.

#[path = "../../functions/inbound/src"]
mod function {
    pub mod mail;
}
pub use function::mail;

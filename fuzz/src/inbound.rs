//! The mail module of the inbound function, compiled without the rest of the crate.

#[path = "../../functions/inbound/src"]
mod function {
    pub mod mail;
}
pub use function::mail;

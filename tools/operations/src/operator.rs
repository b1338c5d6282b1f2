//! The person who runs the command.

/// The name that is recorded with decisions: the environment variable `USER`.
#[must_use]
pub fn operator_name() -> String {
    std::env::var("USER")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an operator".to_owned())
}

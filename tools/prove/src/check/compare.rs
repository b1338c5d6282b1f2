//! Equality with a readable difference.

use std::fmt::Debug;

/// Compares two values.
///
/// # Errors
/// Both values, if they differ.
pub(super) fn same<T: PartialEq + Debug>(name: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{name}:\n  found    {found:?}\n  expected {expected:?}"))
}

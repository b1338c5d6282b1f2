//! Scopes and periods of suppressions.

use store::{Scope, SuppressionEntry};

/// For whom a suppression holds, in words.
#[must_use]
pub fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Global => "for all senders (global)".to_owned(),
        Scope::Tenant(name) => format!("for tenant {name}"),
        Scope::TenantOf(account, name) => format!("for tenant {name} of account {account}"),
        Scope::Domain(name) => format!("for senders of {name}"),
        Scope::Forward(mailbox) => format!("for forwards of mailbox {mailbox}"),
    }
}

/// How long a suppression lasts, in words.
#[must_use]
pub fn period_text(entry: &SuppressionEntry) -> String {
    entry
        .until
        .map_or_else(|| "permanently".to_owned(), |until| format!("until {until}"))
}

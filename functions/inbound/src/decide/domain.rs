//! Compares domains.

/// Whether a domain equals another domain or is a subdomain of it.
pub(super) fn is_domain_or_subdomain(domain: &str, parent: &str) -> bool {
    domain == parent
        || domain
            .strip_suffix(parent)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

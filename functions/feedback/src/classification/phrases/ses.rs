//! Sentences of Amazon SES itself.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

/// SES did not send, because of a list of the account or tenant: nothing new about the address. See
/// <https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html>.
pub(crate) const OWN_LISTS: &[&str] = &[
    "is on the suppression list for your account",
    "is on the suppression list for your tenant",
    "on the account suppression list",
    "on the tenant suppression list",
    "on your account-level suppression list",
    "on your tenant-level suppression list",
];

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    // SES's global list.
    (Ses, Address, Suppressed, &["amazon ses has suppressed sending"]),
    // SES refuses its own caller.
    (Exact, Sender, Rejected, &["email address is not verified", "identities failed the check in region"]),
];

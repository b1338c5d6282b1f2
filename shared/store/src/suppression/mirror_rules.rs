//! Which suppressions are copied to SES's own suppression lists.

use super::check::ActiveSuppression;
use super::scope::SuppressionSource;

impl ActiveSuppression {
    /// Whether the suppression is copied to SES's own list, because SES does not add the address itself. `unsubscribes`:
    /// whether opt-outs from all mail or from a whole contact list are copied too.
    ///
    /// SES adds an address after a complaint and after a hard bounce that it calls
    /// [`Permanent`](https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html), but not after one that it
    /// calls otherwise. An unconfirmed bounce is not copied, because a report that anybody can write must not reach other
    /// senders. An opt-out of a single topic is not copied, because SES's lists stop all mail of an account or tenant.
    #[must_use]
    pub fn is_mirrored(&self, unsubscribes: bool) -> bool {
        match &self.source {
            SuppressionSource::Manual | SuppressionSource::Streak => true,
            SuppressionSource::List(_) | SuppressionSource::Unsubscribe => unsubscribes,
            SuppressionSource::Bounce => {
                let bounce_type = self.entry.evidence.get("bounceType");
                bounce_type.is_some_and(|bounce_type| !bounce_type.eq_ignore_ascii_case("permanent"))
            }
            SuppressionSource::UnconfirmedBounce
            | SuppressionSource::Complaint
            | SuppressionSource::SesList
            | SuppressionSource::Released
            | SuppressionSource::Topic(_) => false,
        }
    }
}

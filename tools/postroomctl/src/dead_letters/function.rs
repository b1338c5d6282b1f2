//! The consumer of a queue.

use clap::ValueEnum;
use delegate_router::alert::Alert;
use delegate_router::delivery::Delivery;
use delegate_router::rejected_digest::RejectedDigest;
use notification_model::SesMessage;
use store::MirrorRequest;

use super::finding::{
    Finding, find_change, find_delivery, find_inbound, find_mirror_request, find_notification, is_change, read_message,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Function {
    /// Notifications for the feedback function.
    Feedback,
    /// Notifications for the delegate router.
    Router,
    /// Deliveries of the delegate router to one target each, alerts of the reputation monitor, and rejected digests.
    Delivery,
    /// Requests to change SES's own suppression lists.
    Mirror,
    /// Changes of suppressions that were not published.
    Changes,
    /// Inbound mail.
    Inbound,
}

impl Function {
    /// The function of a queue by the queue's name, else by a message in it.
    pub(super) fn detect(queue_name: &str, body: &str) -> Self {
        let name = queue_name.to_lowercase();
        let by_name = [
            ("delivery", Self::Delivery),
            ("suppressionchanges", Self::Changes),
            ("mirror", Self::Mirror),
            ("router", Self::Router),
            ("inbound", Self::Inbound),
            ("feedback", Self::Feedback),
        ];
        if let Some((_, function)) = by_name.iter().find(|(part, _)| name.contains(part)) {
            return *function;
        }
        let is_delivery = Delivery::from_message(body).is_ok()
            || Alert::from_message(body).is_ok()
            || RejectedDigest::from_message(body).is_ok();
        if is_delivery {
            Self::Delivery
        } else if MirrorRequest::from_json(body).is_ok() {
            Self::Mirror
        } else if is_change(body) {
            Self::Changes
        } else if matches!(read_message(body), Ok(Some(SesMessage::Received(_)))) {
            Self::Inbound
        } else {
            Self::Feedback
        }
    }

    /// Reads a message as the function does. `rejection` is the reason that the sender of the message recorded.
    pub(super) fn diagnose(self, body: &str, rejection: Option<&str>) -> Finding {
        match self {
            Self::Feedback | Self::Router => find_notification(body),
            Self::Inbound => find_inbound(body),
            Self::Delivery => find_delivery(body, rejection),
            Self::Mirror => find_mirror_request(body),
            Self::Changes => find_change(body),
        }
    }
}

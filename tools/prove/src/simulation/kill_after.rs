//! Processes that are killed between two awaits.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is dropped after a number of polls. Resolves to `None` if it is dropped.
pub(crate) struct KillAfter<F> {
    future: Option<Pin<Box<F>>>,
    remaining_polls: Option<u32>,
}

impl<F: Future> KillAfter<F> {
    /// Drops the future after this number of polls; never if `None`.
    pub(crate) fn new(future: F, polls: Option<u32>) -> Self {
        Self {
            future: Some(Box::pin(future)),
            remaining_polls: polls,
        }
    }
}

impl<F: Future> Future for KillAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.remaining_polls == Some(0) {
            self.future = None;
        }
        self.remaining_polls = self.remaining_polls.map(|polls| polls.saturating_sub(1));
        match &mut self.future {
            Some(future) => future.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn two_awaits() -> &'static str {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        "finished"
    }

    #[tokio::test]
    async fn a_future_is_dropped_after_the_given_polls() {
        assert_eq!(KillAfter::new(two_awaits(), Some(2)).await, None);
        assert_eq!(KillAfter::new(two_awaits(), Some(3)).await, Some("finished"));
        assert_eq!(KillAfter::new(two_awaits(), None).await, Some("finished"));
    }
}

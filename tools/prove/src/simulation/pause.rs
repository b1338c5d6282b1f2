//! Processes that are paused while the others finish.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The processes that run at the same time.
#[derive(Debug, Default)]
pub(super) struct RunningProcesses {
    number: Cell<usize>,
    paused: RefCell<Option<Waker>>,
}

/// A process that runs until this is dropped.
#[derive(Debug)]
pub(super) struct RunningProcess(Rc<RunningProcesses>);

impl RunningProcess {
    pub(super) fn start(processes: &Rc<RunningProcesses>) -> Self {
        processes.number.set(processes.number.get() + 1);
        Self(Rc::clone(processes))
    }

    /// Runs `future`. Pauses it after a number of polls until no other process runs; never if `None`.
    pub(super) fn pause_after<F: Future>(self, polls: Option<u32>, future: F) -> PauseAfter<F> {
        PauseAfter {
            future: Box::pin(future),
            remaining_polls: polls,
            process: self,
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        self.0.number.set(self.0.number.get().saturating_sub(1));
        if let Some(paused) = self.0.paused.take() {
            paused.wake();
        }
    }
}

/// A future that is paused while other processes run.
pub(super) struct PauseAfter<F> {
    future: Pin<Box<F>>,
    remaining_polls: Option<u32>,
    process: RunningProcess,
}

impl<F: Future> Future for PauseAfter<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let processes = &self.process.0;
        if self.remaining_polls == Some(0) && processes.number.get() > 1 {
            processes.paused.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        self.remaining_polls = self.remaining_polls.map(|polls| polls.saturating_sub(1));
        self.future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;

    use super::*;

    async fn append_three_times(log: &RefCell<String>, name: char) {
        for _ in 0..3 {
            log.borrow_mut().push(name);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_paused_process_continues_when_the_other_has_finished() {
        let (log, processes) = (RefCell::default(), Rc::default());
        let [first, second] = [(); 2].map(|()| RunningProcess::start(&processes));
        let first = first.pause_after(Some(1), append_three_times(&log, 'a'));
        let second = second.pause_after(None, append_three_times(&log, 'b'));
        join(first, async move { second.await }).await;
        assert_eq!(log.take(), "abbbaa");
    }
}

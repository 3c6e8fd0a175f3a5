//! The future of a response that may be a refusal.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of a [`RequireSessionService`](super::RequireSessionService).
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<F, B> {
        #[pin]
        step: Step<F, B>,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<F, B> {
        Pass { #[pin] response: F },
        // `None` only after the future is done.
        Refuse { response: Option<Response<B>> },
    }
}

impl<F, B> RequireFuture<F, B> {
    pub(super) const fn pass(response: F) -> Self {
        let step = Step::Pass { response };
        Self { step }
    }

    pub(super) const fn refuse(response: Response<B>) -> Self {
        let response = Some(response);
        let step = Step::Refuse { response };
        Self { step }
    }
}

impl<F, B, E> Future for RequireFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProjected::Pass { response } => response.poll(cx),
            StepProjected::Refuse { response } => {
                Poll::Ready(Ok(response.take().expect("polled after completion")))
            }
        }
    }
}

impl<F, B> fmt::Debug for RequireFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}

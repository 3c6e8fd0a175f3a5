//! A body that plays a script.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};

/// One step of a scripted body.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Data(Vec<u8>),
    Trailers,
    Broken,
    Wait(Duration),
    Stall,
}

/// A body that plays its steps, and panics if it is polled after its end.
#[derive(Debug, Default)]
pub(super) struct Script {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
    declared: bool,
    over: bool,
}

impl Script {
    pub(super) fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same with its length declared, as by a `Content-Length`.
    pub(super) fn declared(mut self) -> Self {
        self.declared = true;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let data = self.steps.iter().filter_map(|step| match step {
            Step::Data(data) => Some(&data[..]),
            _ => None,
        });
        data.collect::<Vec<_>>().concat()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        assert!(!self.over, "polled after the end");
        if let Some(sleep) = &mut self.waiting {
            std::task::ready!(sleep.as_mut().poll(cx));
            self.waiting = None;
        }
        match self.steps.pop_front() {
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data.into())))),
            Some(Step::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers())))),
            Some(Step::Broken) => Poll::Ready(Some(Err("broken"))),
            Some(Step::Wait(time)) => {
                self.waiting = Some(Box::pin(tokio::time::sleep(time)));
                self.poll_frame(cx)
            }
            Some(Step::Stall) => {
                self.steps.push_front(Step::Stall);
                Poll::Pending
            }
            None => {
                self.over = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.declared && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.declared {
            true => SizeHint::with_exact(self.bytes().len() as u64),
            false => SizeHint::new(),
        }
    }
}

pub(super) fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("42"));
    trailers
}

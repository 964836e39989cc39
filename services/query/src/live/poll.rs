//! Answers a poll with the frames of a stream that lasts only as long as the poll.

use super::config::millis;
use super::core::Core;
use super::subscriber::Subscription;
use bytes::{BufMut as _, Bytes, BytesMut};
use channel_proto::query::v1::PollChangesResponse;
use futures::Stream as _;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// The number of `PollChangesResponse.frames` in the contract.
const FRAMES: u32 = 1;

/// The answer so far.
struct Answer {
    frames: Vec<Bytes>,
    bytes: usize,
    /// The wait for a first change is over.
    waited: bool,
    wait: Pin<Box<Sleep>>,
    patience: Pin<Box<Sleep>>,
    most_bytes: usize,
}

/// Collects what the stream has; if that is only Hello, waits for something else.
pub(super) async fn answer(
    core: &Core,
    mut stream: Subscription,
    wait: Duration,
) -> PollChangesResponse {
    let patience = millis(core.config.poll_patience_ms).max(wait);
    let mut answer = Answer {
        frames: Vec::new(),
        bytes: 0,
        waited: wait.is_zero(),
        wait: Box::pin(sleep(wait)),
        patience: Box::pin(sleep(patience)),
        most_bytes: core.config.poll_bytes,
    };
    poll_fn(|cx| answer.poll(&mut stream, cx)).await;
    answer.into_response()
}

impl Answer {
    fn poll(&mut self, stream: &mut Subscription, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.bytes >= self.most_bytes && !stream.is_within_unit() {
                return Poll::Ready(());
            }
            match Pin::new(&mut *stream).poll_next(cx) {
                Poll::Ready(Some(frame)) => self.add(frame),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        self.waited |= self.wait.as_mut().poll(cx).is_ready();
        if stream.is_settled() && (self.waited || self.frames.len() > 1) {
            self.add(stream.bookmark());
            return Poll::Ready(());
        }
        self.patience.as_mut().poll(cx)
    }

    fn add(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }

    fn into_response(self) -> PollChangesResponse {
        let mut bytes = BytesMut::with_capacity(self.bytes + 8 * self.frames.len());
        for frame in &self.frames {
            encode_key(FRAMES, WireType::LengthDelimited, &mut bytes);
            encode_varint(frame.len() as u64, &mut bytes);
            bytes.put_slice(frame);
        }
        PollChangesResponse::decode(bytes.freeze()).unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a frame is broken");
            PollChangesResponse::default()
        })
    }
}

//! One live stream: a place in each of its accounts, and no queue.
//!
//! It is asked for one frame at a time and makes it then, from the rings or from a page of the database,
//! starting at its own places. What it is not asked for costs nothing.

mod access;
mod control;
mod member;
mod place;
mod produce;
mod pulse;

pub(super) use member::Member;

use super::core::Core;
use super::frames;
use super::hub::AccountRef;
use super::open::Start;
use super::pages::Fetched;
use super::segment::Limits;
use super::signal::Marks;
use bytes::Bytes;
use channel_domain::time::Micros;
use channel_runtime::supervise::Owned;
use channel_store::log::Position;
use futures::Stream;
use place::Places;
use pulse::Pulse;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A live stream of frames, each the bytes of a `WatchResponse`. It ends after Goodbye.
#[derive(Debug)]
pub struct Subscription {
    member: Member,
    places: Places,
    /// Frames that come before all others: Hello and resets.
    first: VecDeque<Bytes>,
    /// Reading from the database, for one account at a time.
    fetch: Option<(u32, Owned<Fetched>)>,
    /// Accounts that were granted, on their way into the stream.
    joining: Option<Owned<Vec<(AccountRef, Position)>>>,
    limits: Limits,
    /// It follows whatever the caller may see.
    all: bool,
    caught_up: bool,
    /// It answers a poll: no frames that only a lasting stream needs.
    brief: bool,
    state: State,
    pulse: Pulse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Owned work was lost: it cannot go on.
    Broken,
    Ended,
}

impl Stream for Subscription {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        self.pulse.asked();
        let frame = ready!(self.poll_frame(cx));
        match &frame {
            Some(_) => self.pulse.sent(),
            None => self.state = State::Ended,
        }
        Poll::Ready(frame)
    }
}

impl Subscription {
    pub(super) fn new(member: Member, start: Start, limits: Limits, brief: bool) -> Self {
        let core = Arc::clone(&member.core);
        let expires_at = Micros(member.identity.expires_at);
        let mut stream = Self {
            pulse: Pulse::new(&core, expires_at, !brief),
            member,
            places: Places::default(),
            first: VecDeque::new(),
            fetch: None,
            joining: None,
            limits,
            all: start.all,
            caught_up: false,
            brief,
            state: State::Open,
        };
        stream.enter(start);
        stream
    }

    fn core(&self) -> &Arc<Core> {
        &self.member.core
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let marks = self.member.entry.signal.take(cx.waker());
            self.note(&marks);
            self.poll_work(cx);
            if let Some(frame) = self.first.pop_front() {
                return Poll::Ready(Some(frame));
            }
            if let Some(frame) = self.goodbye() {
                self.state = State::Ended;
                return Poll::Ready(frame);
            }
            if let Some(frame) = self.overdue_bookmark() {
                return Poll::Ready(Some(frame));
            }
            if let Some(frame) = self.produce() {
                return Poll::Ready(Some(frame));
            }
            if self.start_fetch() {
                continue;
            }
            if let Some(frame) = self.catch_up().or_else(|| self.due_bookmark()) {
                return Poll::Ready(Some(frame));
            }
            ready!(self.pulse.poll(cx));
        }
    }

    fn note(&mut self, marks: &Marks) {
        for slot in &marks.slots {
            self.places.look_at(*slot);
        }
        if marks.shutdown {
            self.pulse.shut_down();
        }
        if marks.access {
            self.review_access();
        }
    }

    /// Takes the results of work that has ended.
    fn poll_work(&mut self, cx: &mut Context<'_>) {
        if let Some((slot, work)) = &mut self.fetch
            && let Poll::Ready(fetched) = Pin::new(work).poll(cx)
        {
            let slot = *slot;
            self.fetch = None;
            match fetched {
                Ok(fetched) => self.fetched(slot, &fetched),
                Err(_) => self.state = State::Broken,
            }
        }
        if let Some(work) = &mut self.joining
            && let Poll::Ready(joined) = Pin::new(work).poll(cx)
        {
            self.joining = None;
            match joined {
                Ok(joined) => self.joined(joined),
                Err(_) => self.state = State::Broken,
            }
        }
    }

    /// Whether there is nothing to send, nor on its way.
    pub(super) fn is_settled(&self) -> bool {
        let at_rest = self.first.is_empty() && self.fetch.is_none() && self.joining.is_none();
        at_rest && self.places.are_settled()
    }

    /// Whether a unit has been sent in part.
    pub(super) fn is_within_unit(&self) -> bool {
        self.places.all().any(|place| place.at != place.safe)
    }

    /// Where the stream stands in every account, as a frame.
    pub(super) fn bookmark(&self) -> Bytes {
        let core = self.core();
        let epoch = core.hub.epoch().unwrap_or_default();
        let positions = self.places.all().map(|place| {
            let head = place.feed.end().seq.max(place.at.seq);
            frames::position(&place.feed.id, epoch, place.safe, head)
        });
        frames::bookmark(Micros(core.clock.now_micros()), positions.collect())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for place in self.places.all() {
            place.feed.leave(self.member.entry.id);
        }
    }
}

//! Frames about the stream itself.

use super::pulse::soon;
use super::{State, Subscription};
use crate::live::frames;
use bytes::Bytes;
use channel_proto::query::v1::GoodbyeReason;

impl Subscription {
    /// The last frame, when the stream must end; a brief one ends without.
    #[expect(clippy::option_option, reason = "whether it ends, and whether a frame says so")]
    pub(super) fn goodbye(&mut self) -> Option<Option<Bytes>> {
        let broken = self.state == State::Broken;
        let lost = broken.then(|| (GoodbyeReason::Rotate, Some(soon())));
        let waiting = !self.places.are_settled();
        let (reason, retry_after) = lost.or_else(|| self.pulse.ends(waiting))?;
        let meters = &self.core().meters;
        if reason == GoodbyeReason::Slow {
            meters.slow.add(1);
        }
        meters.goodbye(reason.as_str_name());
        Some((!self.brief).then(|| frames::goodbye(reason, retry_after)))
    }

    /// Says once that the past is through.
    pub(super) fn catch_up(&mut self) -> Option<Bytes> {
        if self.brief || self.caught_up || !self.places.have_caught_up() {
            return None;
        }
        self.caught_up = true;
        let ids = self.places.all().map(|place| place.feed.id.to_string());
        Some(frames::caught_up(ids.collect()))
    }

    pub(super) fn due_bookmark(&mut self) -> Option<Bytes> {
        self.pulse.is_quiet().then(|| self.send_bookmark())
    }

    pub(super) fn overdue_bookmark(&mut self) -> Option<Bytes> {
        self.pulse.is_overdue().then(|| self.send_bookmark())
    }

    fn send_bookmark(&mut self) -> Bytes {
        self.pulse.bookmarked();
        self.places.doubt_those_ahead();
        self.bookmark()
    }
}

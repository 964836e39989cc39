//! Making the next frame.

use super::Subscription;
use super::place::Place;
use crate::live::cursor::Cursor;
use crate::live::frames;
use crate::live::pages::{Fetched, Need, fetch};
use crate::live::segment::{Slice, Standing};
use bytes::Bytes;
use channel_proto::query::v1::ResetReason;
use channel_store::log::Position;
use std::sync::Arc;

/// What an account has for its stream.
enum Found {
    Frame(Bytes),
    Nothing,
    /// The place is further back than the ring.
    TooOld,
    /// The place is in another history; this one ends here.
    Void(ResetReason, Position, u32),
}

/// A frame, and where it leads.
struct Made {
    frame: Bytes,
    last: Position,
    more: bool,
}

impl Subscription {
    /// The next frame with events, or a reset: from each account in turn, so that a busy one cannot starve
    /// a quiet one.
    pub(super) fn produce(&mut self) -> Option<Bytes> {
        while let Some(slot) = self.places.next_ready() {
            match self.look_into(slot) {
                Found::Frame(frame) => {
                    self.places.look_at(slot);
                    return Some(frame);
                }
                Found::Void(reason, head, generation) => {
                    return self.reset(slot, reason, head, generation);
                }
                Found::TooOld => self.places.want(slot),
                Found::Nothing => {}
            }
        }
        None
    }

    fn look_into(&mut self, slot: u32) -> Found {
        let Some(place) = self.places.get(slot) else {
            return Found::Nothing;
        };
        let feed = Arc::clone(&place.feed);
        let ring = feed.ring();
        if ring.generation != place.generation {
            return Found::Void(ring.reason, ring.segment.end(), ring.generation);
        }
        let made = match ring.segment.find(place.at) {
            Standing::After => return Found::Nothing,
            Standing::Diverged => {
                let reason = ResetReason::Diverged;
                return Found::Void(reason, ring.segment.end(), ring.generation);
            }
            Standing::At(offset) => match ring.segment.cut(offset, self.limits) {
                None => return Found::Nothing,
                Some(slice) => {
                    self.observe_lag(&slice);
                    self.make(place, slice)
                }
            },
            Standing::Before => {
                drop(ring);
                match self.make_from_page(place) {
                    None => return Found::TooOld,
                    Some(made) => made,
                }
            }
        };
        self.places.advance(slot, made.last, made.more);
        Found::Frame(made.frame)
    }

    fn make_from_page(&self, place: &Place) -> Option<Made> {
        let pages = &self.core().pages;
        let page = pages.find(&place.feed, place.at, place.generation, self.limits)?;
        let slice = page.slice(place.at, self.limits)?;
        Some(self.make(place, slice))
    }

    fn make(&self, place: &Place, slice: Slice<'_>) -> Made {
        let epoch = self.core().hub.epoch().unwrap_or_default();
        Made {
            last: slice.last,
            more: slice.more,
            frame: frames::changes(&place.feed.id, slice, epoch),
        }
    }

    /// The oldest event of a frame has waited longest.
    fn observe_lag(&self, slice: &Slice<'_>) {
        if let Some(event) = slice.events.clone().next() {
            let micros = self.core().clock.now_micros() - event.committed;
            let millis = u32::try_from(micros.max(0)).map_or(f64::from(u32::MAX), f64::from);
            self.core().meters.lag.record(millis / 1e6);
        }
    }

    pub(super) fn reset(
        &mut self,
        slot: u32,
        reason: ResetReason,
        head: Position,
        generation: u32,
    ) -> Option<Bytes> {
        let place = self.places.get(slot)?;
        let id = Arc::clone(&place.feed.id);
        self.places.restart(slot, head, generation);
        self.places.look_at(slot);
        Some(self.reset_frame(&id, reason, Some(head)))
    }

    pub(super) fn reset_frame(
        &self,
        account_id: &str,
        reason: ResetReason,
        at: Option<Position>,
    ) -> Bytes {
        self.core().meters.reset(reason.as_str_name());
        let epoch = self.core().hub.epoch().unwrap_or_default();
        frames::reset(account_id, reason, at.map(|at| Cursor { epoch, at }))
    }

    /// Starts to read from the database for the account that has wanted it longest, unless it is at that
    /// already. Returns whether it started.
    pub(super) fn start_fetch(&mut self) -> bool {
        if self.fetch.is_some() {
            return false;
        }
        let Some(slot) = self.places.next_wanting() else {
            return false;
        };
        let Some(place) = self.places.get(slot) else {
            return true;
        };
        let need = Need {
            feed: Arc::clone(&place.feed),
            at: place.at,
            generation: place.generation,
            limits: self.limits,
            stream: Arc::downgrade(&self.member.entry.signal),
        };
        let core = Arc::clone(self.core());
        let work = fetch(Arc::clone(&core), need);
        self.fetch = Some((slot, core.tasks.spawn_owned(work)));
        true
    }

    pub(super) fn fetched(&mut self, slot: u32, fetched: &Fetched) {
        match fetched {
            Fetched::Ready => self.places.look_at(slot),
            Fetched::Stale(reason, head) => {
                let generation = self.places.get(slot).map(|place| place.generation);
                let frame = self.reset(slot, *reason, *head, generation.unwrap_or_default());
                self.first.extend(frame);
            }
            // Whatever comes next is told by the feed, or by the loss of access.
            Fetched::Empty | Fetched::Gone => {}
        }
    }
}

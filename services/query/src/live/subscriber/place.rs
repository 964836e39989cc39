//! Where a stream stands in its accounts.

use crate::live::feed::Feed;
use channel_store::log::Position;
use std::collections::VecDeque;
use std::sync::Arc;

/// Where a stream stands in one account.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) feed: Arc<Feed>,
    /// The last event sent.
    pub(super) at: Position,
    /// The last end of a unit sent: what a client may store.
    pub(super) safe: Position,
    /// The history that `at` belongs to.
    pub(super) generation: u32,
    /// The head at which it counts as caught up.
    target: u64,
    behind: bool,
    looked_for: bool,
    wanting: bool,
}

/// The places of one stream. A slot is a place's number for as long as the stream lasts.
#[derive(Debug, Default)]
pub(super) struct Places {
    slots: Vec<Option<Place>>,
    /// Slots that may have something to send, each once, in turn.
    ready: VecDeque<u32>,
    /// Slots that can only go on from the database.
    wanting: VecDeque<u32>,
    /// How many have not caught up.
    behind: usize,
}

impl Places {
    /// The slot that the next place will have.
    pub(super) fn next_slot(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn add(&mut self, feed: Arc<Feed>, at: Position, generation: u32, target: u64) {
        let slot = self.next_slot();
        let behind = at.seq < target;
        self.behind += usize::from(behind);
        self.slots.push(Some(Place {
            feed,
            at,
            safe: at,
            generation,
            target,
            behind,
            looked_for: false,
            wanting: false,
        }));
        self.look_at(slot);
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Place> {
        let place = self.slots.get_mut(slot as usize)?.take()?;
        self.behind -= usize::from(place.behind);
        Some(place)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Place> {
        self.slots.get(slot as usize)?.as_ref()
    }

    fn get_mut(&mut self, slot: u32) -> Option<&mut Place> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Place> {
        self.slots.iter().flatten()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &Place)> {
        let numbered = (0..).zip(&self.slots);
        numbered.filter_map(|(slot, place)| Some((slot, place.as_ref()?)))
    }

    /// Puts a slot at the end of the line, unless it stands in it.
    pub(super) fn look_at(&mut self, slot: u32) {
        if let Some(place) = self.get_mut(slot)
            && !place.looked_for
        {
            place.looked_for = true;
            self.ready.push_back(slot);
        }
    }

    /// The slot at the head of the line.
    pub(super) fn next_ready(&mut self) -> Option<u32> {
        let slot = self.ready.pop_front()?;
        if let Some(place) = self.get_mut(slot) {
            place.looked_for = false;
        }
        Some(slot)
    }

    pub(super) fn want(&mut self, slot: u32) {
        if let Some(place) = self.get_mut(slot)
            && !place.wanting
        {
            place.wanting = true;
            self.wanting.push_back(slot);
        }
    }

    /// A place beyond its ring is there because a page was read before the tailer came by, which lasts a
    /// moment, or because the log lost its tail just then. The database knows.
    pub(super) fn doubt_those_ahead(&mut self) {
        let ahead = |place: &Place| place.at.seq > place.feed.end().seq;
        let slots: Vec<_> =
            self.slots().filter(|(_, place)| ahead(place)).map(|(slot, _)| slot).collect();
        for slot in slots {
            self.want(slot);
        }
    }

    pub(super) fn next_wanting(&mut self) -> Option<u32> {
        let slot = self.wanting.pop_front()?;
        if let Some(place) = self.get_mut(slot) {
            place.wanting = false;
        }
        Some(slot)
    }

    /// Notes that everything up to `last` was sent.
    pub(super) fn advance(&mut self, slot: u32, last: Position, within_unit: bool) {
        let Some(place) = self.get_mut(slot) else {
            return;
        };
        place.at = last;
        if !within_unit {
            place.safe = last;
        }
        if place.behind && place.safe.seq >= place.target {
            place.behind = false;
            self.behind -= 1;
        }
    }

    /// Goes on from `head`, in a history of its own.
    pub(super) fn restart(&mut self, slot: u32, head: Position, generation: u32) {
        let Some(place) = self.get_mut(slot) else {
            return;
        };
        place.generation = generation;
        place.target = place.target.min(head.seq);
        self.advance(slot, head, false);
    }

    pub(super) const fn have_caught_up(&self) -> bool {
        self.behind == 0
    }

    pub(super) fn are_settled(&self) -> bool {
        self.behind == 0 && self.ready.is_empty() && self.wanting.is_empty()
    }
}

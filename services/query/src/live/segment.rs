//! A piece of one account's log without gaps, and how it is cut into frames.

use super::event::Event;
use channel_store::log::Position;
use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

/// The contract allows no more changes in one frame.
const MOST_EVENTS: usize = 500;

/// Events that follow each other, after `start`.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    start: Position,
    events: VecDeque<Event>,
    bytes: usize,
}

/// Where a reader stands in relation to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Before it: something in between is missing here.
    Before,
    /// So many of its events are behind the reader.
    At(usize),
    /// After it.
    After,
    /// At one of its numbers, but of another history.
    Diverged,
}

/// How long frames may get, in bytes of their events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// No more units are added to a frame of this size.
    pub(super) enough: usize,
    /// A unit is cut before it gets larger than this.
    pub(super) most: usize,
}

/// Events that make one frame.
#[derive(Debug, Clone)]
pub(super) struct Slice<'a> {
    /// Just before the first event.
    pub(super) before: Position,
    /// At the last event.
    pub(super) last: Position,
    pub(super) events: Iter<'a, Event>,
    pub(super) bytes: usize,
    /// It ends within a unit.
    pub(super) more: bool,
}

impl Segment {
    pub(super) const fn new(start: Position) -> Self {
        Self { start, events: VecDeque::new(), bytes: 0 }
    }

    pub(super) const fn start(&self) -> Position {
        self.start
    }

    pub(super) fn end(&self) -> Position {
        self.events.back().map_or(self.start, |last| last.at)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the event that follows the last one.
    pub(super) fn push(&mut self, event: Event) {
        debug_assert_eq!(event.at.seq, self.end().seq + 1, "a segment has no gaps");
        self.bytes += event.wire.len();
        self.events.push_back(event);
    }

    /// Notes that the last event is the last of its commit, and so of its unit.
    pub(super) fn seal(&mut self) {
        if let Some(last) = self.events.back_mut() {
            last.unit_end = true;
        }
    }

    /// Forgets the oldest event.
    pub(super) fn shift(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.start = event.at;
        self.bytes -= event.wire.len();
        Some(event)
    }

    pub(super) fn find(&self, at: Position) -> Standing {
        let Some(offset) = at.seq.checked_sub(self.start.seq) else {
            return Standing::Before;
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let here = match offset.checked_sub(1) {
            None => Some(self.start),
            Some(index) => self.events.get(index).map(|event| event.at),
        };
        match here {
            None => Standing::After,
            Some(here) if here == at => Standing::At(offset),
            Some(_) => Standing::Diverged,
        }
    }

    /// The events of the next frame after the first `offset` ones: whole units, or the beginning of one
    /// that is larger than a frame. `None` when the next unit is not complete here.
    pub(super) fn cut(&self, offset: usize, limits: Limits) -> Option<Slice<'_>> {
        let (mut count, mut bytes) = (0, 0);
        let mut units = None;
        for event in self.events.range(offset.min(self.len())..) {
            let with = bytes + event.wire.len();
            let full = count == MOST_EVENTS || (count > 0 && with > limits.most);
            if full && units.is_none() {
                return Some(self.slice(offset, count, bytes, true));
            }
            if full || (units.is_some() && with > limits.enough) {
                break;
            }
            (count, bytes) = (count + 1, with);
            if event.unit_end {
                units = Some((count, bytes));
            }
        }
        let (count, bytes) = units?;
        Some(self.slice(offset, count, bytes, false))
    }

    /// All events, as the beginning of a unit that is larger than the segment.
    pub(super) fn part(&self, limits: Limits) -> Option<Slice<'_>> {
        self.cut(0, limits)
            .or_else(|| (self.len() > 0).then(|| self.slice(0, self.len(), self.bytes, true)))
    }

    fn slice(&self, offset: usize, count: usize, bytes: usize, more: bool) -> Slice<'_> {
        let at = |index: usize| match index.checked_sub(1) {
            None => self.start,
            Some(index) => self.events.get(index).map_or(self.start, |event| event.at),
        };
        Slice {
            before: at(offset),
            last: at(offset + count),
            events: self.events.range(offset..offset + count),
            bytes,
            more,
        }
    }
}

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::{SignedDuration, Timestamp};

use super::poison::Crafter;
use super::{Fault, FaultRecord, Faults};
use crate::dice::Dice;
use crate::event::{Event, Kind};

/// A wire that copies, reorders, delays, drops and poisons what goes over it.
///
/// Pure and streaming: it holds back no more than the window and what is delayed. Times never go
/// back in what comes out.
#[derive(Debug)]
pub struct Faulty<I> {
    source: I,
    faults: Faults,
    dice: Dice,
    crafter: Crafter,
    admitted: u64,
    placed: u64,
    drained: bool,
    window: BinaryHeap<Reverse<Held>>,
    delayed: BinaryHeap<Reverse<Held>>,
    last: Timestamp,
    records: Vec<FaultRecord>,
}

/// An event that waits for its turn: at a place in the window, or at a time in microseconds.
#[derive(Debug)]
struct Held {
    turn: i64,
    tie: u64,
    late_until: Option<Timestamp>,
    event: Event,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Held {}
impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.turn, self.tie).cmp(&(other.turn, other.tie))
    }
}

impl<I: Iterator<Item = Event>> Faulty<I> {
    /// Sends `source` over a wire with these faults.
    pub fn new(source: I, faults: Faults, seed: u64) -> Self {
        Self {
            source,
            crafter: Crafter::new(Dice::new(seed, 6), faults.oversize_bytes),
            faults,
            dice: Dice::new(seed, 5),
            admitted: 0,
            placed: 0,
            drained: false,
            window: BinaryHeap::new(),
            delayed: BinaryHeap::new(),
            last: Timestamp::MIN,
            records: Vec::new(),
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn records(&self) -> &[FaultRecord] {
        &self.records
    }

    /// The sequence without faults.
    pub fn source(&self) -> &I {
        &self.source
    }

    /// The sequence without faults, to be steered.
    pub fn source_mut(&mut self) -> &mut I {
        &mut self.source
    }

    /// Ends the recording and gives back its parts.
    pub fn into_parts(self) -> (I, Vec<FaultRecord>) {
        (self.source, self.records)
    }

    fn admit(&mut self, event: Event) {
        self.admitted += 1;
        self.maybe_poison(&event);
        if self.dice.chance(self.faults.drop) {
            return self.record(&event, Fault::Dropped);
        }
        if self.dice.chance(self.faults.duplicate) {
            self.record(&event, Fault::Duplicated);
            let late = self.dice.below(self.faults.reorder_window + 1);
            self.place(Event { duplicate: true, ..event.clone() }, late, None);
        }
        let late = self.maybe_reorder(&event);
        let until = self.maybe_delay(&event);
        self.place(event, late, until);
    }

    fn maybe_reorder(&mut self, event: &Event) -> usize {
        if self.faults.reorder_window == 0 || !self.dice.chance(self.faults.reorder) {
            return 0;
        }
        let by = 1 + self.dice.below(self.faults.reorder_window);
        self.record(event, Fault::Reordered { by });
        by
    }

    fn maybe_delay(&mut self, event: &Event) -> Option<Timestamp> {
        if !self.dice.chance(self.faults.delay) {
            return None;
        }
        let late_ms = self.dice.between(1, self.faults.delay_max_ms.max(1));
        let late = SignedDuration::from_millis(i64::try_from(late_ms).unwrap_or(i64::MAX));
        let until = event.at.checked_add(late).unwrap_or(Timestamp::MAX);
        self.record(event, Fault::Delayed { until });
        Some(until)
    }

    fn maybe_poison(&mut self, event: &Event) {
        if !self.dice.chance(self.faults.poison) {
            return;
        }
        let Some(&with) = self.dice.pick(&self.faults.poison_kinds) else {
            return;
        };
        self.record(event, Fault::Poisoned { with });
        let (message_id, body) = self.crafter.craft(with, event);
        let kind = Kind::Poison(with);
        self.place(Event { kind, message_id, body, ..event.clone() }, 0, None);
    }

    fn record(&mut self, event: &Event, fault: Fault) {
        self.records.push(FaultRecord { number: event.number, fault });
    }

    /// Puts an event into the window, `late` places behind its own.
    fn place(&mut self, event: Event, late: usize, late_until: Option<Timestamp>) {
        self.placed += 1;
        let place = self.admitted + late as u64;
        let turn = i64::try_from(place).unwrap_or(i64::MAX);
        self.window.push(Reverse(Held { turn, tie: self.placed, late_until, event }));
    }

    /// The next event of the window, once nothing that is still to come can precede it.
    fn take_settled(&mut self) -> Option<Held> {
        let Reverse(first) = self.window.peek()?;
        let settled = u64::try_from(first.turn).is_ok_and(|place| place <= self.admitted);
        if settled || self.drained { self.window.pop().map(|Reverse(held)| held) } else { None }
    }

    /// A delayed event that is due before `now`.
    fn due(&mut self, now: Timestamp) -> Option<Held> {
        let Reverse(first) = self.delayed.peek()?;
        if first.turn > now.as_microsecond() {
            return None;
        }
        self.delayed.pop().map(|Reverse(held)| held)
    }

    fn send(&mut self, mut event: Event) -> Event {
        self.last = self.last.max(event.at);
        event.at = self.last;
        event
    }

    /// What can go out now; `None` when more of the source is needed.
    fn ready(&mut self) -> Option<Event> {
        while let Some(held) = self.take_settled() {
            if let Some(until) = held.late_until {
                let turn = until.as_microsecond();
                let event = Event { at: until, ..held.event };
                self.delayed.push(Reverse(Held { turn, late_until: None, event, ..held }));
                continue;
            }
            if let Some(due) = self.due(held.event.at) {
                self.window.push(Reverse(held));
                return Some(self.send(due.event));
            }
            return Some(self.send(held.event));
        }
        if self.drained {
            return self.due(Timestamp::MAX).map(|held| self.send(held.event));
        }
        None
    }
}

impl<I: Iterator<Item = Event>> Iterator for Faulty<I> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            if self.drained {
                return None;
            }
            match self.source.next() {
                Some(event) => self.admit(event),
                None => self.drained = true,
            }
        }
    }
}

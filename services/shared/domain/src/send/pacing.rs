//! How fast one account may send, so that WhatsApp does not take it for a machine.

use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The speed allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The least time between two messages of one account.
    pub interval: Duration,
    /// How many messages may follow each other at once after a quiet time.
    pub burst: u32,
    /// How many chats an account may start in a day.
    pub new_chats_a_day: u32,
    /// The least time between two new chats.
    pub new_chat_interval: Duration,
    /// The first wait after UniPile said "too many"; each further one doubles it.
    pub slow_down: Duration,
}

/// WhatsApp watches new chats above all; UniPile advises 10 to 20 seconds between messages and calls
/// answers to people who wrote first safe (its page on provider limits).
impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(3),
            burst: 5,
            new_chats_a_day: 20,
            new_chat_interval: Duration::from_mins(2),
            slow_down: Duration::from_secs(30),
        }
    }
}

/// What is remembered of an account's sending. It lies in the database, so that all processes share it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// The time at which the account would have caught up with its interval; before it lies the burst.
    #[serde(default)]
    busy_until: Micros,
    /// Nothing may be sent before.
    #[serde(default)]
    paused_until: Micros,
    /// How often in a row UniPile said "too many".
    #[serde(default)]
    told_off: u32,
    /// When the last chats were started, the oldest first.
    #[serde(default)]
    chats: Vec<Micros>,
}

/// What waits before a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Messages, those that start chats among them.
    pub messages: u32,
    /// Those of them that start chats.
    pub starts: u32,
}

const DAY: i64 = 86_400_000_000;

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Pacing {
    /// The earliest time at which a message may leave.
    #[must_use]
    pub fn earliest(&self, new_chat: bool, pace: &Pace, now: Micros) -> Micros {
        let credit = micros(pace.interval).saturating_mul(i64::from(pace.burst.max(1)) - 1);
        let by_bucket = Micros(self.busy_until.0.saturating_sub(credit));
        let by_chats = if new_chat { self.next_chat(pace, now) } else { Micros(i64::MIN) };
        now.max(by_bucket).max(self.paused_until).max(by_chats)
    }

    /// Notes that a message leaves.
    pub fn take(&mut self, new_chat: bool, pace: &Pace, now: Micros) {
        let from = self.busy_until.max(now);
        self.busy_until = Micros(from.0.saturating_add(micros(pace.interval)));
        if new_chat {
            self.chats.retain(|at| at.0 > now.0 - DAY);
            self.chats.push(now);
        }
    }

    /// The chat that was begun then was not started, for certain and through no fault of its message.
    pub fn give_back(&mut self, began: Option<Micros>) {
        if let Some(at) = self.chats.iter().rposition(|at| Some(*at) == began) {
            self.chats.remove(at);
        }
    }

    /// UniPile said "too many": everything waits, longer each time.
    pub fn slow_down(&mut self, wait: Option<Duration>, pace: &Pace, now: Micros) {
        let own = pace.slow_down * (1 << self.told_off.min(7));
        self.told_off = self.told_off.saturating_add(1);
        let until = now.0.saturating_add(micros(wait.unwrap_or_default().max(own)));
        self.paused_until = self.paused_until.max(Micros(until));
    }

    /// A message went through.
    pub const fn went_through(&mut self) {
        self.told_off = 0;
    }

    /// About how long a message waits behind others.
    #[must_use]
    pub fn expected(&self, ahead: Ahead, new_chat: bool, pace: &Pace, now: Micros) -> Duration {
        let mut then = self.clone();
        let starts = if new_chat { ahead.starts } else { 0 };
        let mut at = now;
        for _ in 0..starts.min(1000) {
            at = then.next_chat(pace, at);
            then.chats.push(at);
        }
        for _ in 0..ahead.messages.min(10_000) {
            let at = then.earliest(false, pace, now);
            then.take(false, pace, at);
        }
        let wait = then.earliest(new_chat, pace, now).max(at).0 - now.0;
        Duration::from_micros(u64::try_from(wait).unwrap_or(0))
    }

    /// Whether one more chat may be started today, where some wait to be.
    ///
    /// # Errors
    ///
    /// If not: when, about.
    pub fn room_for_chat(&self, starts: u32, pace: &Pace, now: Micros) -> Result<(), Micros> {
        let today: Vec<_> = self.chats.iter().filter(|at| at.0 > now.0 - DAY).collect();
        let over = (today.len() + starts as usize).checked_sub(pace.new_chats_a_day as usize);
        let Some(over) = over else { return Ok(()) };
        Err(Micros(today.get(over).map_or(now.0, |at| at.0).saturating_add(DAY)))
    }

    /// When the next chat may be started.
    #[must_use]
    pub fn next_chat(&self, pace: &Pace, now: Micros) -> Micros {
        let today: Vec<_> = self.chats.iter().filter(|at| at.0 > now.0 - DAY).collect();
        let cap = pace.new_chats_a_day as usize;
        let by_day = match today.len().checked_sub(cap) {
            _ if cap == 0 => Micros(i64::MAX),
            Some(over) => Micros(today[over].0.saturating_add(DAY)),
            None => now,
        };
        let last = today.last().map(|at| at.0.saturating_add(micros(pace.new_chat_interval)));
        now.max(by_day).max(Micros(last.unwrap_or(i64::MIN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        interval: Duration::from_secs(3),
        burst: 3,
        new_chats_a_day: 2,
        new_chat_interval: Duration::from_mins(1),
        slow_down: Duration::from_secs(30),
    };

    fn at(seconds: i64) -> Micros {
        Micros(1_769_940_000_000_000 + seconds * 1_000_000)
    }

    /// When `count` messages leave that all wait from second 0 on, in seconds.
    fn leaves(pacing: &mut Pacing, count: usize, new_chat: bool) -> Vec<i64> {
        let mut now = at(0);
        let next = |_| {
            now = pacing.earliest(new_chat, &PACE, now);
            pacing.take(new_chat, &PACE, now);
            (now.0 - at(0).0) / 1_000_000
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_interval() {
        assert_eq!(leaves(&mut Pacing::default(), 6, false), [0, 0, 0, 3, 6, 9]);
    }

    #[test]
    fn new_chats_are_far_slower_and_capped_by_the_day() {
        assert_eq!(leaves(&mut Pacing::default(), 3, true), [0, 60, 86_400]);
    }

    #[test]
    fn too_many_makes_everything_wait_longer_each_time() {
        let mut pacing = Pacing::default();
        pacing.slow_down(None, &PACE, at(0));
        assert_eq!(pacing.earliest(false, &PACE, at(0)), at(30));
        pacing.slow_down(None, &PACE, at(30));
        assert_eq!(pacing.earliest(false, &PACE, at(30)), at(90));
        pacing.went_through();
        pacing.slow_down(Some(Duration::from_mins(5)), &PACE, at(100));
        assert_eq!(pacing.earliest(false, &PACE, at(100)), at(400));
    }

    #[test]
    fn the_expected_wait_is_the_wait() {
        let pacing = Pacing::default();
        let behind = |messages| Ahead { messages, starts: 0 };
        let wait = |ahead, new_chat| pacing.expected(ahead, new_chat, &PACE, at(0)).as_secs();
        assert_eq!([0, 2, 3, 5].map(|ahead| wait(behind(ahead), false)), [0, 0, 3, 9]);
        let starts = [0, 1, 2].map(|starts| wait(Ahead { messages: starts, starts }, true));
        assert_eq!(starts, [0, 60, 86_400]);
    }

    #[test]
    fn a_day_has_room_for_so_many_new_chats_those_that_wait_among_them() {
        let mut pacing = Pacing::default();
        assert_eq!([0, 1].map(|starts| pacing.room_for_chat(starts, &PACE, at(0))), [Ok(()); 2]);
        pacing.take(true, &PACE, at(0));
        assert_eq!(pacing.room_for_chat(0, &PACE, at(60)), Ok(()));
        pacing.take(true, &PACE, at(60));
        assert_eq!(pacing.room_for_chat(0, &PACE, at(61)), Err(at(86_400)));
        pacing.give_back(Some(at(60)));
        assert_eq!(pacing.room_for_chat(1, &PACE, at(60)), Err(at(86_400)));
        assert_eq!(pacing.room_for_chat(1, &PACE, at(86_400)), Ok(()));
    }
}

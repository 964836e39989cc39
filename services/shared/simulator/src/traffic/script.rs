use jiff::{SignedDuration, Timestamp};

use super::Traffic;
use crate::config::SimulatorConfig;
use crate::dice::Dice;
use crate::event::Event;
use crate::webhook;
use crate::world::{Model, SharedWorld, World};

/// How long before the start the history begins.
const HISTORY_SPAN: SignedDuration = SignedDuration::from_hours(6);

/// The pace at which the history comes in.
const HISTORY_GAP: SignedDuration = SignedDuration::from_millis(20);

/// 2026-02-01T10:00:00Z, for runs that name no start.
const FIXED_START_SECONDS: i64 = 1_769_940_000;

/// The sequence of webhooks that a perfect wire would carry. Pure: the same configuration gives
/// the same events, byte for byte.
#[derive(Debug)]
pub struct Script {
    world: SharedWorld,
    traffic: Traffic,
    pace: Dice,
    start: Timestamp,
    now: Timestamp,
    upcoming: Option<(Timestamp, Timestamp)>,
    mean_gap_seconds: f64,
    history: u64,
    told: u64,
    number: u64,
    total: Option<u64>,
}

impl Script {
    /// The script of a configuration, at its beginning.
    #[must_use]
    pub fn new(config: &SimulatorConfig) -> Self {
        let fixed = Timestamp::from_second(FIXED_START_SECONDS).unwrap_or_default();
        let start = config.start.unwrap_or(fixed);
        let mut world = World::seeded(config, whole_seconds(start - HISTORY_SPAN));
        world.turn_to(config.seed, config.chapter);
        let traffic = Traffic::new(config, &world);
        Self {
            traffic,
            world: SharedWorld::new(world),
            pace: Dice::of_chapter(config.seed, config.chapter, 4),
            start,
            now: start,
            upcoming: None,
            mean_gap_seconds: 1.0 / config.rate_per_second,
            history: if config.chapter == 0 { config.history } else { 0 },
            told: 0,
            number: 0,
            total: config.total,
        }
    }

    /// The truth after the events that were taken so far.
    #[must_use]
    pub fn model(&self) -> Model {
        self.world.lock().model()
    }

    /// The world in which it plays.
    pub(crate) fn world(&self) -> SharedWorld {
        self.world.clone()
    }

    /// When the next event is sent; `None` after the last.
    pub(crate) fn due(&mut self) -> Option<Timestamp> {
        if self.total.is_some_and(|total| self.number >= total) {
            return None;
        }
        let times = self.upcoming.take().unwrap_or_else(|| self.next_times());
        self.upcoming = Some(times);
        Some(times.0)
    }

    /// Where the virtual clock started.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Moves the virtual clock on, if it is behind: a machine that slept goes on with the present.
    pub fn catch_up(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// When the next event is sent, and when what it tells of happened.
    fn next_times(&mut self) -> (Timestamp, Timestamp) {
        if self.traffic.is_announcing() {
            return (self.now, whole_seconds(self.now));
        }
        if self.told < self.history {
            let happened = history_time(self.start, self.told, self.history);
            self.told += 1;
            self.now += HISTORY_GAP;
            return (self.now, whole_seconds(happened));
        }
        self.traffic.go_live();
        let gap = self.mean_gap_seconds * (0.5 + self.pace.fraction());
        self.now += SignedDuration::try_from_secs_f64(gap).unwrap_or_default();
        (self.now, whole_seconds(self.now))
    }
}

impl Iterator for Script {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.total.is_some_and(|total| self.number >= total) {
            return None;
        }
        let (at, happened) = self.upcoming.take().unwrap_or_else(|| self.next_times());
        let mut world = self.world.lock();
        let change = self.traffic.step(&mut world, happened)?;
        let webhook = webhook::render(&world, change, happened)?;
        let number = self.number;
        self.number += 1;
        Some(webhook.into_event(number, at))
    }
}

fn history_time(start: Timestamp, told: u64, of: u64) -> Timestamp {
    let span = HISTORY_SPAN.as_secs();
    let share = i128::from(span) * i128::from(told) / i128::from(of.max(1));
    start - HISTORY_SPAN + SignedDuration::from_secs(i64::try_from(share).unwrap_or_default())
}

/// WhatsApp's times have no fractions.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

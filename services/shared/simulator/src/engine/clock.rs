use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::traffic::whole_seconds;

/// What time it is in the world.
#[derive(Debug)]
pub(crate) enum Clock {
    /// That of the machine.
    Wall,
    /// A second passes with everything that happens, so that a run repeats. Holds the seconds of now.
    Stepped(AtomicI64),
}

impl Clock {
    /// A fixed start makes time a matter of what happens.
    pub(crate) fn new(start: Option<Timestamp>) -> Self {
        start.map_or(Self::Wall, |start| Self::Stepped(AtomicI64::new(start.as_second())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Timestamp::now(),
            Self::Stepped(seconds) => at(seconds.load(Ordering::Relaxed)),
        }
    }

    /// The time of something that happens now, in whole seconds as WhatsApp has it.
    pub(crate) fn tick(&self) -> Timestamp {
        match self {
            Self::Wall => whole_seconds(Timestamp::now()),
            Self::Stepped(seconds) => at(seconds.fetch_add(1, Ordering::Relaxed) + 1),
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

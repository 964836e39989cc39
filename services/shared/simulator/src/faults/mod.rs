//! What goes wrong between UniPile and the receiver, on demand and seeded.

mod poison;
mod settings;
mod wire;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use poison::Poison;
pub use settings::Faults;
pub use wire::Faulty;

/// One thing that was done to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The event's place in the script.
    pub number: u64,
    /// What was done.
    pub fault: Fault,
}

/// What can be done to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Sent a second time.
    Duplicated,
    /// Up to this many later events may overtake it.
    Reordered {
        /// At least 1, at most the window.
        by: usize,
    },
    /// Sent later.
    Delayed {
        /// When it is sent, at the earliest.
        until: Timestamp,
    },
    /// Never sent.
    Dropped,
    /// A body that is not what UniPile sends was put beside it.
    Poisoned {
        /// What is wrong with the body.
        with: Poison,
    },
}

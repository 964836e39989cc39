//! How UniPile, WhatsApp and the people in it behave when nothing goes wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::dice::Dice;

/// The shortest and the longest time that something takes, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span(pub u64, pub u64);

impl Span {
    pub(crate) fn draw(self, dice: &mut Dice) -> Duration {
        Duration::from_millis(dice.between(self.0, self.1.max(self.0)))
    }
}

/// What the API allows, and what follows by itself from what is done over it. By default all follows
/// at once, and nobody answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// From accepting a message to the webhook that echoes it.
    pub echo_ms: Span,
    /// From there to its being delivered.
    pub delivered_ms: Span,
    /// From there to its being read.
    pub read_ms: Span,
    /// From there to an answer.
    pub answer_ms: Span,
    /// The chance that a message is read.
    pub reads: f64,
    /// The chance that a message which was read is answered.
    pub answers: f64,
    /// From showing a QR code to its being scanned; `None` leaves that to the control endpoint.
    pub scan_after_ms: Option<u64>,
    /// From the connection of an account to the end of its first synchronisation.
    pub sync_ms: u64,
    /// How long a QR code is good for.
    pub attempt_ms: u64,
    /// The status with which a QR code is answered: documents say 202, the schema 201.
    pub checkpoint_status: u16,
    /// How long after sending an edit has an effect. Later ones are answered as if they had one.
    pub edit_window_ms: u64,
    /// Characters in a text.
    pub longest_text: usize,
    /// Bytes in a file.
    pub largest_file: usize,
    /// Bytes of files that were sent and can be downloaded again; the oldest go first.
    pub files_kept: usize,
    /// Where reactions are posted; sources disagree.
    pub reactions: ReactionPath,
    /// What becomes of webhooks about messages while an account is down by hand.
    pub missed: Missed,
}

/// The last part of the path for reactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReactionPath {
    /// `…/reaction`.
    #[default]
    Singular,
    /// `…/reactions`.
    Plural,
    /// Both of them.
    Both,
}

/// What becomes of webhooks about messages while an account is down by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are sent once the account is back, as UniPile says it does.
    #[default]
    SentLater,
    /// They are lost: only the lists show what happened.
    Lost,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            echo_ms: Span(0, 0),
            delivered_ms: Span(0, 0),
            read_ms: Span(0, 0),
            answer_ms: Span(0, 0),
            reads: 1.0,
            answers: 0.0,
            scan_after_ms: Some(0),
            sync_ms: 0,
            attempt_ms: 300_000,
            checkpoint_status: 202,
            edit_window_ms: 900_000,
            longest_text: 65_536,
            largest_file: 15 * 1024 * 1024,
            files_kept: 64 * 1024 * 1024,
            reactions: ReactionPath::Singular,
            missed: Missed::SentLater,
        }
    }
}

impl Behaviour {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let says = |ok: bool, field, rule| {
            if ok { Ok(()) } else { Err(ConfigError { field, rule }) }
        };
        let chance = |chance: f64| (0.0..=1.0).contains(&chance);
        says(chance(self.reads), "api.behaviour.reads", "from 0 to 1")?;
        says(chance(self.answers), "api.behaviour.answers", "from 0 to 1")?;
        let good = (200..300).contains(&self.checkpoint_status);
        says(good, "api.behaviour.checkpoint_status", "from 200 to 299")
    }

    /// As people are: they take their time, do not read everything, and answer more often than not.
    #[must_use]
    pub fn lively() -> Self {
        Self {
            echo_ms: Span(20, 400),
            delivered_ms: Span(300, 2_000),
            read_ms: Span(1_500, 9_000),
            answer_ms: Span(2_500, 12_000),
            reads: 0.95,
            answers: 0.65,
            scan_after_ms: Some(6_000),
            sync_ms: 4_000,
            ..Self::default()
        }
    }
}

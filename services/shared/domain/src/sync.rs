//! Synchronisations: reading what UniPile has, page by page, and where that stands.
//!
//! ```text
//! queued ─▶ running ─▶ done
//!    ▲       │  ▲  └──▶ failed
//!    │       ▼  │           cancelled (from each of the first three)
//!    └───── paused
//! ```
//!
//! Whoever runs one has taken it under a number that goes up with each taking: what an earlier one still
//! says counts no more.

use crate::ids::ChatId;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// Screens learn how far it came this often at the most, in microseconds.
const SHOWN_EVERY: i64 = 500_000;

/// What a synchronisation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum SyncKind {
    /// Imports an account's chats and messages.
    History = 1,
    /// Fetches what may have been missed.
    Repair = 2,
    /// Imports one chat.
    Chat = 3,
}

impl SyncKind {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::History,
            2 => Self::Repair,
            3 => Self::Chat,
            _ => return None,
        })
    }
}

/// Where a synchronisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum SyncState {
    /// Waits to start.
    Queued = 1,
    /// Runs; goes on where it was after a restart.
    Running = 2,
    /// Waits because the account or UniPile is away.
    Paused = 3,
    /// Finished.
    Done = 4,
    /// Given up.
    Failed = 5,
    /// Cancelled.
    Cancelled = 6,
}

impl SyncState {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Queued,
            2 => Self::Running,
            3 => Self::Paused,
            4 => Self::Done,
            5 => Self::Failed,
            6 => Self::Cancelled,
            _ => return None,
        })
    }

    /// Whether it goes on.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

/// One synchronisation of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// Our key, among the keys of the account's rows.
    pub key: i64,
    /// The public id.
    pub id: Uuid,
    /// What it does.
    pub kind: SyncKind,
    /// Where it stands.
    pub state: SyncState,
    /// The chat, if it imports one.
    pub chat: Option<ChatId>,
    /// Not older than this, by the provider's time.
    pub since: Option<Micros>,
    /// Ask UniPile to read the chat anew from the phone first.
    #[serde(default)]
    pub deep: bool,
    /// Where the list of chats, or of messages in a repair, goes on.
    pub cursor: Option<String>,
    /// That list was read to its end.
    pub listed: bool,
    /// Pages of that list so far.
    pub pages: u32,
    /// Chats found so far.
    pub chats_total: u64,
    /// Chats finished.
    pub chats_done: u64,
    /// Of these, chats that could not be read to their end.
    pub chats_failed: u64,
    /// Messages read.
    pub messages_read: u64,
    /// Messages that were new.
    pub messages_added: u64,
    /// When it was asked for.
    pub requested_at: Micros,
    /// When it started first. All that UniPile had then is here once it is done.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// When it is due, or up to when it is taken.
    pub next_at: Micros,
    /// For how long it is taken, in microseconds.
    pub lease: i64,
    /// How often it was taken.
    pub taken: u32,
    /// How often in a row it could not go on.
    pub tries: u32,
    /// Why it is paused or was given up: a stable reason.
    pub reason: Option<String>,
    /// When screens were told last.
    pub shown_at: Micros,
    /// The sequence number of the last event about it.
    pub rev: u64,
}

impl Sync {
    /// One that was just asked for, due at `at`.
    #[must_use]
    pub const fn new(key: i64, id: Uuid, kind: SyncKind, at: Micros, now: Micros) -> Self {
        Self {
            key,
            id,
            kind,
            state: SyncState::Queued,
            chat: None,
            since: None,
            deep: false,
            cursor: None,
            listed: false,
            pages: 0,
            chats_total: 0,
            chats_done: 0,
            chats_failed: 0,
            messages_read: 0,
            messages_added: 0,
            requested_at: now,
            started_at: None,
            ended_at: None,
            next_at: at,
            lease: 0,
            taken: 0,
            tries: 0,
            reason: None,
            shown_at: Micros(0),
            rev: 0,
        }
    }

    /// Whether it may be taken: it is due, or whoever had it is gone.
    #[must_use]
    pub fn is_due(&self, now: Micros) -> bool {
        self.state.is_open() && self.next_at <= now
    }

    /// Whether this taking still counts.
    #[must_use]
    pub const fn is_taken(&self, taken: u32) -> bool {
        matches!(self.state, SyncState::Running) && self.taken == taken
    }

    /// Takes it until `now + lease`.
    pub fn take(&mut self, now: Micros, lease: Duration) {
        self.taken = self.taken.saturating_add(1);
        self.state = SyncState::Running;
        self.reason = None;
        self.started_at = self.started_at.or(Some(now));
        self.lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        self.renew(now);
    }

    /// Whoever has it is alive: what ran out begins anew.
    pub const fn renew(&mut self, now: Micros) {
        self.next_at = Micros(now.0.saturating_add(self.lease));
    }

    /// Something was read.
    pub const fn goes_on(&mut self, now: Micros) {
        self.tries = 0;
        self.renew(now);
    }

    /// It waits, and is tried again by itself.
    pub fn pause(&mut self, reason: &str, wait: Duration, now: Micros) {
        self.state = SyncState::Paused;
        self.reason = Some(reason.to_owned());
        self.tries = self.tries.saturating_add(1);
        self.next_at = now.plus(wait);
    }

    /// It goes on at once if it waits: what it waited for is over.
    pub fn wake(&mut self, now: Micros) {
        if matches!(self.state, SyncState::Queued | SyncState::Paused) {
            self.next_at = self.next_at.min(now);
        }
    }

    /// It ends for good.
    pub fn end(&mut self, state: SyncState, reason: Option<&str>, now: Micros) {
        self.state = state;
        self.reason = reason.map(ToOwned::to_owned);
        self.ended_at = Some(now);
        self.cursor = None;
    }

    /// Whether it is time to tell screens how far it came.
    #[must_use]
    pub const fn is_to_be_shown(&self, now: Micros) -> bool {
        now.0.saturating_sub(self.shown_at.0) >= SHOWN_EVERY
    }

    /// Messages from before this are history: what was sent after the import was asked for is as good as just
    /// received. `None`: nothing that it reads is history.
    #[must_use]
    pub const fn history_before(&self) -> Option<Micros> {
        match self.kind {
            SyncKind::History | SyncKind::Chat => Some(self.requested_at),
            SyncKind::Repair => None,
        }
    }

    /// Messages that it has read in a second, on average since it started. `None`: it does not run, or not for a second.
    #[must_use]
    pub fn rate(&self, now: Micros) -> Option<u64> {
        let began = self.started_at.filter(|_| self.state == SyncState::Running)?;
        let spent = u64::try_from(now.0.saturating_sub(began.0)).ok()?;
        (spent >= 1_000_000).then(|| self.messages_read.saturating_mul(1_000_000) / spent)
    }

    /// About how long it still takes, from the chats that are done. `None`: not known.
    #[must_use]
    pub fn remaining(&self, now: Micros) -> Option<Duration> {
        let began = self.started_at.filter(|_| self.state == SyncState::Running)?;
        let left = self.chats_total.checked_sub(self.chats_done)?;
        if !self.listed || self.chats_done == 0 {
            return None;
        }
        let spent = u64::try_from(now.0.saturating_sub(began.0)).ok()?;
        Some(Duration::from_micros(spent / self.chats_done * left))
    }
}

/// Whether a message of this time is history. One without a time may be new.
#[must_use]
pub fn is_before(sent_at: Option<Micros>, history: Option<Micros>) -> bool {
    sent_at.zip(history).is_some_and(|(at, before)| at < before)
}

/// One chat of a synchronisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncChat {
    /// The synchronisation.
    pub sync_key: i64,
    /// The chat.
    pub chat_key: i64,
    /// UniPile's id of the chat.
    pub chat: ChatId,
    /// Its last activity: the latest chats are read first.
    pub active_at: Micros,
    /// It is finished.
    pub done: bool,
    /// Its people are known.
    pub people: bool,
    /// Where its messages go on.
    pub cursor: Option<String>,
    /// Pages so far.
    pub pages: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    fn sync(kind: SyncKind) -> Sync {
        Sync::new(1, Uuid::nil(), kind, Micros(10 * SECOND), Micros(10 * SECOND))
    }

    #[test]
    fn a_later_taking_ends_an_earlier_one() {
        let mut sync = sync(SyncKind::History);
        sync.take(Micros(11 * SECOND), Duration::from_secs(30));
        let first = sync.taken;
        assert!(sync.is_taken(first) && !sync.is_due(Micros(40 * SECOND)));
        assert!(sync.is_due(Micros(41 * SECOND)), "whoever had it is gone");
        sync.take(Micros(41 * SECOND), Duration::from_secs(30));
        assert!(!sync.is_taken(first) && sync.is_taken(sync.taken));
        assert_eq!(sync.started_at, Some(Micros(11 * SECOND)), "it started once");
    }

    #[test]
    fn only_what_is_older_than_the_request_is_history() {
        let history = sync(SyncKind::History).history_before();
        assert!(is_before(Some(Micros(9 * SECOND)), history));
        assert!(!is_before(Some(Micros(10 * SECOND)), history));
        assert!(!is_before(None, history), "a message without a time may be new");
        assert!(!is_before(Some(Micros(0)), sync(SyncKind::Repair).history_before()));
    }

    #[test]
    fn the_rate_is_told_while_it_runs() {
        let mut sync = sync(SyncKind::History);
        sync.take(Micros(0), Duration::from_secs(30));
        sync.messages_read = 900;
        assert_eq!(sync.rate(Micros(SECOND - 1)), None);
        assert_eq!(sync.rate(Micros(2 * SECOND)), Some(450));
        assert_eq!(sync.rate(Micros(i64::MIN)), None);
        sync.pause("UPSTREAM_UNAVAILABLE", Duration::ZERO, Micros(2 * SECOND));
        assert_eq!(sync.rate(Micros(3 * SECOND)), None);
    }

    #[test]
    fn what_is_left_is_told_once_all_chats_are_known() {
        let mut sync = sync(SyncKind::History);
        sync.take(Micros(0), Duration::from_secs(30));
        (sync.chats_total, sync.chats_done) = (10, 2);
        assert_eq!(sync.remaining(Micros(20 * SECOND)), None);
        sync.listed = true;
        assert_eq!(sync.remaining(Micros(20 * SECOND)), Some(Duration::from_secs(80)));
        sync.pause("UPSTREAM_UNAVAILABLE", Duration::ZERO, Micros(21 * SECOND));
        assert_eq!(sync.remaining(Micros(22 * SECOND)), None);
    }

    proptest! {
        /// Whatever happens to it, an ended one stays ended and is never due.
        #[test]
        fn an_end_is_final_for_whoever_asks(steps in prop::collection::vec(0..4_u8, 0..12)) {
            let mut sync = sync(SyncKind::History);
            let mut now = Micros(10 * SECOND);
            for step in steps {
                now = Micros(now.0 + SECOND);
                match step {
                    0 if sync.is_due(now) => sync.take(now, Duration::from_secs(3)),
                    1 if sync.is_taken(sync.taken) => {
                        sync.pause("UPSTREAM_UNAVAILABLE", Duration::from_secs(1), now);
                    }
                    2 => sync.wake(now),
                    3 if sync.state.is_open() => sync.end(SyncState::Cancelled, None, now),
                    _ => {}
                }
                prop_assert_eq!(sync.ended_at.is_some(), !sync.state.is_open());
                prop_assert!(sync.state.is_open() || !sync.is_due(Micros(i64::MAX)));
                prop_assert!(sync.taken == 0 || sync.started_at.is_some());
            }
        }
    }
}

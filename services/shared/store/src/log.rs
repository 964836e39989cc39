//! The change log: for each account a dense sequence of changes, chained by a running hash.

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::time::Micros;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::broadcast;

/// What happened to an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Op {
    /// Its state is now this.
    Put = 1,
    /// It is gone.
    Delete = 2,
    /// It is now known under another id.
    Merge = 3,
    /// What was read of it must be read again.
    Invalidate = 4,
}

/// What kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Entity {
    /// An account.
    Account = 1,
    /// A chat.
    Chat = 2,
    /// A message.
    Message = 3,
    /// A person.
    Attendee = 4,
    /// Where the sending of a message stands.
    Send = 5,
    /// How far a synchronisation came.
    Sync = 6,
}

impl Op {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Put,
            2 => Self::Delete,
            3 => Self::Merge,
            4 => Self::Invalidate,
            _ => return None,
        })
    }
}

impl Entity {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Account,
            2 => Self::Chat,
            3 => Self::Message,
            4 => Self::Attendee,
            5 => Self::Send,
            6 => Self::Sync,
            _ => return None,
        })
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The account.
    pub account_key: i64,
    /// Its number: the one before plus one, without exception.
    pub seq: u64,
    /// The running hash up to and including this row.
    pub tag: u32,
    /// The hash of the body. Stored, so that a body can be erased without breaking the chain.
    pub body_hash: i64,
    /// The last row of one webhook or command.
    pub unit_end: bool,
    /// What happened.
    pub op: Op,
    /// To what.
    pub entity: Entity,
    /// Its public id.
    pub entity_id: String,
    /// When it was committed, roughly.
    pub at: Micros,
    /// The state after, see [`crate::record`]; `None` when too large or erased: read the entity.
    pub body: Option<Vec<u8>>,
    /// W3C trace context of the cause.
    pub trace: Option<String>,
}

/// Larger bodies are left out of the log, and clients read the entity.
pub const BODY_LIMIT: usize = 32 * 1024;

impl LogRow {
    /// The tag that this row must have after a row with tag `previous`.
    #[must_use]
    pub fn chained(&self, previous: u32) -> u32 {
        let mut hash = Sha256::new();
        hash.update(previous.to_be_bytes());
        hash.update(self.seq.to_be_bytes());
        hash.update((self.op as i16).to_be_bytes());
        hash.update((self.entity as i16).to_be_bytes());
        hash.update(self.entity_id.as_bytes());
        hash.update(self.body_hash.to_be_bytes());
        let mut first = [0; 4];
        first.copy_from_slice(&hash.finalize()[..4]);
        u32::from_be_bytes(first)
    }
}

/// The hash of a body.
#[must_use]
pub fn body_hash(body: &[u8]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(body)[..8]);
    i64::from_be_bytes(first)
}

/// A place in an account's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Everything up to here.
    pub seq: u64,
    /// The running hash here; 0 at the beginning.
    pub tag: u32,
}

/// The ends of an account's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The account.
    pub account_key: i64,
    /// The last change.
    pub head: Position,
    /// Changes up to here are pruned.
    pub floor: Position,
}

/// An account's log has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The account.
    pub account_key: i64,
    /// Its last change.
    pub head: u64,
    /// Whether it came of work that nobody waits for, such as history that is read in or files that are fetched, and
    /// in this process. Another process's hints do not tell.
    pub can_wait: bool,
}

/// Hints that accounts moved. Losing some, or all, delays a reader and loses nothing: the truth is read
/// from the log.
pub type Wakeups = broadcast::Receiver<Arc<[Moved]>>;

/// Why a reader cannot go on from where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// The rows it needs are pruned.
    Compacted,
    /// It has seen rows that this database has not: a tail was lost.
    Ahead,
    /// It has seen another history.
    Diverged,
}

/// A piece of an account's log, read in one snapshot.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// The ends of the log in that snapshot.
    pub head: Head,
    /// The rows after the asked place, oldest first.
    pub rows: Vec<LogRow>,
}

/// Reading the log.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// The number of this history; it changes when every older cursor becomes void.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn epoch(&self) -> Result<u64, StoreError>;

    /// Where the logs of these accounts end. Unknown accounts are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn heads(&self, account_keys: &[i64]) -> Result<Vec<Head>, StoreError>;

    /// The rows after the given numbers, for many accounts at once: by account, then by number; `limit`
    /// bounds the rows of each account.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn tail(&self, after: &[(i64, u64)], limit: usize) -> Result<Vec<LogRow>, StoreError>;

    /// Checks that `from` is a place in this account's present history and reads on from it, both in
    /// one snapshot. `None`: no such account.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn resume(
        &self,
        account_key: i64,
        from: Position,
        limit: usize,
    ) -> Result<Option<Result<LogPage, Stale>>, StoreError>;

    /// Hints that accounts moved, from now on.
    fn wakeups(&self) -> Wakeups;
}

/// Decides whether a reader may go on from `from`, given the ends of the log and the tag stored at
/// `from.seq` (if that row exists).
#[must_use]
pub fn check(head: &Head, from: Position, stored: Option<u32>) -> Option<Stale> {
    if from.seq > head.head.seq {
        return Some(Stale::Ahead);
    }
    if from.seq < head.floor.seq {
        return Some(Stale::Compacted);
    }
    let known = if from.seq == head.floor.seq { Some(head.floor.tag) } else { stored };
    (known != Some(from.tag)).then_some(Stale::Diverged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boundary_of_a_log_is_judged() {
        let at = |seq, tag| Position { seq, tag };
        let head = Head { account_key: 1, head: at(9, 90), floor: at(4, 40) };
        let cases = [
            (at(3, 30), None, Some(Stale::Compacted)),
            (at(4, 40), None, None),
            (at(4, 41), None, Some(Stale::Diverged)),
            (at(5, 50), Some(50), None),
            (at(5, 51), Some(50), Some(Stale::Diverged)),
            (at(9, 90), Some(90), None),
            (at(10, 1), None, Some(Stale::Ahead)),
        ];
        for (from, stored, expected) in cases {
            assert_eq!(check(&head, from, stored), expected, "{from:?}");
        }
        let fresh = Head { account_key: 1, head: at(0, 0), floor: at(0, 0) };
        assert_eq!(check(&fresh, at(0, 0), None), None);
    }
}

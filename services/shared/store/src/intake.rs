//! Making webhooks durable and visible.

use crate::error::StoreError;
use crate::log::{LogRow, Moved};
use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::fact::Statement;
use channel_domain::ids::{AccountId, TenantId};
use channel_domain::time::{Micros, Stamp};
use serde::Serialize;

/// The digest of a statement, by which its repetition is known.
pub type Digest = [u8; 16];

/// A payload just received, with what the parser made of it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// When it was received.
    pub received_at: Micros,
    /// The exact bytes.
    pub body: Bytes,
    /// Headers worth keeping, as a JSON object; never the secret.
    pub headers: String,
    /// What the parser made of it.
    pub reading: Reading,
    /// W3C trace context of the request.
    pub trace: Option<String>,
}

/// What a parser made of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It states a fact.
    Statement {
        /// The fact and its account.
        statement: Box<Statement>,
        /// The digest of the statement.
        digest: Digest,
    },
    /// It is well formed and nothing for us.
    Ignored {
        /// The account it names.
        account: Option<AccountId>,
        /// Why, as a stable reason.
        reason: &'static str,
    },
    /// It cannot be understood.
    Rejected {
        /// Why, as a stable reason.
        reason: &'static str,
        /// For people; never content of the payload.
        detail: String,
    },
}

/// What became of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Outcome {
    /// Stored, to be applied soon.
    Pending = 0,
    /// Stored and applied.
    Applied = 1,
    /// Stored; there was nothing new in it.
    NoOp = 2,
    /// Stored and set aside for a person to look at.
    Quarantined = 3,
    /// Stored and set aside until somebody owns the account.
    Held = 4,
    /// The same fact is already stored; this copy was not kept.
    Duplicate = 5,
}

impl Outcome {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            0 => Self::Pending,
            1 => Self::Applied,
            2 => Self::NoOp,
            3 => Self::Quarantined,
            4 => Self::Held,
            5 => Self::Duplicate,
            _ => return None,
        })
    }

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Quarantined | Self::Held)
    }
}

/// The verdict on one payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// The id of its row; none for a duplicate.
    pub inbox: Option<i64>,
    /// A stable reason, where the outcome needs one.
    pub reason: Option<&'static str>,
}

/// What a batch did.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// One verdict for each delivery, in order.
    pub verdicts: Vec<Verdict>,
    /// The accounts whose logs grew.
    pub moved: Vec<Moved>,
}

/// A stored payload.
#[derive(Debug, Clone)]
pub struct Stored {
    /// When it was stored, and its id.
    pub stamp: Stamp,
    /// The exact bytes.
    pub body: Bytes,
    /// Its state.
    pub outcome: Outcome,
    /// Why, as a stable reason.
    pub reason: Option<String>,
    /// For people.
    pub detail: Option<String>,
    /// How often applying it was tried.
    pub attempts: u32,
    /// When it is tried again, while it is pending.
    pub next_at: Option<Micros>,
    /// The account it names, if it could be read.
    pub account: Option<AccountId>,
    /// W3C trace context of the request.
    pub trace: Option<String>,
}

/// A stored payload whose row makes no sense. It is told rather than left out, and costs its neighbours
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("row {inbox} of webhook_inbox makes no sense: {what}")]
pub struct Inconsistent {
    /// Its id.
    pub inbox: i64,
    /// What of it makes no sense.
    pub what: &'static str,
}

impl Inconsistent {
    /// The reason that callers can match on.
    pub const REASON: &'static str = "STORE_INCONSISTENT";
}

/// A row of the inbox as it was found.
pub type Listed = Result<Stored, Inconsistent>;

/// The id of a listed row, whatever its condition.
#[must_use]
pub const fn id_of(listed: &Listed) -> i64 {
    match listed {
        Ok(stored) => stored.stamp.inbox,
        Err(inconsistent) => inconsistent.inbox,
    }
}

/// How a stored payload is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// For the first time: a repetition is dropped.
    First,
    /// Again, on demand: repetitions are applied, which has no effect unless something was missing.
    Again,
    /// Only to see what it would change; nothing is written.
    DryRun,
}

/// What applying a stored payload did, or would do.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The verdict.
    pub verdict: Verdict,
    /// The changes that it made, or would make, in the order of the log.
    pub changes: Vec<LogRow>,
    /// The accounts whose logs grew.
    pub moved: Vec<Moved>,
}

/// In which order stored payloads are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InboxOrder {
    /// The greatest id first.
    #[default]
    Newest,
    /// The least id first.
    Oldest,
}

/// Which stored payloads: those that every set part names.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// These only; empty means any.
    pub ids: Vec<i64>,
    /// In these states; empty means any, also one that no program knows.
    pub outcomes: Vec<Outcome>,
    /// Beside [`outcomes`](Self::outcomes): also those whose state no program knows.
    pub unknown_states: bool,
    /// That name this account.
    pub account: Option<AccountId>,
    /// That are in their state for this reason.
    pub reason: Option<String>,
    /// Received at or after.
    pub since: Option<Micros>,
    /// Received before.
    pub until: Option<Micros>,
    /// With an id above this.
    pub above: Option<i64>,
    /// With an id below this.
    pub below: Option<i64>,
    /// Which come first.
    pub order: InboxOrder,
    /// Pending and due for another try at this time; orders by when they became due.
    pub due_at: Option<Micros>,
    /// At most this many.
    pub limit: usize,
}

impl InboxFilter {
    /// Whether it names only payloads that still need somebody, which a store finds without looking at
    /// the others.
    #[must_use]
    pub fn is_of_open_ones(&self) -> bool {
        let some = !self.outcomes.is_empty() || self.unknown_states;
        self.due_at.is_some() || some && self.outcomes.iter().all(|outcome| outcome.is_open())
    }
}

/// How many payloads are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InboxCounts {
    /// To be applied.
    pub pending: u64,
    /// Set aside for a person.
    pub quarantined: u64,
    /// Set aside until somebody owns the account.
    pub held: u64,
    /// In a state that no program knows.
    pub inconsistent: u64,
}

impl InboxCounts {
    /// Adds what was counted in one state; `None` is a state that no program knows.
    pub const fn add(&mut self, state: Option<Outcome>, count: u64) {
        match state {
            Some(Outcome::Pending) => self.pending += count,
            Some(Outcome::Quarantined) => self.quarantined += count,
            Some(Outcome::Held) => self.held += count,
            Some(Outcome::Applied | Outcome::NoOp | Outcome::Duplicate) => {}
            None => self.inconsistent += count,
        }
    }
}

/// Who owns accounts that were never seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// This tenant, at once: the single-tenant mode.
    By(TenantId),
    /// Nobody: their events are held.
    Nobody,
}

/// Making webhooks durable and visible.
///
/// Every method that returns `Ok` has committed and flushed.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Stores a batch and applies it: raw payloads, rows and change log in one transaction.
    ///
    /// # Errors
    ///
    /// When nothing of the batch was stored.
    async fn take(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError>;

    /// Stores a batch without applying it; each payload is due at once. For batches that [`take`] could
    /// not write.
    ///
    /// [`take`]: Intake::take
    ///
    /// # Errors
    ///
    /// When nothing of the batch was stored.
    async fn keep(&self, batch: Vec<Delivery>) -> Result<Taken, StoreError>;

    /// Applies one stored payload, given what the present parser makes of it.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn settle(
        &self,
        stored: &Stored,
        reading: Reading,
        mode: Mode,
    ) -> Result<Settled, StoreError>;

    /// Notes that applying a payload failed: it is due again at `again_at`, or set aside if that is none.
    /// What is settled stays so; a state that no program knows becomes one of these.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn postpone(
        &self,
        inbox: i64,
        again_at: Option<Micros>,
        reason: &'static str,
    ) -> Result<(), StoreError>;

    /// Lists stored payloads. A row that makes no sense takes its own place in the list.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn inbox(&self, filter: &InboxFilter) -> Result<Vec<Listed>, StoreError>;

    /// Counts stored payloads that still need somebody.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn inbox_counts(&self) -> Result<InboxCounts, StoreError>;

    /// Webhooks may have been lost: leaves it to be asked of UniPile, for every account whose history is here,
    /// what was missed. Returns how many there are.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn ask_for_missed(&self, now: Micros) -> Result<u64, StoreError>;

    /// Deletes at most `limit` settled payloads, with their digests, received before `before`. Those
    /// that still need somebody stay. Returns how many went.
    ///
    /// # Errors
    ///
    /// When nothing was deleted.
    async fn prune_inbox(&self, before: Micros, limit: usize) -> Result<u64, StoreError>;

    /// Prunes each account's log of rows older than `before`, keeping at least `keep` rows. Returns how
    /// many went.
    ///
    /// # Errors
    ///
    /// When nothing was deleted.
    async fn prune_log(&self, before: Micros, keep: u64, limit: usize) -> Result<u64, StoreError>;
}

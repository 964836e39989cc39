//! Erasing what is stored of a contact or of an account.
//!
//! An erasure is a row with what is left to do. It goes piece by piece, each one transaction of a few rows; whoever
//! comes by does the next one ([`piece`]). What is seen of the erased is gone with the first piece.

mod age;
mod marks;
mod shelf;

pub use crate::projection::erase::piece;
pub use age::{Ended, Thin, prune, thin};
pub use marks::{mark, names, names_of, needles};
pub use shelf::{AccountTable, Seen, Shelf, Statement};

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::ids::{AccountId, AttendeeId, TenantId};
use channel_domain::time::Micros;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who or what is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// A contact, by all ids under which the account knows them.
    Contact(Vec<AttendeeId>),
    /// The account itself, with everything.
    Account,
}

impl Whom {
    /// The stored number.
    #[must_use]
    pub const fn number(&self) -> i64 {
        match self {
            Self::Contact(_) => 1,
            Self::Account => 2,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ErasureAsk {
    /// The id that makes asking twice the same as once.
    pub id: Uuid,
    /// The account.
    pub account: AccountId,
    /// Whose account it is.
    pub tenant: TenantId,
    /// Who or what.
    pub whom: Whom,
    /// Who asks.
    pub by: String,
    /// When.
    pub at: Micros,
    /// The upstream has to remove the account first. Until this time that is tried by whoever asks.
    pub removal: Option<Micros>,
}

/// How much was erased. No names: this stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// People.
    pub people: u64,
    /// Chats.
    pub chats: u64,
    /// Messages, of these chats and of groups.
    pub messages: u64,
    /// Other people's messages that quoted them, or that they reacted to.
    pub mentions: u64,
    /// Stored payloads.
    pub payloads: u64,
    /// Changes in the log whose contents were blanked.
    pub changes: u64,
    /// Rows of an account, of all kinds.
    pub rows: u64,
}

/// An erasure: what was asked for, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub account: AccountId,
    /// Whose it is, or was.
    pub tenant: TenantId,
    /// The account itself, rather than a contact.
    pub is_account: bool,
    /// Who asked.
    pub by: String,
    /// When.
    pub asked_at: Micros,
    /// When it was done.
    pub ended_at: Option<Micros>,
    /// How much was erased so far.
    pub counts: Counts,
    /// What the upstream has to do first, and did not do so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
    /// What is left to do.
    pub(crate) work: Option<Work>,
}

/// The upstream still has to remove the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Removal {
    /// How often it was asked in vain.
    pub tried: u32,
    /// The stable reason of the last time.
    pub problem: Option<String>,
}

/// An erasure that waits for the upstream, for whoever asks that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removing {
    /// The erasure.
    pub erasure: Erasure,
    /// So that each time is taken by one only.
    pub version: i64,
}

/// How asking the upstream to remove an account ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalEnd {
    /// It has no such account any more: the erasure begins, at this time.
    Removed(Micros),
    /// It is asked again at this time, for this reason.
    PutOff(Micros, &'static str),
}

/// What an erasure has left to do. It names the erased, and goes with its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// The step.
    pub step: Step,
    /// Where it goes on.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// Key of the account.
    pub account: i64,
    /// Public ids of the people.
    pub people: Vec<AttendeeId>,
    /// Keys of the people and of their chats, which no row of another kind has.
    pub keys: Vec<i64>,
    /// What payloads and changes that name them contain.
    pub needles: Vec<String>,
    /// A payload that names them was not applied yet.
    pub waits: bool,
}

/// A step of an erasure; they come in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// People and chats go, and with them all that is seen of them.
    #[default]
    Begin,
    /// What others' messages have of them.
    Mentions,
    /// Their messages.
    Messages,
    /// What waits, in small tables.
    Rest,
    /// An account's rows, table by table.
    Tables,
    /// Payloads that name them.
    Payloads,
    /// Changes that name them.
    Changes,
    /// The index of words.
    Words,
}

/// How asking for an erasure ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is stored; so it stands.
    Taken(Box<Erasure>),
    /// There is no such account.
    AccountUnknown,
    /// This person is neither known nor erased.
    AttendeeUnknown(AttendeeId),
    /// This person is the account's owner, who goes only with the account.
    Owner(AttendeeId),
    /// The id was used for something else.
    IdReused,
}

/// What doing a piece came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// There is more to do.
    More,
    /// There is more to do, but not before this time.
    Later(Micros),
    /// All is done, or somebody else is at it.
    Done,
}

/// One transaction of the work here, for a backend to carry out by
/// [`erase::carry`](crate::projection::erase::carry).
#[derive(Debug, Clone)]
pub enum Deed {
    /// Somebody asks for an erasure.
    Ask(Box<ErasureAsk>),
    /// The next piece of one.
    Piece(Box<Ready>),
    /// Somebody asks the upstream to remove the account of one, of this version, and nobody else until this time.
    TakeRemoval(Uuid, i64, Micros),
    /// That has ended.
    EndRemoval(Uuid, RemovalEnd),
    /// Rows of an account that have ended and are old, by their keys, go.
    Prune(Ended, i64, Vec<i64>),
    /// Old messages of a chat go.
    Thin(Box<Thin>),
    /// A file with this hash is about to be put where files lie, until this time at most.
    Announce(String, Micros),
    /// It is there and named, or it will not be.
    Release(String),
    /// Somebody takes it up to delete the file of this hash, if nothing names it; the time, and until when.
    BeginSweep(String, Micros, Micros),
    /// It is deleted.
    EndSweep(String),
}

/// A piece of an erasure, with what was found for it.
#[derive(Debug, Clone)]
pub struct Ready {
    pub(crate) erasure: Erasure,
    pub(crate) version: i64,
    pub(crate) found: Vec<Seen>,
    pub(crate) now: Micros,
}

/// How a deed ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deeds {
    /// To [`Deed::Ask`].
    Asked(Asked),
    /// To [`Deed::Piece`].
    Piece(Piece),
    /// To [`Deed::Prune`] and [`Deed::Thin`]: how many went.
    Gone(u64),
    /// Whether it is so: it may be put, it may be deleted, it was there.
    So(bool),
}

/// Erasing, and deleting the bytes of files that nothing names.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Looks at rows, beside all work.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn look(&self, statement: Statement) -> Result<Vec<Seen>, StoreError>;

    /// Carries a deed out in one transaction; pieces give way to all other work.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn deed(&self, deed: Deed) -> Result<Deeds, StoreError>;
}

const ONE: &str = "SELECT version AS k, CAST(state AS bigint) AS n, record AS t, NULL AS b \
    FROM erasures WHERE id = $6";
const DUE: &str = "SELECT next_at AS k, CAST(state AS bigint) AS n, id AS t, NULL AS b FROM erasures \
    WHERE state = 1 ORDER BY next_at LIMIT 100";
const REMOVALS: &str = "SELECT next_at AS k, CAST(state AS bigint) AS n, id AS t, NULL AS b FROM erasures \
    WHERE state = 3 ORDER BY next_at LIMIT 100";
const SWEEPS: &str = "SELECT due_at AS k, CAST(state AS bigint) AS n, sha256 AS t, NULL AS b \
    FROM media_sweeps WHERE due_at <= $4 ORDER BY due_at LIMIT 100";

/// The statement that reads an erasure.
pub(crate) fn one(id: Uuid) -> Statement {
    Statement::of(0, ONE).words([&id.to_string()])
}

/// Reads an erasure out of its row, with its version.
pub(crate) fn read(row: &Seen) -> Result<(Erasure, i64), StoreError> {
    let record = row.text.as_deref().unwrap_or_default();
    let bad = |_| StoreError::Inconsistent {
        table: "erasures",
        row: row.key.to_string(),
        what: "the record cannot be read",
    };
    Ok((serde_json::from_str(record).map_err(bad)?, row.key))
}

/// How an erasure stands.
///
/// # Errors
///
/// When the database does not answer.
pub async fn find<S: Erasures + ?Sized>(
    store: &S,
    id: Uuid,
) -> Result<Option<Erasure>, StoreError> {
    let rows = store.look(one(id)).await?;
    rows.first().map(|row| Ok(read(row)?.0)).transpose()
}

/// The erasures that are under way, and when each goes on.
///
/// # Errors
///
/// When the database does not answer.
pub async fn due<S: Erasures + ?Sized>(store: &S) -> Result<Vec<(Uuid, Micros)>, StoreError> {
    timed(store, DUE).await
}

/// The erasures that wait for the upstream to remove the account, and when each asks it again.
///
/// # Errors
///
/// When the database does not answer.
pub async fn removals<S: Erasures + ?Sized>(store: &S) -> Result<Vec<(Uuid, Micros)>, StoreError> {
    timed(store, REMOVALS).await
}

async fn timed<S: Erasures + ?Sized>(
    store: &S,
    sql: &'static str,
) -> Result<Vec<(Uuid, Micros)>, StoreError> {
    let rows = store.look(Statement::of(0, sql)).await?;
    let id = |row: &Seen| Uuid::parse_str(row.text.as_deref()?).ok();
    Ok(rows.iter().filter_map(|row| Some((id(row)?, Micros(row.key)))).collect())
}

/// An erasure, if it waits for the upstream to remove the account.
///
/// # Errors
///
/// When the database does not answer.
pub async fn removal<S: Erasures + ?Sized>(
    store: &S,
    id: Uuid,
) -> Result<Option<Removing>, StoreError> {
    let rows = store.look(one(id)).await?;
    let waiting = rows.first().filter(|row| row.number == 3);
    waiting.map(|row| read(row).map(|(erasure, version)| Removing { erasure, version })).transpose()
}

/// Hashes of files that are to be looked at: whether anything names them.
///
/// # Errors
///
/// When the database does not answer.
pub async fn sweeps<S: Erasures + ?Sized>(
    store: &S,
    now: Micros,
) -> Result<Vec<String>, StoreError> {
    let rows = store.look(Statement::of(0, SWEEPS).between(now.0, 0)).await?;
    Ok(rows.into_iter().filter_map(|row| row.text).collect())
}

/// Does a deed whose answer is yes or no.
///
/// # Errors
///
/// When nothing was written.
pub async fn is_so<S: Erasures + ?Sized>(store: &S, deed: Deed) -> Result<bool, StoreError> {
    Ok(matches!(store.deed(deed).await?, Deeds::So(true)))
}

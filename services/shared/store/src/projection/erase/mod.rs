//! Erasing, piece by piece. What a piece is about is looked for beside all work; what is found is erased in one
//! transaction, together with the note of how far the erasure is.

mod account;
mod age;
mod ask;
mod contact;
mod messages;
mod sql;
pub(super) use sql::{ERASED_ACCOUNTS, MARKS};
pub(crate) use sql::{OLD_ACTIONS, OLD_CHATS, OLD_JOBS, OLD_MESSAGES, OLD_SYNCS};
mod removal;
mod sweep;

use crate::erase::{Deed, Deeds, Erasure, Erasures, Piece, Ready, Seen, Shelf, Statement, Step};
use crate::error::StoreError;
use crate::log::Moved;
use crate::rows::Rows;
use channel_domain::time::Micros;
use uuid::Uuid;

/// How many rows with texts a piece erases at most, and how many payloads or changes.
const ROWS: usize = 40;
const TEXTS: usize = 100;
/// Over how many keys one look goes, and how many looks in a row may find nothing.
const WINDOW: i64 = 1_000;
const LOOKS: usize = 50;
/// How long an erasure waits for payloads that are still to be applied, in microseconds.
const PATIENCE: i64 = 2_000_000;

/// Does the next piece of an erasure.
///
/// # Errors
///
/// When nothing was written.
pub async fn piece<S: Erasures + ?Sized>(
    store: &S,
    id: Uuid,
    now: Micros,
) -> Result<Piece, StoreError> {
    let rows = store.look(crate::erase::one(id)).await?;
    let Some(row) = rows.first().filter(|row| row.number == 1) else { return Ok(Piece::Done) };
    let (mut erasure, version) = crate::erase::read(row)?;
    let Some(work) = &mut erasure.work else { return Ok(Piece::Done) };
    let found = contact::found(store, &erasure.account, work).await?;
    let ready = Ready { erasure, version, found, now };
    match store.deed(Deed::Piece(Box::new(ready))).await? {
        Deeds::Piece(piece) => Ok(piece),
        _ => Ok(Piece::More),
    }
}

/// Carries a deed out. The caller commits.
///
/// # Errors
///
/// When a row could not be read or written; the caller must roll back.
pub async fn carry<R: Rows + ?Sized>(
    rows: &mut R,
    deed: Deed,
) -> Result<(Deeds, Vec<Moved>), StoreError> {
    match deed {
        Deed::Ask(ask) => Ok((Deeds::Asked(ask::ask(rows, *ask).await?), vec![])),
        Deed::Piece(ready) => {
            let (piece, moved) = advance(rows, *ready).await?;
            Ok((Deeds::Piece(piece), moved))
        }
        Deed::TakeRemoval(id, version, until) => removal::take(rows, id, version, until).await,
        Deed::EndRemoval(id, end) => removal::end(rows, id, end).await,
        Deed::Prune(ended, account, keys) => age::prune(rows, ended, account, keys).await,
        Deed::Thin(thin) => age::thin(rows, *thin).await,
        Deed::Announce(sha256, until) => sweep::announce(rows, sha256, until).await,
        Deed::Release(sha256) => sweep::release(rows, sha256).await,
        Deed::BeginSweep(sha256, now, until) => sweep::begin(rows, sha256, now, until).await,
        Deed::EndSweep(sha256) => sweep::end(rows, sha256).await,
    }
}

/// Erases what was found and notes how far that came, unless somebody else was faster.
async fn advance<R: Rows + ?Sized>(
    rows: &mut R,
    ready: Ready,
) -> Result<(Piece, Vec<Moved>), StoreError> {
    let Ready { mut erasure, version, found, now } = ready;
    let take = Statement::of(0, sql::TAKE).between(version, 0);
    let take = take.words([&erasure.id.to_string()]);
    if rows.run(take).await? == 0 {
        return Ok((Piece::More, vec![]));
    }
    let Some(step) = erasure.work.as_ref().map(|work| work.step) else {
        return Ok((Piece::Done, vec![]));
    };
    let moved = match step {
        Step::Begin if erasure.is_account => account::begin(rows, &mut erasure, now).await?,
        Step::Begin => contact::begin(rows, &mut erasure, now).await?,
        Step::Mentions => messages::mentions(rows, &mut erasure, &found, now).await?,
        Step::Messages => messages::theirs(rows, &mut erasure, &found, now).await?,
        Step::Rest => contact::rest(rows, &mut erasure, &found, now).await?,
        _ => {
            rest(rows, &mut erasure, step, &found).await?;
            vec![]
        }
    };
    Ok((note(rows, &mut erasure, now).await?, moved))
}

/// The steps that nobody is told of.
async fn rest<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    step: Step,
    found: &[Seen],
) -> Result<(), StoreError> {
    match step {
        Step::Tables => account::tables(rows, erasure).await,
        Step::Payloads if erasure.is_account => account::payloads(rows, erasure).await,
        Step::Payloads => contact::payloads(rows, erasure, found).await,
        Step::Changes => contact::changes(rows, erasure, found).await,
        _ => words(rows, erasure).await,
    }
}

async fn words<R: Rows + ?Sized>(rows: &mut R, erasure: &mut Erasure) -> Result<(), StoreError> {
    let Some(work) = &mut erasure.work else { return Ok(()) };
    if rows.wipe_words(work.from == 0).await? {
        erasure.work = None;
    } else {
        work.from = 1;
    }
    Ok(())
}

/// Writes an erasure down. One that has ended says nothing more of whom it was about.
async fn note<R: Shelf + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    now: Micros,
) -> Result<Piece, StoreError> {
    let piece = match &mut erasure.work {
        None => Piece::Done,
        // Once more from the beginning: what was waited for has been applied meanwhile.
        Some(work) if work.step == Step::Changes && work.waits => {
            work.waits = false;
            (work.step, work.from, work.to) = (Step::Payloads, 0, 0);
            Piece::Later(Micros(now.0 + PATIENCE))
        }
        Some(_) => Piece::More,
    };
    let (state, next) = match piece {
        Piece::Done => (2, now),
        Piece::Later(at) => (1, at),
        Piece::More => (1, now),
    };
    erasure.ended_at = (piece == Piece::Done).then_some(now);
    let record = written(erasure)?;
    let statement = Statement::of(0, sql::NOTE).words([&erasure.id.to_string(), &record]);
    rows.run(statement.between(state, next.0)).await?;
    Ok(piece)
}

fn written(erasure: &Erasure) -> Result<String, StoreError> {
    serde_json::to_string(erasure).map_err(|error| StoreError::Refused(Box::new(error)))
}

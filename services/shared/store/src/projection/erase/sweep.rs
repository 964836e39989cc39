//! Deleting the bytes of files that nothing names.
//!
//! Before bytes are put where files lie, their hash is announced with a time by which they are named or to be
//! deleted. So whoever dies in between leaves a row that tells of them; whoever does not, releases them once a message
//! names them. While bytes are being deleted, nobody can
//! announce the same ones; a deletion that began is waited for.

use super::sql;
use crate::erase::{Deeds, Shelf, Statement};
use crate::error::StoreError;
use crate::log::Moved;
use channel_domain::time::Micros;

type Done = Result<(Deeds, Vec<Moved>), StoreError>;

pub(super) async fn announce<R: Shelf + ?Sized>(
    rows: &mut R,
    sha256: String,
    until: Micros,
) -> Done {
    let announce = Statement::of(0, sql::ANNOUNCE).texts([sha256]).between(until.0, 0);
    Ok((Deeds::So(rows.run(announce).await? == 1), vec![]))
}

pub(super) async fn release<R: Shelf + ?Sized>(rows: &mut R, sha256: String) -> Done {
    let release = Statement::of(0, sql::RELEASE).texts([sha256]);
    Ok((Deeds::So(rows.run(release).await? == 1), vec![]))
}

/// The row is changed, and so locked, before it is looked who names the bytes: whoever does so from here on has
/// announced it before.
pub(super) async fn begin<R: Shelf + ?Sized>(
    rows: &mut R,
    sha256: String,
    now: Micros,
    until: Micros,
) -> Done {
    let take = Statement::of(0, sql::TAKE_SWEEP).texts([sha256.clone()]).between(now.0, until.0);
    if rows.run(take).await? == 0 {
        return Ok((Deeds::So(false), vec![]));
    }
    if rows.look(Statement::of(0, sql::NAMED).texts([sha256.clone()])).await?.is_empty() {
        rows.run(Statement::of(0, sql::NO_THUMBNAIL).texts([sha256])).await?;
        return Ok((Deeds::So(true), vec![]));
    }
    rows.run(Statement::of(0, sql::NO_SWEEP).texts([sha256])).await?;
    Ok((Deeds::So(false), vec![]))
}

pub(super) async fn end<R: Shelf + ?Sized>(rows: &mut R, sha256: String) -> Done {
    let gone = rows.run(Statement::of(0, sql::NO_SWEEP).texts([sha256])).await?;
    Ok((Deeds::So(gone == 1), vec![]))
}

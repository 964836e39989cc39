//! Until the upstream has removed an account that is to be erased.

use super::{sql, written};
use crate::erase::{Deeds, RemovalEnd, Shelf, Statement, one, read};
use crate::error::StoreError;
use crate::log::Moved;
use channel_domain::time::Micros;
use uuid::Uuid;

type Done = Result<(Deeds, Vec<Moved>), StoreError>;

/// Somebody asks the upstream, unless somebody else was faster.
pub(super) async fn take<R: Shelf + ?Sized>(
    rows: &mut R,
    id: Uuid,
    version: i64,
    until: Micros,
) -> Done {
    let take = Statement::of(0, sql::TAKE_REMOVAL).between(version, until.0);
    let taken = rows.run(take.words([&id.to_string()])).await?;
    Ok((Deeds::So(taken > 0), vec![]))
}

/// Notes what came of it. One that has begun meanwhile goes on.
pub(super) async fn end<R: Shelf + ?Sized>(rows: &mut R, id: Uuid, end: RemovalEnd) -> Done {
    let found = rows.look(one(id)).await?;
    let Some(row) = found.first().filter(|row| row.number == 3) else {
        return Ok((Deeds::So(false), vec![]));
    };
    let mut erasure = read(row)?.0;
    let (state, at) = match end {
        RemovalEnd::Removed(now) => {
            erasure.removal = None;
            (1, now)
        }
        RemovalEnd::PutOff(at, reason) => {
            let removal = erasure.removal.get_or_insert_default();
            removal.tried = removal.tried.saturating_add(1);
            removal.problem = Some(reason.to_owned());
            (3, at)
        }
    };
    let note = Statement::of(0, sql::NOTE_REMOVAL).between(state, at.0);
    let noted = rows.run(note.words([&id.to_string(), &written(&erasure)?])).await?;
    Ok((Deeds::So(noted > 0), vec![]))
}

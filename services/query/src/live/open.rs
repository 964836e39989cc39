//! Opening a stream: who asks, for what, from where.

use super::core::Core;
use super::cursor::Cursor;
use super::fault::LiveFault;
use super::hub::AccountRef;
use super::pages::reason;
use super::request::Ask;
use super::subscriber::{Member, Subscription};
use bytes::Bytes;
use channel_proto::query::v1::ResetReason;
use channel_runtime::identity::Identity;
use channel_store::StoreError;
use channel_store::log::{Head, Position, check};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a stream begins.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) epoch: u64,
    /// It follows whatever the caller may see.
    pub(super) all: bool,
    pub(super) entrants: Vec<Entrant>,
    /// Accounts that the caller named and may not see.
    pub(super) refused: Vec<Arc<str>>,
}

/// One account of a stream that opens.
#[derive(Debug)]
pub(super) struct Entrant {
    pub(super) account: AccountRef,
    pub(super) head: Head,
    /// The place from which it goes on, or why the cursor is of no use. That the place is in this history is
    /// checked when the log is read from it, before anything is sent.
    pub(super) from: Result<Position, ResetReason>,
}

/// Opens a stream; a brief one answers a poll.
pub(super) async fn open(
    core: &Arc<Core>,
    identity: Identity,
    ask: Ask,
    brief: bool,
) -> Result<Subscription, LiveFault> {
    let entry = core.streams.enter(&identity)?;
    let member = Member::new(core, entry, identity);
    let limits = ask.limits;
    tracing::debug!(
        stream.id = member.entry.id,
        client.id = ask.client,
        accounts = ask.accounts.len(),
        "stream opens"
    );
    // The work is owned: a caller that leaves now cancels no read.
    let (identity, with) = (member.identity.clone(), Arc::clone(core));
    let start = core
        .tasks
        .spawn_owned(async move { start(&with, &identity, ask.accounts, ask.all).await })
        .await??;
    Ok(Subscription::new(member, start, limits, brief))
}

async fn start(
    core: &Core,
    identity: &Identity,
    asked: Vec<(Arc<str>, Bytes)>,
    all: bool,
) -> Result<Start, StoreError> {
    let mut seen = of_caller(&core.directory.recent(&identity.tenant).await?, identity);
    let knows = |seen: &[AccountRef], id: &str| seen.iter().any(|account| *account.id == *id);
    if !asked.iter().all(|(id, _)| knows(&seen, id)) {
        seen = of_caller(&core.directory.present(&identity.tenant).await?, identity);
    }
    let refused = asked.iter().filter(|(id, _)| !knows(&seen, id));
    let refused = refused.map(|(id, _)| Arc::clone(id)).collect();
    let cursors: HashMap<_, _> = asked.into_iter().collect();
    seen.retain(|account| all || cursors.contains_key(&account.id));

    let epoch = core.epoch().await?;
    let keys: Vec<_> = seen.iter().map(|account| account.key).collect();
    let heads = core.log.heads(&keys).await?;
    let heads: HashMap<_, _> = heads.into_iter().map(|head| (head.account_key, head)).collect();
    let entrant = |account: AccountRef| {
        let head = heads.get(&account.key).copied();
        let head = head.unwrap_or_else(|| empty(account.key));
        let cursor = cursors.get(&account.id);
        let most = core.config.catch_up_events;
        let from = cursor.map_or(Ok(head.head), |cursor| judge(cursor, epoch, &head, most));
        Entrant { account, head, from }
    };
    Ok(Start { epoch, all, entrants: seen.into_iter().map(entrant).collect(), refused })
}

/// What the caller may see, as last read.
pub(super) fn visible(core: &Core, identity: &Identity) -> Vec<AccountRef> {
    of_caller(&core.directory.known(&identity.tenant), identity)
}

fn of_caller(accounts: &[AccountRef], identity: &Identity) -> Vec<AccountRef> {
    let may_see = |account: &&AccountRef| identity.may_see(&identity.tenant, &account.id);
    accounts.iter().filter(may_see).cloned().collect()
}

/// An account whose log has not begun.
fn empty(account_key: i64) -> Head {
    Head { account_key, head: Position::default(), floor: Position::default() }
}

/// Decides from where a client goes on, by what the ends of the log tell.
fn judge(cursor: &[u8], epoch: u64, head: &Head, most: u64) -> Result<Position, ResetReason> {
    if cursor.is_empty() {
        return Ok(head.head);
    }
    let cursor = Cursor::from_bytes(cursor).ok_or(ResetReason::Schema)?;
    if cursor.epoch != epoch {
        return Err(ResetReason::Epoch);
    }
    let at_head = cursor.at.seq == head.head.seq;
    // Between the ends, the tag is checked with the first read.
    let stored = if at_head { head.head.tag } else { cursor.at.tag };
    if let Some(stale) = check(head, cursor.at, Some(stored)) {
        return Err(reason(stale));
    }
    if head.head.seq - cursor.at.seq > most {
        return Err(ResetReason::TooFar);
    }
    Ok(cursor.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Position {
        let tag = u32::try_from(seq * 10).unwrap();
        Position { seq, tag }
    }

    /// T7: floor − 1, floor, floor + 1, head, head + 1.
    #[test]
    fn every_boundary_of_a_cursor_is_judged() {
        let head = Head { account_key: 1, head: at(9), floor: at(4) };
        let judged = |epoch, at| judge(&Cursor { epoch, at }.to_bytes(), 7, &head, 5);
        assert_eq!(judged(7, at(3)), Err(ResetReason::Compacted));
        for seq in [4, 5, 9] {
            assert_eq!(judged(7, at(seq)), Ok(at(seq)));
        }
        assert_eq!(judged(7, at(10)), Err(ResetReason::Ahead));
        assert_eq!(judged(8, at(5)), Err(ResetReason::Epoch));
        let other = |seq| Position { seq, tag: 1 };
        assert_eq!(judged(7, other(9)), Err(ResetReason::Diverged));
        assert_eq!(judged(7, other(4)), Err(ResetReason::Diverged));
        assert_eq!(judge(&[], 7, &head, 5), Ok(at(9)));
        assert_eq!(judge(&[1, 2, 3], 7, &head, 5), Err(ResetReason::Schema));
        assert_eq!(
            judge(&Cursor { epoch: 7, at: at(4) }.to_bytes(), 7, &head, 4),
            Err(ResetReason::TooFar)
        );
    }
}

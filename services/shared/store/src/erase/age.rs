//! Deleting what is old: what has ended, and messages past an age.

use super::{Deed, Deeds, Erasures, Seen, Statement};
use crate::error::StoreError;
use crate::projection::erase::{OLD_ACTIONS, OLD_CHATS, OLD_JOBS, OLD_MESSAGES, OLD_SYNCS};
use channel_domain::ids::AccountId;
use channel_domain::time::Micros;

/// How many rows one transaction deletes, and how many messages.
const ROWS: i64 = 200;
const MESSAGES: i64 = 40;

/// What ends, and then is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Messages of the outbox that were sent, cancelled or expired.
    Jobs,
    /// What was to be done to messages and chats.
    Actions,
    /// Synchronisations, with what they noted of chats.
    Syncs,
}

impl Ended {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jobs, Self::Actions, Self::Syncs];

    /// For metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jobs => "outbox",
            Self::Actions => "actions",
            Self::Syncs => "syncs",
        }
    }
}

/// Old messages of one chat, that go together.
#[derive(Debug, Clone)]
pub struct Thin {
    pub(crate) account: AccountId,
    pub(crate) chat: i64,
    pub(crate) messages: Vec<i64>,
    pub(crate) before: Micros,
    pub(crate) now: Micros,
}

/// Deletes some of what ended before a time. Returns how many rows went; none: there is no more.
///
/// # Errors
///
/// When nothing was deleted.
pub async fn prune<S: Erasures + ?Sized>(
    store: &S,
    ended: Ended,
    before: Micros,
) -> Result<u64, StoreError> {
    let sql = match ended {
        Ended::Jobs => OLD_JOBS,
        Ended::Actions => OLD_ACTIONS,
        Ended::Syncs => OLD_SYNCS,
    };
    let mut rows = store.look(Statement::of(0, sql).between(before.0, ROWS)).await?;
    rows.sort_by_key(|row| row.number);
    let mut gone = 0;
    for of_account in rows.chunk_by(|one, other| one.number == other.number) {
        let keys = of_account.iter().map(|row| row.key).collect();
        let deed = Deed::Prune(ended, of_account[0].number, keys);
        gone += number(&store.deed(deed).await?);
    }
    Ok(gone)
}

/// Deletes messages from before a time, of the next chats that have any after a place, and tells their readers. Returns
/// how many went, and the place to go on from; `None`: there are no more.
///
/// # Errors
///
/// When the last piece was not deleted.
pub async fn thin<S: Erasures + ?Sized>(
    store: &S,
    after: (i64, i64),
    before: Micros,
    now: Micros,
) -> Result<(u64, Option<(i64, i64)>), StoreError> {
    let (account, chat) = after;
    let chats = store.look(Statement::of(account, OLD_CHATS).between(before.0, chat)).await?;
    let mut gone = 0;
    for chat in &chats {
        loop {
            let old = Statement::of(chat.number, OLD_MESSAGES).keys([chat.key]);
            let old = store.look(old.between(before.0, MESSAGES)).await?;
            if old.is_empty() {
                break;
            }
            let thin = Box::new(of_chat(chat, &old, before, now));
            let some = number(&store.deed(Deed::Thin(thin)).await?);
            gone += some;
            // Its account is being erased.
            if some == 0 {
                break;
            }
        }
    }
    Ok((gone, chats.last().map(|last| (last.number, last.key))))
}

fn of_chat(chat: &Seen, old: &[Seen], before: Micros, now: Micros) -> Thin {
    let account = chat.text.clone().unwrap_or_default().into();
    let messages = old.iter().map(|row| row.key).collect();
    Thin { account, chat: chat.key, messages, before, now }
}

const fn number(done: &Deeds) -> u64 {
    match done {
        Deeds::Gone(gone) => *gone,
        _ => 0,
    }
}

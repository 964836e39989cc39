//! Reading what is stored, for one caller.

mod accounts;
mod attendees;
mod chats;
mod files;
mod messages;
mod pictures;
mod position;
mod scope;
mod search;
mod snippet;

pub use attendees::AttendeesAsk;
pub use chats::ChatsAsk;
pub use files::{FileAsk, FileFound};
pub use messages::{Conversation, MessagesAsk, Point};
pub use pictures::{PictureAsk, PictureFound};
pub use scope::Target;
pub use search::{Hit, SearchAsk};
pub use snippet::Excerpt;

use crate::page::{PageTokens, TOKEN_KEY_LENGTH};
use channel_domain::AccountId;
use channel_domain::time::Micros;
use channel_runtime::clock::Clock;
use channel_store::Store;
use channel_store::reads::AccountRow;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::fmt;
use std::sync::Arc;

/// How many accounts of one question are read at the same time.
const LANES: usize = 8;

/// Positions that an answer must include.
pub type AtLeast = Vec<(AccountId, u64)>;

/// A row and the account that it belongs to.
#[derive(Debug, Clone)]
pub struct InAccount<T> {
    /// Public id of the account.
    pub account: String,
    /// The row.
    pub row: T,
}

/// One object with its account as it was just before the object was read.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// The account.
    pub account: AccountRow,
    /// The object.
    pub row: T,
}

/// Answers questions from the local database. Every method checks what the caller may see; what they may
/// not see does not exist for them. Cheap to clone.
///
/// The methods read the database in the caller's own future, and must not be dropped half-way: run them
/// in a task of their own.
#[derive(Clone)]
pub struct Queries {
    store: Arc<dyn Store>,
    tokens: PageTokens,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queries").finish_non_exhaustive()
    }
}

impl Queries {
    /// Over a store. `token_key` seals page tokens: random, secret, and the same in every process over the
    /// same database.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        token_key: &[u8; TOKEN_KEY_LENGTH],
    ) -> Self {
        Self { store, tokens: PageTokens::new(token_key), clock }
    }

    /// The time by which mutings end.
    #[must_use]
    pub fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }
}

/// Asks the same of each account, a few at a time; the answers keep the accounts' order.
async fn of_each<T, F>(
    accounts: &[AccountRow],
    ask: impl Fn(i64) -> F,
) -> Result<Vec<(i64, T)>, channel_store::StoreError>
where
    F: Future<Output = Result<T, channel_store::StoreError>>,
{
    let asked: Vec<_> = accounts.iter().map(|account| (account.key, ask(account.key))).collect();
    stream::iter(asked)
        .map(|(key, answer)| async move { Ok((key, answer.await?)) })
        .buffered(LANES)
        .try_collect()
        .await
}

/// Names the account of each row.
fn named<T>(accounts: &[AccountRow], rows: Vec<(i64, T)>) -> Vec<InAccount<T>> {
    let name = |key: i64| accounts.iter().find(|account| account.key == key);
    let in_account = |(key, row)| {
        let account = name(key)?.record.id.clone();
        Some(InAccount { account, row })
    };
    rows.into_iter().filter_map(in_account).collect()
}

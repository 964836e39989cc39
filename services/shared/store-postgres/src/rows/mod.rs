//! The rows of one open transaction: what the projection reads and writes.

mod inbox;
mod load;
mod log;
mod messages;
mod open;
mod people;
mod search;

use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::attendee::Attendee;
use channel_domain::chat::Chat;
use channel_domain::ids::{AccountId, AttendeeId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_store::StoreError;
use channel_store::intake::{Adoption, Digest};
use channel_store::rows::{ChatsWanted, OpenAccount, Owned, Parked, Rows, Writes};
use sqlx::postgres::{PgArguments, PgConnection, Postgres};

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// An open transaction.
pub(crate) struct Tx<'c> {
    pub connection: &'c mut PgConnection,
    /// The time that new work is due at.
    pub now: Micros,
}

#[async_trait]
impl Rows for Tx<'_> {
    async fn open(
        &mut self,
        ids: &[AccountId],
        adoption: &Adoption,
        now: Micros,
    ) -> Result<Vec<OpenAccount>, StoreError> {
        open::accounts(self.connection, ids, adoption, now).await
    }

    async fn note_digests(
        &mut self,
        digests: &[(i64, Digest)],
        now: Micros,
    ) -> Result<Vec<bool>, StoreError> {
        inbox::note_digests(self.connection, digests, now).await
    }

    async fn inbox_ids(&mut self, count: usize) -> Result<Vec<i64>, StoreError> {
        inbox::ids(self.connection, count).await
    }

    async fn messages(
        &mut self,
        wanted: &[(i64, UpstreamMessageId)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        load::messages(self.connection, wanted).await
    }

    async fn parked(
        &mut self,
        wanted: &[(i64, UpstreamMessageId)],
    ) -> Result<Vec<Parked>, StoreError> {
        load::parked(self.connection, wanted).await
    }

    async fn attendees(
        &mut self,
        wanted: &[(i64, AttendeeId)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError> {
        load::attendees(self.connection, wanted).await
    }

    async fn chats(&mut self, wanted: &ChatsWanted) -> Result<Vec<Owned<Chat>>, StoreError> {
        load::chats(self.connection, wanted).await
    }

    async fn unread(
        &mut self,
        chats: &[(i64, i64)],
    ) -> Result<Vec<(i64, i64, Micros)>, StoreError> {
        load::unread(self.connection, chats).await
    }

    async fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        let connection = &mut *self.connection;
        inbox::store(connection, &writes.inbox).await?;
        inbox::update(connection, &writes.inbox_updates).await?;
        open::update(connection, &writes.accounts).await?;
        people::attendees(connection, &writes.attendees).await?;
        people::links(connection, &writes.links).await?;
        people::chats(connection, &writes.chats).await?;
        people::members(connection, &writes.members).await?;
        messages::messages(connection, &writes.messages).await?;
        search::words(connection, &writes.messages).await?;
        messages::files(connection, &writes.messages).await?;
        messages::reactions(connection, &writes.messages).await?;
        messages::versions(connection, &writes.versions).await?;
        messages::unpark(connection, &writes.unparked).await?;
        messages::park(connection, &writes.parked).await?;
        log::work(connection, &writes.work, self.now).await?;
        log::append(connection, &writes.log, &writes.heads).await
    }
}

/// One column of many rows, as the array that a statement takes.
fn column<'r, R, V>(rows: &'r [R], value: impl Fn(&'r R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// One part of many rows as JSON texts.
fn json_column<'r, R, P: serde::Serialize + 'r>(
    rows: &'r [R],
    part: impl Fn(&'r R) -> Option<&'r P>,
) -> Result<Vec<Option<String>>, StoreError> {
    let unwritable =
        |_| crate::error::nonsense("a new row", "", "a part of it cannot be written as JSON");
    rows.iter()
        .map(|row| part(row).map(serde_json::to_string).transpose().map_err(unwritable))
        .collect()
}

/// Executes a statement whose parameters are arrays, unless there is nothing to do.
async fn execute<R>(
    connection: &mut PgConnection,
    rows: &[R],
    query: Query<'_>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let done = query.execute(connection).await;
    done.map(|_| ()).map_err(crate::error::sorted)
}

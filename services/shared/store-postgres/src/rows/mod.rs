//! The rows of one open transaction: what the projection reads and writes.

mod actions;
mod children;
mod inbox;
mod load;
mod log;
mod look_up;
mod messages;
mod open;
mod outbox;
mod people;
mod pictures;
mod renamed;
mod search;
mod sent;
mod syncs;
mod together;

pub(crate) use open::new_tenant;

use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::attendee::{Attendee, ClaimKind};
use channel_domain::chat::Chat;
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId};
use channel_domain::message::Message;
use channel_domain::send::{Action, Job, Pacing};
use channel_domain::sync::{Sync, SyncChat};
use channel_store::StoreError;
use channel_store::intake::Adoption;
use channel_store::media::{FetchRow, FileId};
use channel_store::rows::{
    Asked, ChatAlias, ChatsWanted, Desk, Held, JobsWanted, Known, OpenAccount, Owned, Rows, Shown,
    Unsettled, Writes,
};
use sqlx::postgres::PgConnection;
use together::Together;
use uuid::Uuid;

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

    async fn look_up(&mut self, asked: &Asked, now: Micros) -> Result<Known, StoreError> {
        let mut known = look_up::everything(self.connection, asked, now).await?;
        known.messages = load::messages(self.connection, &asked.messages).await?;
        Ok(known)
    }

    async fn attendees(
        &mut self,
        wanted: &[(i64, AttendeeId)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError> {
        load::attendees(self.connection, wanted).await
    }

    async fn named(
        &mut self,
        wanted: &[(i64, ClaimKind, String)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError> {
        people::named(self.connection, wanted).await
    }

    async fn members(&mut self, account: i64, chat: i64) -> Result<Vec<i64>, StoreError> {
        people::present(self.connection, account, chat).await
    }

    async fn unsettled(
        &mut self,
        shown: &[Owned<Shown>],
    ) -> Result<Vec<Owned<Unsettled>>, StoreError> {
        people::unsettled(self.connection, shown).await
    }

    async fn aliases(
        &mut self,
        wanted: &[(i64, ChatId)],
    ) -> Result<Vec<Owned<ChatAlias>>, StoreError> {
        renamed::aliases(self.connection, wanted).await
    }

    async fn reacted_to(
        &mut self,
        people: &[(i64, i64)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        load::reacted_to(self.connection, people).await
    }

    async fn messages_by_id(
        &mut self,
        wanted: &[(i64, MessageId)],
    ) -> Result<Vec<Owned<Message>>, StoreError> {
        outbox::messages(self.connection, wanted).await
    }

    async fn jobs(&mut self, wanted: &JobsWanted) -> Result<Vec<Owned<Job>>, StoreError> {
        outbox::jobs(self.connection, wanted).await
    }

    async fn actions(&mut self, wanted: &[(i64, Uuid)]) -> Result<Vec<Owned<Action>>, StoreError> {
        actions::load(self.connection, wanted).await
    }

    async fn held(&mut self, account: i64, message: i64) -> Result<Vec<Held>, StoreError> {
        outbox::held(self.connection, account, message).await
    }

    async fn fetch_row(
        &mut self,
        account: i64,
        file: &FileId,
    ) -> Result<Option<FetchRow>, StoreError> {
        crate::media::row(self.connection, account, file).await
    }

    async fn picture_row(
        &mut self,
        account: i64,
        subject: i64,
    ) -> Result<Option<FetchRow>, StoreError> {
        crate::pictures::row(self.connection, account, subject).await
    }

    async fn pacing(&mut self, account: i64) -> Result<Pacing, StoreError> {
        outbox::pacing(self.connection, account).await
    }

    async fn desk(&mut self, account: i64) -> Result<Desk, StoreError> {
        outbox::desk(self.connection, account).await
    }

    async fn chats(&mut self, wanted: &ChatsWanted) -> Result<Vec<Owned<Chat>>, StoreError> {
        load::chats(self.connection, wanted).await
    }

    async fn unread(
        &mut self,
        wanted: &[(i64, i64, Micros)],
    ) -> Result<Vec<(i64, i64, Micros)>, StoreError> {
        load::unread(self.connection, wanted).await
    }

    async fn syncs(&mut self, account: i64, id: Option<Uuid>) -> Result<Vec<Sync>, StoreError> {
        syncs::load(self.connection, account, id).await
    }

    async fn sync_chats(
        &mut self,
        account: i64,
        sync: i64,
        chats: &[i64],
    ) -> Result<Vec<SyncChat>, StoreError> {
        syncs::chats(self.connection, account, sync, chats).await
    }

    async fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        if !(writes.gone.is_empty() && writes.gone_chats.is_empty()) {
            let mut gone = Together::default();
            messages::gone(&mut gone, &writes.gone);
            renamed::gone(&mut gone, &writes.gone_chats);
            gone.execute(self.connection).await?;
        }
        let mut often = Together::default();
        inbox::store(&mut often, &writes.inbox);
        people::chats(&mut often, &writes.chats)?;
        people::members(&mut often, &writes.members);
        messages::messages(&mut often, &writes.messages)?;
        search::words(&mut often, &writes.messages);
        log::work(&mut often, &writes.work, self.now);
        log::append(&mut often, &writes.log, &writes.heads);
        often.execute(self.connection).await?;
        let mut seldom = Together::default();
        inbox::update(&mut seldom, &writes.inbox_updates);
        open::update(&mut seldom, &writes.accounts)?;
        people::attendees(&mut seldom, &writes.attendees)?;
        people::links(&mut seldom, &writes.links);
        people::members_told(&mut seldom, &writes.members_told);
        search::no_words(&mut seldom, &writes.messages);
        children::files(&mut seldom, &writes.messages)?;
        children::reactions(&mut seldom, &writes.messages);
        children::versions(&mut seldom, &writes.versions);
        children::unpark(&mut seldom, &writes.unparked);
        children::park(&mut seldom, &writes.parked)?;
        pictures::want(&mut seldom, &writes.pictures);
        seldom.execute(self.connection).await?;
        let Writes { jobs, pacing, held, unheld, .. } = writes;
        let mut sending = Together::default();
        outbox::write(&mut sending, jobs, pacing, held, unheld)?;
        actions::write(&mut sending, &writes.actions)?;
        renamed::write(&mut sending, &writes.aliases);
        syncs::write(&mut sending, writes)?;
        sending.execute(self.connection).await?;
        crate::media::ends(self.connection, &writes.fetched).await?;
        crate::thumbnails::looked_at(self.connection, &writes.looked_at).await?;
        crate::pictures::ends(self.connection, &writes.looked).await
    }
}

/// One column of many rows, as the array that a statement takes.
fn column<'r, R, V>(rows: &'r [R], value: impl Fn(&'r R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// Rows as the server takes them.
fn tried<'r, R, S>(rows: &'r [R]) -> Result<Vec<S>, StoreError>
where
    S: TryFrom<&'r R, Error = StoreError>,
{
    rows.iter().map(S::try_from).collect()
}

/// A part of a row as JSON text.
fn json(part: &impl serde::Serialize) -> Result<String, StoreError> {
    let unwritable =
        |_| crate::error::nonsense("a new row", "", "a part of it cannot be written as JSON");
    serde_json::to_string(part).map_err(unwritable)
}

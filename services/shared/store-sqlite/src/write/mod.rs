//! Writing what a projection decided.

mod accounts;
mod chats;
mod children;
mod inbox;
mod messages;
mod outbox;
mod people;

pub(crate) use accounts::{new_account, new_tenant};

use crate::error::nonsense;
use crate::sql::Query;
use crate::{search, sync};
use channel_domain::{Stamp, search as words};
use channel_store::StoreError;
use channel_store::rows::Writes;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

/// Writes everything, parents before children.
pub(crate) async fn all(c: &mut SqliteConnection, writes: &Writes) -> Result<(), StoreError> {
    outbox::gone(c, &writes.gone).await?;
    outbox::gone_chats(c, &writes.gone_chats).await?;
    inbox::INBOX.execute(c, &writes.inbox, inbox::inbox).await?;
    for update in &writes.inbox_updates {
        inbox::inbox_update(c, update).await?;
    }
    accounts::ACCOUNTS
        .execute(c, &json_rows(&writes.accounts, |a| &a.reports)?, accounts::account)
        .await?;
    people::ATTENDEES
        .execute(c, &json_rows(&writes.attendees, |a| &a.row.claims)?, people::attendee)
        .await?;
    chats::CHATS.execute(c, &json_rows(&writes.chats, |chat| &chat.row.last)?, chats::chat).await?;
    people::LINKS.execute(c, &writes.links, people::link).await?;
    people::MEMBERS.execute(c, &writes.members, people::member).await?;
    people::members_told(c, &writes.members_told).await?;
    let rows = json_rows(&writes.messages, |m| &m.row.message.content.quoted)?;
    messages::MESSAGES.execute(c, &rows, messages::message).await?;
    search::write(c, &writes.messages).await?;
    children::write(c, &writes.messages).await?;
    messages::VERSIONS.execute(c, &writes.versions, messages::version).await?;
    messages::PARKED
        .execute(c, &json_rows(&writes.parked, |parked| &parked.fact)?, messages::parked)
        .await?;
    messages::UNPARKED.execute(c, &writes.unparked, messages::unparked).await?;
    outbox::write(c, &writes.jobs, &writes.pacing, &writes.held, &writes.unheld).await?;
    outbox::actions(c, &writes.actions).await?;
    outbox::aliases(c, &writes.aliases).await?;
    sync::write(c, &writes.syncs, &writes.sync_chats, &writes.complete).await?;
    sync::complete_chats(c, &writes.complete_chats).await?;
    crate::media::ends(c, &writes.fetched).await?;
    crate::thumbnails::looked_at(c, &writes.looked_at).await?;
    crate::pictures::write(c, &writes.pictures, &writes.looked).await?;
    inbox::WORK.execute(c, &writes.work, inbox::work).await?;
    accounts::LOG.execute(c, &writes.log, accounts::log).await?;
    accounts::HEADS.execute(c, &writes.heads, accounts::head).await
}

/// A row with one of its parts as JSON.
struct WithJson<'w, T> {
    row: &'w T,
    json: String,
}

fn json_rows<'w, T, P: Serialize + 'w>(
    rows: &'w [T],
    part: impl Fn(&'w T) -> &'w P,
) -> Result<Vec<WithJson<'w, T>>, StoreError> {
    let unwritable = |_| nonsense("a new row", "", "it cannot be written as JSON");
    rows.iter()
        .map(|row| {
            Ok(WithJson { row, json: serde_json::to_string(part(row)).map_err(unwritable)? })
        })
        .collect()
}

fn number(seq: u64) -> i64 {
    seq.cast_signed()
}

fn stamp(query: Query<'_>, stamp: Stamp) -> Query<'_> {
    query.bind(stamp.at.0).bind(stamp.inbox)
}

fn maybe_stamp(query: Query<'_>, stamp: Option<Stamp>) -> Query<'_> {
    query.bind(stamp.map(|stamp| stamp.at.0)).bind(stamp.map(|stamp| stamp.inbox))
}

/// Words for filtering a list: each with a blank before it, so that `% word%` finds beginnings.
fn listed_words<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.flat_map(words::words).fold(String::new(), |listed, word| listed + " " + &word)
}

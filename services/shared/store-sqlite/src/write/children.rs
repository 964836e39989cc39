//! The files and reactions of messages.

use super::stamp;
use crate::sql::Rowwise;
use channel_store::StoreError;
use channel_store::rows::{MessageWrite, Owned};
use sqlx::sqlite::SqliteConnection;

const NO_FILES: Rowwise = Rowwise {
    head: "DELETE FROM attachments WHERE (account_key, message_key) IN (VALUES",
    columns: 2,
    tail: ")",
};

const FILES: Rowwise = Rowwise {
    head: "INSERT INTO attachments (account_key, message_key, position, id, kind, mime, size, name, \
           width, height, duration_seconds, unavailable, fetched) VALUES",
    columns: 13,
    tail: "",
};

const REACTIONS: Rowwise = Rowwise {
    head: "INSERT INTO reactions (account_key, message_key, actor_key, emoji, at, inbox) VALUES",
    columns: 6,
    tail: "ON CONFLICT (account_key, message_key, actor_key) DO UPDATE SET \
           emoji = excluded.emoji, at = excluded.at, inbox = excluded.inbox",
};

/// Writes the attachments and reactions of messages whose own changed.
pub(super) async fn write(
    c: &mut SqliteConnection,
    messages: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    let with_files: Vec<_> = messages.iter().filter(|owned| owned.row.files).collect();
    NO_FILES
        .execute(c, &with_files, |q, owned| q.bind(owned.account_key).bind(owned.row.message.key))
        .await?;
    let files: Vec<_> = with_files
        .iter()
        .flat_map(|owned| {
            let files = owned.row.message.content.attachments.iter().zip(0_i64..);
            files.map(|(file, position)| (owned.account_key, owned.row.message.key, position, file))
        })
        .collect();
    FILES
        .execute(c, &files, |query, (account, message, position, file)| {
            query
                .bind(account)
                .bind(message)
                .bind(position)
                .bind(&file.id)
                .bind(
                    serde_json::to_value(file.kind).ok().and_then(|k| k.as_str().map(String::from)),
                )
                .bind(&file.mime)
                .bind(file.size.map(u64::cast_signed))
                .bind(&file.name)
                .bind(file.width)
                .bind(file.height)
                .bind(file.duration_seconds)
                .bind(file.unavailable)
                .bind(file.fetch.as_ref().and_then(super::outbox::json))
        })
        .await?;
    let reactions: Vec<_> = messages
        .iter()
        .filter(|owned| owned.row.reactions)
        .flat_map(|owned| {
            let reactions = owned.row.message.reactions.iter();
            reactions.map(|reaction| (owned.account_key, owned.row.message.key, reaction))
        })
        .collect();
    REACTIONS
        .execute(c, &reactions, |query, (account, message, reaction)| {
            let query = query.bind(account).bind(message).bind(reaction.actor_key);
            stamp(query.bind(&reaction.emoji), reaction.stamp)
        })
        .await
}

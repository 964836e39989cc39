//! The index of words.
//!
//! A row's id begins with the second in which the message was sent, so that the newest match comes
//! first and a search may stop early. The rest of the id only keeps it unique.

use crate::error::sorted;
use channel_store::StoreError;
use channel_store::rows::{MessageWrite, Owned};
use sqlx::sqlite::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// Bits of an id that keep it unique inside its second.
const SPREAD: u32 = 28;

/// Draws ids for messages that are indexed for the first time.
pub(crate) async fn ids(
    c: &mut SqliteConnection,
    messages: &[Owned<MessageWrite>],
) -> Result<HashMap<(i64, i64), i64>, StoreError> {
    let (mut ids, mut taken) = (HashMap::new(), HashSet::new());
    for owned in messages.iter().filter(|owned| indexable(owned)) {
        let key = (owned.account_key, owned.row.message.key);
        let known: Option<i64> = sqlx::query_scalar(
            "SELECT search_id FROM messages WHERE account_key = ? AND message_key = ?",
        )
        .bind(key.0)
        .bind(key.1)
        .fetch_optional(&mut *c)
        .await
        .map_err(sorted)?
        .flatten();
        let id = match known {
            Some(id) => id,
            None => free(c, first(owned), &mut taken).await?,
        };
        ids.insert(key, id);
    }
    Ok(ids)
}

fn indexable(owned: &Owned<MessageWrite>) -> bool {
    owned.row.indexed.is_some()
}

fn first(owned: &Owned<MessageWrite>) -> i64 {
    let message = &owned.row.message;
    let second = message.sent_at.0.div_euclid(1_000_000).clamp(0, (1 << (62 - SPREAD)) - 1);
    let spread = message.arrived.inbox.wrapping_mul(64) ^ message.key ^ (owned.account_key << 16);
    (second << SPREAD) | (spread & ((1 << SPREAD) - 1))
}

async fn free(
    c: &mut SqliteConnection,
    mut id: i64,
    taken: &mut HashSet<i64>,
) -> Result<i64, StoreError> {
    loop {
        let used: Option<i64> = sqlx::query_scalar("SELECT 1 FROM messages WHERE search_id = ?")
            .bind(id)
            .fetch_optional(&mut *c)
            .await
            .map_err(sorted)?;
        if used.is_none() && taken.insert(id) {
            return Ok(id);
        }
        id += 1;
    }
}

/// Writes the words of messages whose text is new or changed.
pub(crate) async fn write(
    c: &mut SqliteConnection,
    messages: &[Owned<MessageWrite>],
    ids: &HashMap<(i64, i64), i64>,
) -> Result<(), StoreError> {
    for owned in messages {
        let (Some(words), Some(id)) =
            (&owned.row.indexed, ids.get(&(owned.account_key, owned.row.message.key)))
        else {
            continue;
        };
        sqlx::query("INSERT OR REPLACE INTO message_words (rowid, words) VALUES (?, ?)")
            .bind(id)
            .bind(format!("{} {words}", account_word(owned.account_key)))
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
    }
    Ok(())
}

/// The word with which each of an account's rows begins. No text contains it: words have no `_`.
pub(crate) fn account_word(account_key: i64) -> String {
    format!("_{account_key}")
}

/// The expression that finds an account's rows with words that begin with all of `words`.
pub(crate) fn expression(account_key: i64, words: &[String]) -> String {
    // Words are letters and digits only, so nothing in them can end the quotes.
    let asked = words.iter().map(|word| format!("\"{word}\"*"));
    let own = format!("\"{}\"", account_word(account_key));
    std::iter::once(own).chain(asked).collect::<Vec<_>>().join(" AND ")
}

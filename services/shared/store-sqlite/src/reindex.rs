//! Writing the index of words anew when its form has changed.

use crate::decode::{MESSAGE, get};
use crate::error::sorted;
use crate::messages::complete;
use crate::search::{self, Words};
use channel_store::StoreError;
use channel_store::rows::{Owned, words_of};
use const_format::concatcp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Executor};

/// The form in which words are written now. 2: the word of an account begins with a sign of its own; before
/// it was taken for a number in a text, so that one account found another's messages.
const FORM: i64 = 2;
/// How many messages go into one transaction.
const AT_ONCE: i64 = 2_000;

const NEXT: &str = concatcp!(
    "SELECT ",
    MESSAGE,
    " FROM messages m CROSS JOIN chats c ON c.account_key = m.account_key AND c.chat_key = m.chat_key \
     LEFT JOIN attendees s ON s.account_key = m.account_key AND s.attendee_key = m.sender_key \
     WHERE (m.account_key, m.message_key) > (?, ?) ORDER BY m.account_key, m.message_key LIMIT ?"
);

/// Brings the index into the present form. If it is interrupted, it begins anew the next time.
pub(crate) async fn bring_up_to_date(c: &mut SqliteConnection) -> Result<(), StoreError> {
    let form: Option<i64> = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'words'")
        .fetch_optional(&mut *c)
        .await
        .map_err(sorted)?;
    if form == Some(FORM) {
        return Ok(());
    }
    let forget = "INSERT INTO message_words (message_words) VALUES ('delete-all')";
    c.execute(forget).await.map_err(sorted)?;
    let mut after = (i64::MIN, i64::MIN);
    let mut count = 0;
    while let Some(last) = piece(c, after, &mut count).await? {
        after = last;
        tracing::info!(messages = count, "the index of words is written anew");
    }
    sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES ('words', ?)")
        .bind(FORM)
        .execute(c)
        .await
        .map_err(sorted)?;
    Ok(())
}

/// Writes the words of the next messages; returns the keys of the last one.
async fn piece(
    c: &mut SqliteConnection,
    (account, message): (i64, i64),
    count: &mut usize,
) -> Result<Option<(i64, i64)>, StoreError> {
    let mut transaction = c.begin().await.map_err(sorted)?;
    let rows: Vec<SqliteRow> = sqlx::query(NEXT)
        .bind(account)
        .bind(message)
        .bind(AT_ONCE)
        .fetch_all(&mut *transaction)
        .await
        .map_err(sorted)?;
    let Some(last) = rows.last() else { return Ok(None) };
    let last = (get(last, "account_key")?, get(last, "message_key")?);
    let messages = complete(&mut transaction, &rows).await?;
    let words = messages
        .iter()
        .map(|Owned { account_key, row }| Words::new(*account_key, row, &words_of(row)));
    search::put(&mut transaction, words.collect()).await?;
    *count += rows.len();
    transaction.commit().await.map_err(sorted)?;
    Ok(Some(last))
}

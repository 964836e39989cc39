//! The index of words.
//!
//! A row's id begins with the second in which the message was sent, so that the newest match comes
//! first and a search may stop early.

use crate::error::sorted;
use crate::sql::Rowwise;
use channel_domain::Micros;
use channel_domain::message::Message;
use channel_store::StoreError;
use channel_store::rows::{MessageWrite, Owned};
use sqlx::sqlite::SqliteConnection;

/// Bits of an id that keep it unique inside its second.
const SPREAD: u32 = 28;

/// The id of a message's row. The rest of it is the number of the payload that brought the message, so
/// two messages of one second share an id only if 2^28 payloads came between them.
pub(crate) const fn id(message: &Message) -> i64 {
    id_at(message, message.sent_at)
}

/// The id that the message's row had while this was its time.
const fn id_at(message: &Message, sent_at: Micros) -> i64 {
    first(sent_at) | (message.arrived.inbox & ((1 << SPREAD) - 1))
}

/// Forgets the words of a row.
pub(crate) async fn forget(c: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM message_words WHERE rowid = ?").bind(id);
    delete.execute(c).await.map(drop).map_err(sorted)
}

/// The first id that a message sent at `at` may have.
pub(crate) const fn first(at: Micros) -> i64 {
    let second = at.0.div_euclid(1_000_000);
    let latest = (1 << (62 - SPREAD)) - 1;
    let second = if second < 0 {
        0
    } else if second > latest {
        latest
    } else {
        second
    };
    second << SPREAD
}

/// Writes the words of messages whose text is new or changed.
pub(crate) async fn write(
    c: &mut SqliteConnection,
    messages: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    let mut words = Vec::new();
    for Owned { account_key, row } in messages {
        let Some(indexed) = &row.indexed else { continue };
        if let Some(before) = row.moved_from {
            forget(c, id_at(&row.message, before)).await?;
        }
        words.push(Words::new(*account_key, &row.message, indexed));
    }
    put(c, words).await
}

/// A row of the index.
pub(crate) struct Words {
    id: i64,
    text: String,
}

impl Words {
    pub(crate) fn new(account_key: i64, message: &Message, words: &str) -> Self {
        Self { id: id(message), text: format!("{} {words}", account_word(account_key)) }
    }
}

const PUT: Rowwise = Rowwise {
    head: "INSERT OR REPLACE INTO message_words (rowid, words) VALUES",
    columns: 2,
    tail: "",
};

/// Writes rows. The index takes them into memory and writes them out once as long as their ids grow; each that does
/// not would cost it a piece of its own on disk.
pub(crate) async fn put(c: &mut SqliteConnection, mut words: Vec<Words>) -> Result<(), StoreError> {
    words.sort_by_key(|words| words.id);
    PUT.execute(c, &words, |query, words| query.bind(words.id).bind(&words.text)).await
}

/// The word with which each of an account's rows begins. Its sign belongs to words for the index, as
/// everything beyond ASCII does, and no word of a text has it: those are letters and digits. It makes an
/// account's search read its own rows only; whose a row is, is told by the message itself.
pub(crate) fn account_word(account_key: i64) -> String {
    format!("§{account_key}")
}

/// The expression that finds an account's rows with words that begin with all of `words`.
pub(crate) fn expression(account_key: i64, words: &[String]) -> String {
    // Words are letters and digits only, so nothing in them can end the quotes.
    let asked = words.iter().map(|word| format!("\"{word}\"*"));
    let own = format!("\"{}\"", account_word(account_key));
    std::iter::once(own).chain(asked).collect::<Vec<_>>().join(" AND ")
}

//! Writing the words of messages. See [`crate::search`] for how they are read.

use super::sent::row_sent;
use super::together::Together;
use crate::search::{chat_word, scoped, span};
use channel_store::rows::{MessageWrite, Owned};

/// The most that is written of one message's words, in bytes: half of what a `tsvector` holds, and far
/// more than WhatsApp lets anyone write.
const LARGEST: usize = 512 * 1024;

/// A message without words has no row.
const NO_WORDS: &str = "DELETE FROM message_words w USING unnest($1::message_words_row[]) AS u \
    WHERE w.account_key = u.account_key AND w.message_key = u.message_key";

const WORDS: &str = "INSERT INTO message_words (account_key, message_key, place, span, words) \
    SELECT account_key, message_key, place, span, array_to_tsvector(string_to_array(words, ' ')) \
    FROM unnest($1::message_words_row[]) \
    ON CONFLICT (account_key, message_key) DO UPDATE SET place = excluded.place, \
      span = excluded.span, words = excluded.words";

row_sent!(
    "message_words_row",
    struct WordsRow {
        account_key: i64,
        message_key: i64,
        place: Vec<u8>,
        span: i32,
        words: String,
    }
);

impl WordsRow {
    fn new(owned: &Owned<MessageWrite>, indexed: &str) -> Self {
        let message = &owned.row.message;
        Self {
            account_key: owned.account_key,
            message_key: message.key,
            place: message.sort_key().as_bytes().to_vec(),
            span: span(message.sent_at),
            words: line(owned, indexed),
        }
    }
}

/// Writes the words of messages whose text is new or changed.
pub(super) fn words(together: &mut Together, messages: &[Owned<MessageWrite>]) {
    let rows = indexed(messages).filter(|(_, indexed)| !indexed.is_empty());
    together.part(WORDS, rows.map(|(owned, indexed)| WordsRow::new(owned, indexed)));
}

/// Forgets the words of messages that have none left.
pub(super) fn no_words(together: &mut Together, messages: &[Owned<MessageWrite>]) {
    let rows = indexed(messages).filter(|(_, indexed)| indexed.is_empty());
    together.part(NO_WORDS, rows.map(|(owned, indexed)| WordsRow::new(owned, indexed)));
}

fn indexed(messages: &[Owned<MessageWrite>]) -> impl Iterator<Item = (&Owned<MessageWrite>, &str)> {
    messages.iter().filter_map(|owned| Some((owned, owned.row.indexed.as_deref()?)))
}

/// A message's words as they are stored, its chat's first; as many as fit.
fn line(owned: &Owned<MessageWrite>, indexed: &str) -> String {
    let message = &owned.row.message;
    let (account, span) = (owned.account_key, span(message.sent_at).to_string());
    let mut line = scoped(account, &span, &chat_word(message.chat_key));
    for word in indexed.split(' ') {
        let word = scoped(account, &span, word);
        if line.len() + word.len() >= LARGEST {
            break;
        }
        line.push(' ');
        line.push_str(&word);
    }
    line
}

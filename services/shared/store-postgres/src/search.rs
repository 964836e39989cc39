//! Finding messages by their words, newest first.
//!
//! Two ways, because neither is good for every word. Walking back through an account's messages from the
//! newest finds a common word at once and a rare one never; the index of words finds a rare word at once,
//! but a common one only as a heap of messages to be sorted. So the walk goes first, over a bounded number
//! of messages; if it did not fill the page, the word is rare enough for the index.
//!
//! Words are stored with their account and a span of time (25 days) in front. So the beginning of a word
//! is looked up among the words of one account, however many others share the database; and the spans are
//! searched one by one from the newest back, until the page is full. Spans without messages are not visited.
//!
//! Measured by `examples/search_cost.rs`: two accounts of a million messages each, spread over a year, two
//! busy cores, a debug build, pages of 50, median of 20 in milliseconds:
//!
//! | one message in … has the word | this | the walk, then the index without accounts and spans |
//! |---|---|---|
//! | 1, 10, 100 | 3, 3, 6 | 3, 4, 7 |
//! | 200 | 5 | 59 |
//! | 1,000 | 5 | 32 |
//! | 10,000 | 5 | 13 |
//! | 3, but only in the older half | 9 | 285 |
//! | none | 3 | 2 |

use crate::decode::{self, MESSAGE, MESSAGE_JOINS};
use crate::error::sorted;
use channel_domain::ids::ChatId;
use channel_domain::{Micros, SortKey};
use channel_store::StoreError;
use channel_store::reads::SearchQuery;
use channel_store::record::MessageRecord;
use const_format::concatcp;
use sqlx::Executor;
use sqlx::postgres::{PgPool, PgRow};

/// How many messages the walk looks at.
const WALK: i64 = 2_000;
/// Stands in a query for the span, which the statement fills in.
const ANY_SPAN: &str = "#";

/// The span of time that a message belongs to: 2⁴¹ microseconds.
pub(crate) const fn span(sent_at: Micros) -> i32 {
    (sent_at.0 >> 41) as i32
}

/// A word as it is stored.
pub(crate) fn scoped(account_key: i64, span: &str, word: &str) -> String {
    format!("{account_key}.{span}.{word}")
}

/// The word that every message of a chat has; no text has such a word.
pub(crate) fn chat_word(chat_key: i64) -> String {
    format!("@{chat_key}")
}

/// The account's spans from the newest back, each with its ends and the query for it. A place begins with
/// the time of sending, its sign bit flipped. What the statement below does not take is never computed.
const SPANS: &str = "WITH RECURSIVE spans(since, upto, asked) AS ( \
    SELECT int8send((n.span::bigint << 41) # (-9223372036854775808)::bigint), $2::bytea, \
      replace($3, '#', n.span::text)::tsquery \
    FROM (SELECT span FROM message_words WHERE account_key = $1 AND place < $2 \
      ORDER BY place DESC LIMIT 1) AS n \
    UNION ALL \
    SELECT int8send((n.span::bigint << 41) # (-9223372036854775808)::bigint), s.since, \
      replace($3, '#', n.span::text)::tsquery \
    FROM spans s CROSS JOIN LATERAL (SELECT span FROM message_words \
      WHERE account_key = $1 AND place < s.since ORDER BY place DESC LIMIT 1) AS n) ";

const HITS: &str = concatcp!(SPANS, "SELECT ", MESSAGE, " FROM (");
const OF_HITS: &str = concatcp!(
    " LIMIT $4) AS hit JOIN messages m ON m.account_key = $1 AND m.message_key = hit.message_key",
    MESSAGE_JOINS,
    "ORDER BY m.place DESC"
);

/// The newest messages of the account, filtered.
const WALK_ACCOUNT: &str = concatcp!(
    HITS,
    "SELECT w.message_key FROM (SELECT w.message_key, w.words, s.asked FROM spans s \
       CROSS JOIN LATERAL (SELECT message_key, words FROM message_words \
         WHERE account_key = $1 AND place >= s.since AND place < s.upto ORDER BY place DESC \
         LIMIT $5) AS w LIMIT $5) AS w WHERE w.words @@ w.asked",
    OF_HITS
);

/// The newest messages of the chat, filtered.
const WALK_CHAT: &str = concatcp!(
    HITS,
    "SELECT w.message_key FROM (SELECT w.message_key, w.words, s.asked FROM spans s \
       CROSS JOIN LATERAL (SELECT n.message_key, w.words FROM messages n \
         JOIN message_words w ON w.account_key = $1 AND w.message_key = n.message_key \
         WHERE n.account_key = $1 AND n.chat_key = $6 AND n.place >= s.since AND n.place < s.upto \
         ORDER BY n.place DESC LIMIT $5) AS w LIMIT $5) AS w WHERE w.words @@ w.asked",
    OF_HITS
);

/// The index of words can only be gathered from, which sessions that read may not do otherwise.
const GATHERING: &str = "SET LOCAL enable_bitmapscan = on";

/// What the index of words has, span by span. Materialized, so that the planner cannot walk here too.
const INDEX: &str = concatcp!(
    HITS,
    "SELECT f.message_key FROM spans s CROSS JOIN LATERAL (WITH found AS MATERIALIZED ( \
         SELECT message_key, place FROM message_words WHERE words @@ s.asked) \
       SELECT message_key FROM found WHERE place < $2 ORDER BY place DESC LIMIT $4) AS f",
    OF_HITS
);

pub(crate) async fn find(
    pool: &PgPool,
    account_key: i64,
    query: &SearchQuery,
) -> Result<Vec<MessageRecord>, StoreError> {
    let words = plain(&query.words);
    if words.is_empty() || query.limit == 0 {
        return Ok(Vec::new());
    }
    let chat = match &query.chat {
        Some(chat) => match chat_key(pool, account_key, chat).await? {
            Some(key) => Some(key),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    // After every place there is.
    let end = vec![0xff; SortKey::LEN + 1];
    let search = Search {
        account_key,
        chat,
        before: query.before.map_or(end, |place| place.as_bytes().to_vec()),
        limit: i64::try_from(query.limit).unwrap_or(i64::MAX),
    };
    let walked = search.walk(pool, &words).await?;
    if walked.len() >= query.limit {
        return Ok(walked);
    }
    search.index(pool, &words).await
}

/// Words are letters and digits only, which quoting keeps as they are; whatever else a caller may pass is
/// left out, so that no text can change the query's form.
fn plain(words: &[String]) -> Vec<String> {
    let plain = |word: &String| word.chars().filter(|c| c.is_alphanumeric()).collect();
    words.iter().map(plain).filter(|word: &String| !word.is_empty()).collect()
}

struct Search {
    account_key: i64,
    chat: Option<i64>,
    before: Vec<u8>,
    limit: i64,
}

impl Search {
    async fn walk(
        &self,
        pool: &PgPool,
        words: &[String],
    ) -> Result<Vec<MessageRecord>, StoreError> {
        let statement = if self.chat.is_some() { WALK_CHAT } else { WALK_ACCOUNT };
        let mut bound = sqlx::query(statement)
            .bind(self.account_key)
            .bind(&self.before)
            .bind(self.expression(words, None))
            .bind(self.limit)
            .bind(WALK);
        if let Some(chat) = self.chat {
            bound = bound.bind(chat);
        }
        records(bound.fetch_all(pool).await)
    }

    async fn index(
        &self,
        pool: &PgPool,
        words: &[String],
    ) -> Result<Vec<MessageRecord>, StoreError> {
        let chat = self.chat.map(chat_word);
        let bound = sqlx::query(INDEX)
            .bind(self.account_key)
            .bind(&self.before)
            .bind(self.expression(words, chat.as_ref()))
            .bind(self.limit);
        let mut transaction = pool.begin().await.map_err(sorted)?;
        transaction.execute(GATHERING).await.map_err(sorted)?;
        let found = bound.fetch_all(&mut *transaction).await;
        transaction.commit().await.map_err(sorted)?;
        records(found)
    }

    /// The query as PostgreSQL writes it, for any span: all of the words' beginnings, and one word whole.
    fn expression(&self, words: &[String], whole: Option<&String>) -> String {
        let scoped = |word: &String| scoped(self.account_key, ANY_SPAN, word);
        let whole = whole.map(|word| format!("'{}'", scoped(word)));
        let beginnings = words.iter().map(|word| format!("'{}':*", scoped(word)));
        whole.into_iter().chain(beginnings).collect::<Vec<_>>().join(" & ")
    }
}

async fn chat_key(
    pool: &PgPool,
    account_key: i64,
    chat: &ChatId,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar("SELECT chat_key FROM chats WHERE account_key = $1 AND id = $2")
        .bind(account_key)
        .bind(chat.as_str())
        .fetch_optional(pool)
        .await
        .map_err(sorted)
}

fn records(rows: Result<Vec<PgRow>, sqlx::Error>) -> Result<Vec<MessageRecord>, StoreError> {
    let rows = rows.map_err(sorted)?;
    rows.iter().map(|row| Ok((&decode::message(row)?).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_cannot_change_its_form_nor_leave_its_account() {
        let search = Search { account_key: 1, chat: None, before: vec![], limit: 1 };
        let words = plain(&["cre".into(), "a' | '2.#.x".into(), "'".into()]);
        let expression = search.expression(&words, Some(&chat_word(7)));
        assert_eq!(expression, "'1.#.@7' & '1.#.cre':* & '1.#.a2x':*");
    }

    #[test]
    fn every_time_has_a_span_that_begins_at_or_before_it() {
        for at in [i64::MIN, -1, 0, 1, 1_769_940_000_000_000, i64::MAX] {
            let begins = i64::from(span(Micros(at))) << 41;
            assert!(begins <= at && at - begins < 1 << 41, "{at}");
        }
    }
}

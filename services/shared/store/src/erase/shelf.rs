//! How statements that every database understands are written and carried out.

use crate::error::StoreError;
use async_trait::async_trait;
use std::borrow::Cow;

/// A statement with its values. What is erased is a rule, so its statements are here and the same for every
/// database, which only says how it writes lists:
///
/// | in the text | means |
/// |---|---|
/// | `$1` | [`account`](Self::account) |
/// | `{keys}`, `{texts}` | a table with the column `value`: [`keys`](Self::keys), [`texts`](Self::texts) |
/// | `$4`, `$5` | [`low`](Self::low), [`high`](Self::high) |
/// | `$6`, `$7`, `$8` | [`words`](Self::words) |
/// | `{in}` | the function that finds a text in a text |
/// | `{m.id}` | the bytes of a message's public id |
#[derive(Debug, Clone, Default)]
pub struct Statement {
    /// Its text.
    pub sql: Cow<'static, str>,
    /// Key of the account.
    pub account: i64,
    /// Keys of rows.
    pub keys: Vec<i64>,
    /// Texts.
    pub texts: Vec<String>,
    /// A number.
    pub low: i64,
    /// Another number.
    pub high: i64,
    /// Single texts.
    pub words: [String; 3],
}

impl Statement {
    /// A statement about an account.
    #[must_use]
    pub fn of(account: i64, sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), account, ..Self::default() }
    }

    /// With these keys.
    #[must_use]
    pub fn keys(self, keys: impl Into<Vec<i64>>) -> Self {
        Self { keys: keys.into(), ..self }
    }

    /// With these texts.
    #[must_use]
    pub fn texts(self, texts: impl Into<Vec<String>>) -> Self {
        Self { texts: texts.into(), ..self }
    }

    /// With these numbers.
    #[must_use]
    pub fn between(self, low: i64, high: i64) -> Self {
        Self { low, high, ..self }
    }

    /// With these texts by themselves.
    #[must_use]
    pub fn words<const N: usize>(self, words: [&str; N]) -> Self {
        let mut all = <[String; 3]>::default();
        for (place, word) in all.iter_mut().zip(words) {
            word.clone_into(place);
        }
        Self { words: all, ..self }
    }

    /// The text for a database that writes these in the places of the words.
    #[must_use]
    pub fn text(&self, keys: &str, texts: &str, find: &str, id: &str) -> String {
        let text = self.sql.replace("{keys}", keys).replace("{texts}", texts);
        text.replace("{in}", find).replace("{m.id}", id)
    }
}

/// A row as it is looked at: the columns `k`, `n`, `t` and `b`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// A key or number.
    pub key: i64,
    /// Another one.
    pub number: i64,
    /// A text.
    pub text: Option<String>,
    /// Bytes.
    pub bytes: Option<Vec<u8>>,
}

/// A table that has rows of accounts, and the columns of its key.
pub type AccountTable = (String, Vec<String>);

/// An open transaction, or a connection to read by.
#[async_trait]
pub trait Shelf: Send {
    /// Looks at rows.
    async fn look(&mut self, statement: Statement) -> Result<Vec<Seen>, StoreError>;

    /// Changes rows. Returns how many.
    async fn run(&mut self, statement: Statement) -> Result<u64, StoreError>;

    /// Takes the words of messages out of the index.
    async fn forget_words(&mut self, account: i64, messages: &[i64]) -> Result<(), StoreError>;

    /// Does a piece of what makes sure that nothing of erased words is left in the index. `first`: it begins. True
    /// once there is nothing left to do.
    async fn wipe_words(&mut self, first: bool) -> Result<bool, StoreError>;

    /// Every table with a column `account_key`.
    async fn account_tables(&mut self) -> Result<Vec<AccountTable>, StoreError>;
}

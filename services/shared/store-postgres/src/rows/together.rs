//! Several statements as one, so that what a batch writes costs few round trips.
//!
//! All parts are always there, some with nothing to do: the server plans the whole once, where leaving
//! parts out would give it another statement to plan for each mixture.

use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};
use std::fmt::Write;

/// Statements that become the parts of one `WITH`. No two may touch the same row: the server runs them on
/// one snapshot and in no order that can be relied on.
#[derive(Default)]
pub(super) struct Together {
    sql: String,
    arguments: PgArguments,
    has_work: bool,
    refused: Option<sqlx::Error>,
}

impl Together {
    /// Adds a statement for these rows, whose parameters count from `$1` and are bound to what this returns.
    pub(super) fn part<R>(&mut self, statement: &str, rows: &[R]) -> &mut Self {
        self.has_work |= !rows.is_empty();
        let begin = if self.sql.is_empty() { "WITH " } else { ", " };
        self.sql.push_str(begin);
        let bound = self.arguments.len();
        // Writing into a string cannot fail.
        let _ = write!(self.sql, "part{bound} AS (");
        renumber(statement, bound, &mut self.sql);
        self.sql.push(')');
        self
    }

    /// Binds the next parameter of the part that was added last.
    pub(super) fn bind<'t, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'t, Postgres> + Type<Postgres>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.refused.get_or_insert(sqlx::Error::Encode(error));
        }
        self
    }

    /// Executes what was added, if it has rows.
    pub(super) async fn execute(mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if let Some(refused) = self.refused {
            return Err(sorted(refused));
        }
        if !self.has_work {
            return Ok(());
        }
        self.sql.push_str(" SELECT 1");
        // Made of this crate's own statements alone.
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        query.execute(connection).await.map_err(sorted)?;
        Ok(())
    }
}

/// Copies a statement, its parameters counted on from `bound`.
fn renumber(statement: &str, bound: usize, into: &mut String) {
    let mut pieces = statement.split('$');
    into.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let number: usize = piece[..end].parse().unwrap_or_default();
        let _ = write!(into, "${}{}", number + bound, &piece[end..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_each_part_follow_those_before() {
        let mut together = Together::default();
        together.part("INSERT INTO a SELECT $1, $2", &[0]).bind(1_i64).bind("x");
        together.part("DELETE FROM b WHERE c = $1 AND d = $12", &[0]).bind(2_i64);
        assert_eq!(
            together.sql,
            "WITH part0 AS (INSERT INTO a SELECT $1, $2), \
             part2 AS (DELETE FROM b WHERE c = $3 AND d = $14)"
        );
    }
}

//! Several statements as one, so that what a batch writes costs few round trips.
//!
//! All parts are always there, some with nothing to do: the server plans the whole once, where leaving
//! parts out would give it another statement to plan for each mixture.

use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::{PgArguments, PgConnection, PgHasArrayType, Postgres};
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
    /// Adds a statement whose only parameter, `$1`, is these rows as one array. An array for each column
    /// would cost the server many times as much: it fills a table of its own from every array that it
    /// unnests.
    pub(super) fn part<R>(&mut self, statement: &str, rows: impl IntoIterator<Item = R>)
    where
        R: for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
    {
        let rows: Vec<R> = rows.into_iter().collect();
        self.has_work |= !rows.is_empty();
        let begin = if self.sql.is_empty() { "WITH " } else { ", " };
        if let Err(error) = self.arguments.add(rows) {
            self.refused.get_or_insert(sqlx::Error::Encode(error));
        }
        let number = self.arguments.len();
        let statement = statement.replace("$1", &format!("${number}"));
        // Writing into a string cannot fail.
        let _ = write!(self.sql, "{begin}part{number} AS ({statement})");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_own_rows() {
        let mut together = Together::default();
        together.part("INSERT INTO a SELECT $1", [1_i64]);
        together.part("DELETE FROM b WHERE c = ANY($1)", ["x"]);
        assert_eq!(
            together.sql,
            "WITH part1 AS (INSERT INTO a SELECT $1), part2 AS (DELETE FROM b WHERE c = ANY($2))"
        );
    }
}

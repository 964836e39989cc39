//! Statements over many rows.

use crate::error::sorted;
use channel_store::StoreError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

/// A statement with its bound values.
pub(crate) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Rows are bound in pieces of these sizes, so that few statements serve every number of rows and stay
/// prepared.
const PIECES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// A statement whose text has a place for a list of rows.
#[derive(Clone, Copy)]
pub(crate) struct Rowwise {
    /// What stands before the rows.
    pub head: &'static str,
    /// How many values a row has.
    pub columns: usize,
    /// What stands behind the rows.
    pub tail: &'static str,
}

impl Rowwise {
    fn text(self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{} {} {}", self.head, vec![row; rows].join(","), self.tail)
    }

    /// Executes the statement for all rows.
    pub(crate) async fn execute<'q, T>(
        self,
        connection: &mut SqliteConnection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<(), StoreError> {
        for piece in pieces(rows) {
            let query = sqlx::query(AssertSqlSafe(self.text(piece.len())));
            let query = piece.iter().fold(query, &bind);
            query.execute(&mut *connection).await.map_err(sorted)?;
        }
        Ok(())
    }

    /// Fetches what the statement finds for all rows, with which it must compare or join what it finds. Places for
    /// more rows stay unbound: those are NULL, which equals nothing. So most lists are one statement.
    pub(crate) async fn fetch<'q, T>(
        self,
        connection: &mut SqliteConnection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let sized = |piece: &'q [T]| (piece, piece.len().next_power_of_two());
        self.read(connection, rows.chunks(PIECES[0]).map(sized), bind).await
    }

    /// Executes the statement for all rows, and fetches what it returns.
    pub(crate) async fn execute_returning<'q, T>(
        self,
        connection: &mut SqliteConnection,
        rows: &'q [T],
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        self.read(connection, pieces(rows).map(|piece| (piece, piece.len())), bind).await
    }

    async fn read<'q, T: 'q>(
        self,
        connection: &mut SqliteConnection,
        pieces: impl Iterator<Item = (&'q [T], usize)>,
        bind: impl Fn(Query<'q>, &'q T) -> Query<'q>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut found = Vec::new();
        for (piece, places) in pieces {
            let query = sqlx::query(AssertSqlSafe(self.text(places)));
            let query = piece.iter().fold(query, &bind);
            found.extend(query.fetch_all(&mut *connection).await.map_err(sorted)?);
        }
        Ok(found)
    }
}

fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = PIECES.into_iter().find(|size| *size <= rows.len())?;
        let (piece, rest) = rows.split_at(size);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_row_once() {
        for count in [0, 1, 7, 8, 9, 31, 32, 33, 100] {
            let rows: Vec<usize> = (0..count).collect();
            let seen: Vec<usize> = pieces(&rows).flatten().copied().collect();
            assert_eq!(seen, rows);
        }
    }
}

//! The rows of the table, one file for each.

mod beside;
mod corpus;
mod crowd;
mod hot;
mod idle;
mod import;
mod lists;
mod live;
mod many;
mod processor;
mod rate;
mod search;
mod sending;
mod single_file;
mod start;

use crate::env::Env;
use crate::table::Table;
use rate::Rates;
pub(crate) use sending::webhook;

/// Measures the rows asked for, or all.
pub(crate) async fn run(env: &mut Env, only: Option<&[u8]>) -> anyhow::Result<Table> {
    let mut table = Table::default();
    let mut rates = Rates::default();
    let wanted = |row: u8| only.is_none_or(|only| only.contains(&row));
    for (row, note) in NOTES {
        if !wanted(row) {
            continue;
        }
        table.notes.insert(row, note);
        let lines = match row {
            1 => many::run(env, &mut rates).await?,
            2 => hot::run(env, &mut rates).await?,
            3 => single_file::run(env, &mut rates).await?,
            4 => processor::run(env, &mut rates).await?,
            5 => live::run(env).await?,
            6 => crowd::run(env).await?,
            7 => idle::run(env).await?,
            // Both read the same large databases, which take long to fill.
            8 => lists::run(env, wanted(9)).await?,
            9 if !wanted(8) => search::run(env).await?,
            10 => start::run(env).await?,
            11 => sending::answers(env).await?,
            12 => sending::drain(env).await?,
            13 => import::run(env).await?,
            14 => beside::run(env).await?,
            _ => vec![],
        };
        table.lines.extend(lines);
    }
    table.lines.sort_by_key(|line| line.row);
    Ok(table)
}

const NOTES: [(u8, &str); 14] = [
    (1, many::NOTE),
    (2, hot::NOTE),
    (3, single_file::NOTE),
    (4, processor::NOTE),
    (5, live::NOTE),
    (6, crowd::NOTE),
    (7, idle::NOTE),
    (8, lists::NOTE),
    (9, search::NOTE),
    (10, start::NOTE),
    (11, sending::ANSWER),
    (12, sending::DRAIN),
    (13, import::NOTE),
    (14, beside::NOTE),
];

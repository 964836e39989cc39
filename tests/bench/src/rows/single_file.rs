//! Row 3: webhooks on SQLite.

use super::many;
use super::rate::{Case, Goal, Rates, compare};
use crate::database::Kind;
use crate::env::Env;
use crate::product::IntakeKind;
use crate::table::Line;

pub(super) const NOTE: &str = "As row 1, on SQLite in WAL mode with synchronous FULL. The reference \
    commits each webhook by itself, one after another, as SQLite has one writer.";

pub(super) const CASE: Case = Case { kind: Kind::Sqlite, ..many::CASE };

pub(super) async fn run(env: &mut Env, rates: &mut Rates) -> anyhow::Result<Vec<Line>> {
    let goal = Goal { row: 3, times: [2.0, 8.0], lower_p99: false, at_least: None };
    compare(env, rates, CASE, IntakeKind::Serial, &goal).await
}

//! Row 1: webhooks of many accounts on PostgreSQL.

use super::rate::{Case, Goal, Rates, compare};
use crate::database::Kind;
use crate::env::{Disk, Env};
use crate::product::IntakeKind;
use crate::table::Line;

pub(super) const NOTE: &str = "64 senders, each with one request under way, post an ordinary day of \
    50 accounts (messages, receipts, reactions, edits) over HTTP; an answer means committed and \
    flushed. The reference has the same kind of door, the same parser, the same rows, and one \
    transaction for each webhook over 64 connections. The slow disk is a library before the server's \
    C library that sleeps 1 ms instead of flushing.";

pub(super) const CASE: Case =
    Case { kind: Kind::Postgres, disk: Disk::Own, intake: IntakeKind::Batched, accounts: 50 };

pub(super) async fn run(env: &mut Env, rates: &mut Rates) -> anyhow::Result<Vec<Line>> {
    let goal = Goal { row: 1, times: [2.0, 3.0], lower_p99: true, at_least: Some(10_000.0) };
    compare(env, rates, CASE, IntakeKind::Single, &goal).await
}

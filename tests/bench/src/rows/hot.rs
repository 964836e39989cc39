//! Row 2: all webhooks are of one account.

use super::many;
use super::rate::{Case, Goal, Rates, compare};
use crate::env::Env;
use crate::product::IntakeKind;
use crate::table::Line;

pub(super) const NOTE: &str = "As row 1, with one account: its counter row is locked by each \
    transaction until it is flushed.";

pub(super) async fn run(env: &mut Env, rates: &mut Rates) -> anyhow::Result<Vec<Line>> {
    let goal = Goal { row: 2, times: [10.0, 10.0], lower_p99: false, at_least: None };
    let case = Case { accounts: 1, ..many::CASE };
    compare(env, rates, case, IntakeKind::Single, &goal).await
}
